import type {
  AtInstant,
  Claimed,
  ClaimRequest,
  DueTimer,
  InstanceRef,
  WriteOptions,
} from '@nestjs-orchestrator/core/ports';
import type { Connection } from '../connection/connection.js';
import { preludeLua } from '../connection/prelude.lua.js';
import { Parameters, script, type Script } from '../connection/script.js';
import { FOR_WORK, timerName, type Room } from '../naming/room.js';
import type { Rooms } from '../naming/rooms.js';
import { claimFromRooms, type ClaimedRow } from '../outbox/claim-from-rooms.js';
import { dueLua } from '../outbox/due.lua.js';
import { timersLua } from './timers.lua.js';

/** Names one arming of a timer. */
export type TimerToken = InstanceRef & { readonly name: string; readonly token: string };

/** Leases due timers. The instant at which one was due goes before its record. */
const claimScript = script(
  preludeLua,
  timersLua,
  dueLua,
  `
local FIRST = ${FOR_WORK + 1}
local owner, lease, limit = take(), takeNumber(), takeNumber()
local answer = { '' }
for _, each in ipairs(takeDue(FIRST, limit)) do
  local name = string.sub(each.member, 18)
  local meta = timerOf(name)
  local suspect = meta[HOLDER] ~= ''
  if not suspect then meta[TRIES] = meta[TRIES] + 1 end
  meta[HOLDER] = owner
  keepTimer(name, meta)
  redis.call('ZADD', each.key, text(now + lease), each.member)
  answer[#answer + 1] = text(meta[DUE]) .. ' ' .. redis.call('HGET', timerRow, name)
  answer[#answer + 1] = meta[TRIES]
  answer[#answer + 1] = suspect and 1 or 0
end
answer[1] = untilNext(FIRST)
return answer`,
);

const CURRENT = `
local due, instance, name, token = takeKey(), takeKey(), take(), take()
local meta = timerOf(name)
if not meta or meta[TOKEN] ~= token then return false end
checkTimers(due)
mustBe('hash', instance)`;

const beginScript = script(
  preludeLua,
  timersLua,
  CURRENT,
  `
if meta[HOLDER] ~= take() then return false end
meta[TRIES] = meta[TRIES] + 1
keepTimer(name, meta)
return meta[TRIES]`,
);

const dropScript = script(preludeLua, timersLua, CURRENT, `disarm(due, instance, name)`);

const releaseScript = script(
  preludeLua,
  timersLua,
  CURRENT,
  `
local delay, counted = takeNumber(), take() == '1'
if not counted then meta[TRIES] = math.max(0, meta[TRIES] - 1) end
meta[HOLDER] = ''
keepTimer(name, meta)
redis.call('ZADD', due, text(now + delay), meta[NUMBER] .. '/' .. name)`,
);

/** Leases due timers of the sagas, from all tenants. */
export async function claimTimers(
  connection: Connection,
  rooms: Rooms,
  request: ClaimRequest,
): Promise<Claimed<DueTimer>> {
  const { destinations, now, owner, leaseMs, limit } = request;
  if (destinations.length === 0) return { items: [], nextDueMs: null };
  const sagas = [...new Set(destinations)];
  const callOf = (room: Room, share: number) => ({
    script: claimScript,
    keys: [...room.fixed.slice(0, FOR_WORK), ...sagas.map((saga) => room.timerDue(saga))],
    args: [now ?? '', owner, leaseMs, share],
  });
  const { items, nextDueMs } = await claimFromRooms(connection, await rooms.all(), limit, callOf, dueTimer);
  return { items: items.toSorted((a, b) => a.dueAt - b.dueAt), nextDueMs };
}

/** Counts the attempt of a suspect timer, just before it runs. */
export async function beginTimer(
  connection: Connection,
  rooms: Rooms,
  timer: TimerToken,
  { now, owner }: WriteOptions,
): Promise<number | null> {
  return (await run(connection, rooms, beginScript, timer, now, [owner])) as number | null;
}

export async function dropTimer(connection: Connection, rooms: Rooms, timer: TimerToken): Promise<void> {
  await run(connection, rooms, dropScript, timer, 0, []);
}

/** Gives a timer back. `counted`: its last attempt was one. */
export async function releaseTimer(
  connection: Connection,
  rooms: Rooms,
  timer: TimerToken,
  { delayMs, counted }: { readonly delayMs: number; readonly counted: boolean },
  { now }: AtInstant,
): Promise<void> {
  await run(connection, rooms, releaseScript, timer, now, [delayMs, counted ? '1' : '0']);
}

function run(
  connection: Connection,
  rooms: Rooms,
  timerScript: Script,
  timer: TimerToken,
  now: number | null,
  args: readonly (string | number)[],
): Promise<unknown> {
  const { tenant, saga, id } = timer;
  const room = rooms.of(tenant);
  const parameters = new Parameters(...room.fixed.slice(0, FOR_WORK));
  parameters
    .push(now ?? '')
    .pushKey(room.timerDue(saga))
    .pushKey(room.instance(saga, id));
  parameters.push(timerName(timer), timer.token, ...args);
  return connection.run({ script: timerScript, keys: parameters.keys, args: parameters.args });
}

function dueTimer({ tenant }: Room, { record, attempts, suspect }: ClaimedRow): DueTimer {
  const border = record.indexOf(' ');
  const [saga, id, name, token, delayMs, payload] = JSON.parse(record.slice(border + 1)) as [
    string,
    string,
    string,
    string,
    number,
    string,
  ];
  const dueAt = Number(record.slice(0, border));
  return { tenant, saga, id, name, token, delayMs, payload, attempts, suspect, dueAt };
}
