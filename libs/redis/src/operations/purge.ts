import type { Purged, PurgeRequest } from '@nestjs-orchestrator/core/ports';
import type { Connection } from '../connection/connection.js';
import { preludeLua } from '../connection/prelude.lua.js';
import { Parameters, script } from '../connection/script.js';
import { ROOM, type Room } from '../naming/room.js';
import type { Rooms } from '../naming/rooms.js';

/** What a room has that nobody can ask for any more, but for inboxes: consumed messages, settled letters, tombstones. How many of each. */
const purgeScript = script(
  preludeLua,
  `
local inbox, letters, tombstones, limit = takeNumber(), takeNumber(), takeNumber(), takeNumber()
local function old(key, age) return redis.call('ZRANGEBYSCORE', key, '-inf', text(now - age), 'LIMIT', 0, limit) end
mustBe('hash', KEYS[${ROOM.consumed}], KEYS[${ROOM.deadRow}], KEYS[${ROOM.tombstoneRow}])
mustBe('zset', KEYS[${ROOM.consumedAt}], KEYS[${ROOM.deadSettled}], KEYS[${ROOM.deadOrder}], KEYS[${ROOM.tombstoneAt}])
local consumed = old(KEYS[${ROOM.consumedAt}], inbox)
local settled = old(KEYS[${ROOM.deadSettled}], letters)
local stones = old(KEYS[${ROOM.tombstoneAt}], tombstones)
for _, name in ipairs(consumed) do
  redis.call('HDEL', KEYS[${ROOM.consumed}], name)
  redis.call('ZREM', KEYS[${ROOM.consumedAt}], name)
end
for _, letter in ipairs(settled) do
  local found = cmsgpack.unpack(redis.call('HGET', KEYS[${ROOM.deadRow}], letter))
  redis.call('HDEL', KEYS[${ROOM.deadRow}], letter)
  redis.call('ZREM', KEYS[${ROOM.deadSettled}], letter)
  redis.call('ZREM', KEYS[${ROOM.deadOrder}], 's/' .. letter, 'sd/' .. found[7] .. '/' .. letter)
end
for _, member in ipairs(stones) do
  local name = string.match(member, '^(.*)/[^/]*$')
  local left = {}
  for _, stone in ipairs(cmsgpack.unpack(redis.call('HGET', KEYS[${ROOM.tombstoneRow}], name) or cmsgpack.pack({}))) do
    if tonumber(stone[3]) > now - tombstones then left[#left + 1] = stone end
  end
  if #left > 0 then
    redis.call('HSET', KEYS[${ROOM.tombstoneRow}], name, cmsgpack.pack(left))
  else
    redis.call('HDEL', KEYS[${ROOM.tombstoneRow}], name)
  end
  redis.call('ZREM', KEYS[${ROOM.tombstoneAt}], member)
end
return { #consumed, #settled, #stones }`,
);

/** Which instances ended so long ago that their inbox may go. */
const endedScript = script(
  preludeLua,
  `
local age, limit = takeNumber(), takeNumber()
return redis.call('ZRANGEBYSCORE', KEYS[${ROOM.ended}], '-inf', text(now - age), 'LIMIT', 0, limit)`,
);

/** Forgets inbox rows of one instance, unless it was taken up again. */
const inboxScript = script(
  preludeLua,
  `
local age, limit, name, inbox = takeNumber(), takeNumber(), take(), takeKey()
local ended = KEYS[${ROOM.ended}]
local at = redis.call('ZSCORE', ended, name)
if not at or tonumber(at) > now - age then return 0 end
mustBe('hash', inbox)
local messages = redis.call('HKEYS', inbox)
for n = 1, math.min(limit, #messages) do redis.call('HDEL', inbox, messages[n]) end
if #messages <= limit then redis.call('ZREM', ended, name) end
return math.min(limit, #messages)`,
);

/** Forgets what nobody can ask for any more, in all rooms. */
export async function purge(connection: Connection, rooms: Rooms, request: PurgeRequest): Promise<Purged> {
  const { now, inboxMs, lettersMs, tombstonesMs, limit } = request;
  const all = await rooms.all();
  const answers = await connection.runAll(
    all.map(({ fixed }) => ({
      script: purgeScript,
      keys: fixed,
      args: [now ?? '', inboxMs, lettersMs, tombstonesMs, limit],
    })),
  );
  const sums = [0, 0, 0];
  for (const answer of answers) {
    if (answer instanceof Error) throw answer;
    (answer as readonly number[]).forEach((count, n) => (sums[n] = (sums[n] ?? 0) + count));
  }
  const [consumed = 0, letters = 0, tombstones = 0] = sums;
  let inbox = 0;
  for (const room of all) {
    if (inbox < limit) inbox += await purgeInboxes(connection, room, request, limit - inbox);
  }
  const purged = { inbox, consumed, letters, tombstones };
  return { ...purged, more: Object.values(purged).some((count) => count >= limit) };
}

async function purgeInboxes(
  connection: Connection,
  room: Room,
  { now, inboxMs }: PurgeRequest,
  limit: number,
): Promise<number> {
  const asked = { script: endedScript, keys: room.fixed, args: [now ?? '', inboxMs, limit] };
  const names = (await connection.run(asked)) as readonly string[];
  let purged = 0;
  for (const name of names) {
    if (purged >= limit) break;
    const parameters = new Parameters(...room.fixed);
    parameters.push(now ?? '', inboxMs, limit - purged, name).pushKey(room.inboxNamed(name));
    const { keys, args } = parameters;
    purged += Number(await connection.run({ script: inboxScript, keys, args }));
  }
  return purged;
}
