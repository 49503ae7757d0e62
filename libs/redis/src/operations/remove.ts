import type { ArchivedInstance, InstanceRef, RemoveRequest } from '@nestjs-orchestrator/core/ports';
import { COMMITTING } from '../commit/commit.lua.js';
import type { Connection } from '../connection/connection.js';
import { Parameters, script } from '../connection/script.js';
import { line } from '../instance/history.js';
import { storedInstance, type InstanceFields } from '../instance/instance-record.js';
import { encode, joined, keyOf } from '../naming/encode.js';
import { instanceBox, ROOM } from '../naming/room.js';
import type { Rooms } from '../naming/rooms.js';
import { deadLettersLua } from '../outbox/dead-letters.lua.js';

/** Takes an instance out of the way with all that is its own. 0: it has another version, or somebody has it. */
const removeScript = script(
  ...COMMITTING,
  deadLettersLua,
  `
local instance, inbox, history, keys, index, due = takeKey(), takeKey(), takeKey(), takeKey(), takeKey(), takeKey()
local saga, id, suffix, mailbox, expected, archive = take(), take(), take(), take(), takeNumber(), take() == '1'
local row = rowOf(instance)
if not row[VERSION] or tonumber(row[VERSION]) ~= expected then return 0 end
if isHeld(row[TX], '') or not admits(row, '') then return 0 end
mustBe('hash', keys, inbox, tombstoneRow, KEYS[${ROOM.archive}])
mustBe('list', history)
mustBe('zset', index, tombstoneAt, KEYS[${ROOM.ended}])
checkDeliveries()
checkDeadLetters()
checkTimers(due)

local fields = redis.call('HKEYS', instance)
table.sort(fields)
local claims, order = {}, row[ORDER]
for _, field in ipairs(fields) do
  if string.sub(field, 1, 2) == 'k:' then claims[#claims + 1] = string.sub(field, 3) end
end
local waiting = waitingIn(mailbox)
if archive then
  local known = redis.call('HMGET', instance, 'version', 'created', 'updated', 'ended', 'body')
  local kept = { known[1], known[2], known[3], known[4], known[5], #waiting, claims, redis.call('LRANGE', history, 0, -1), text(now) }
  redis.call('HSET', KEYS[${ROOM.archive}], saga .. '/' .. suffix, cmsgpack.pack(kept))
end
for _, each in ipairs(waiting) do
  local record = redis.call('HGET', deliveryRow, mailbox .. '/' .. each.message)
  remove(mailbox, each.message)
  giveUp('delivery', sagaOf(mailbox), record, 'its instance was removed', 0, '')
end
for _, field in ipairs(fields) do
  local kind, name = string.sub(field, 1, 2), string.sub(field, 3)
  if kind == 't:' then disarm(due, instance, name) end
  if kind == 'g:' then redis.call('ZREM', index, 'g/' .. name .. '/' .. order .. '/' .. suffix) end
end
for _, field in ipairs(claims) do
  redis.call('HDEL', keys, field)
  bury(saga, field, id, suffix, row[START] or '')
end
for _, list in ipairs({ 'a', 'o', 's/' .. row[STATE], 't/' .. row[STATUS] }) do
  redis.call('ZREM', index, list .. '/' .. order .. '/' .. suffix)
end
redis.call('ZREM', KEYS[${ROOM.ended}], saga .. '/' .. suffix)
redis.call('DEL', instance, inbox, history)
return 1`,
);

const archivedScript = script(`
local packed = redis.call('HGET', KEYS[1], ARGV[1])
return packed and cmsgpack.unpack(packed)`);

export async function removeInstance(
  connection: Connection,
  rooms: Rooms,
  { ref, expectedVersion, archive, now }: RemoveRequest,
): Promise<'removed' | 'conflict'> {
  const { tenant, saga, id } = ref;
  const room = rooms.of(tenant);
  const parameters = new Parameters(...room.fixed);
  parameters
    .push(now ?? '')
    .pushKey(room.instance(saga, id))
    .pushKey(room.inbox(saga, id));
  parameters.pushKey(room.history(saga, id)).pushKey(room.keys(saga));
  parameters.pushKey(room.index(saga)).pushKey(room.timerDue(saga));
  parameters.push(encode(saga), id, encode(id), instanceBox(ref), expectedVersion, archive ? '1' : '0');
  const { keys, args } = parameters;
  return (await connection.run({ script: removeScript, keys, args })) === 1 ? 'removed' : 'conflict';
}

type Kept = readonly [...InstanceFields, keys: readonly string[], history: readonly string[], at: string];

/** An instance that was removed with `archive`. */
export async function archivedInstance(
  connection: Connection,
  rooms: Rooms,
  ref: InstanceRef,
): Promise<ArchivedInstance | null> {
  const keys = [rooms.of(ref.tenant).archive];
  const kept = await connection.run({ script: archivedScript, keys, args: [joined(ref.saga, ref.id)] });
  if (kept === null) return null;
  const [version, created, updated, ended, body, open, names, history, at] = kept as Kept;
  return {
    instance: storedInstance(ref, [version, created, updated, ended, body, open]),
    keys: names.map(keyOf),
    history: history.map(line),
    archivedAt: Number(at),
  };
}
