import type { AtInstant, DeliveryRecord, InstanceRef } from '@nestjs-orchestrator/core/ports';
import type { Connection } from '../connection/connection.js';
import { preludeLua } from '../connection/prelude.lua.js';
import { script } from '../connection/script.js';
import { instanceBox } from '../naming/room.js';
import type { Rooms } from '../naming/rooms.js';
import { deadLettersLua } from '../outbox/dead-letters.lua.js';
import { deliveriesLua } from './deliveries.lua.js';
import { unpackDelivery } from './delivery-record.js';

const openScript = script(
  preludeLua,
  deliveriesLua,
  `
local mailbox, found = take(), {}
for n, each in ipairs(waitingIn(mailbox)) do found[n] = redis.call('HGET', deliveryRow, mailbox .. '/' .. each.message) end
return found`,
);

/** Gives up on deliveries past their time, a handful at a time; how many. The mailbox is what stands before the last `/` of a name. */
const expireScript = script(
  preludeLua,
  deliveriesLua,
  deadLettersLua,
  `
checkDeliveries()
checkDeadLetters()
local names = redis.call('ZRANGEBYSCORE', deliveryDue, '-inf', text(now), 'LIMIT', 0, takeNumber())
for _, name in ipairs(names) do
  local mailbox, message = string.match(name, '^(.*)/([^/]*)$')
  local record = redis.call('HGET', deliveryRow, name)
  remove(mailbox, message)
  giveUp('delivery', sagaOf(mailbox), record, '', 0, '')
end
return #names`,
);

const AT_ONCE = 500;

/** What waits for an instance, oldest first. */
export async function openDeliveries(
  connection: Connection,
  rooms: Rooms,
  ref: InstanceRef,
): Promise<readonly DeliveryRecord[]> {
  const keys = rooms.of(ref.tenant).fixed;
  const call = { script: openScript, keys, args: ['0', instanceBox(ref)] };
  const records = (await connection.run(call)) as readonly string[];
  return records.map((record) => {
    const { messageId, payload, ttlMs } = unpackDelivery(record);
    return { messageId, payload, ttlMs };
  });
}

/** Turns deliveries past their time to live into dead letters. */
export async function expireDeliveries(
  connection: Connection,
  rooms: Rooms,
  { now }: AtInstant,
): Promise<number> {
  let expired = 0;
  let open = await rooms.all();
  while (open.length > 0) {
    const calls = open.map(({ fixed }) => ({
      script: expireScript,
      keys: fixed,
      args: [now ?? '', AT_ONCE],
    }));
    const counts = await connection.runAll(calls);
    const failure = counts.find((count) => count instanceof Error);
    if (failure instanceof Error) throw failure;
    expired += counts.reduce<number>((sum, count) => sum + Number(count), 0);
    open = open.filter((_, n) => Number(counts[n]) === AT_ONCE);
  }
  return expired;
}
