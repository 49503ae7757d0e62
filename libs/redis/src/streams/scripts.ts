import { script } from '../connection/script.js';

const clock = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)`;

/** Refuses whoever is not the owner any more. KEYS[1]: the owner; ARGV[1]: the epoch under which the caller has the partition. */
const fence = `
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end`;

/**
 * Appends frames that come from one sender, in order; how many are in the stream now. What a call has written whose answer was lost is not
 * written again. KEYS: stream, number of the sender's last frame; ARGV: limit, milliseconds to remember, number of the first one, and per frame name
 * and bytes.
 */
export const appendScript = script(`
local first = tonumber(ARGV[3])
local count = (#ARGV - 3) / 2
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local room = tonumber(ARGV[1]) - redis.call('XLEN', KEYS[1])
local taken = 0
for n = 1, count do
  if first + n - 1 > last then
    if room <= 0 then break end
    redis.call('XADD', KEYS[1], '*', 'n', ARGV[2 + 2 * n], 'f', ARGV[3 + 2 * n])
    last = first + n - 1
    room = room - 1
  end
  taken = n
end
redis.call('SET', KEYS[2], string.format('%.0f', last), 'PX', ARGV[2])
return taken`);

/** As `appendScript`, into the stream between two endpoints, which is forgotten when nobody has used it for as long. */
export const appendToInboxScript = script(
  appendScript.source.replace('return taken', ''),
  `
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return taken`,
);

/** Frees what is done of an own inbox. ARGV: the first id that stays. */
export const trimScript = script(`
redis.call('XTRIM', KEYS[1], 'MINID', ARGV[1])
return 1`);

/** Frees what is done of a partition. KEYS: owner, stream, attempts; ARGV: epoch, first id that stays or '', number of ids that were counted, all ids. */
export const doneScript = script(
  fence,
  `
if ARGV[2] ~= '' then redis.call('XTRIM', KEYS[2], 'MINID', ARGV[2]) end
local counted = tonumber(ARGV[3])
for n = 4, #ARGV do
  if n < 4 + counted then redis.call('HDEL', KEYS[3], ARGV[n]) end
  redis.call('XDEL', KEYS[2], ARGV[n])
end
return 1`,
);

/**
 * The last owner died: whatever it may have had in hand is counted, up to 2; from then on each one is run alone and counted by itself. KEYS: owner,
 * stream, attempts; ARGV: epoch, how many it may have had. Returns ids and counts.
 */
export const suspectScript = script(
  fence,
  `
local found = {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', ARGV[2])) do
  local count = tonumber(redis.call('HGET', KEYS[3], entry[1]) or '0')
  if count < 2 then count = redis.call('HINCRBY', KEYS[3], entry[1], 1) end
  found[#found + 1] = entry[1]
  found[#found + 1] = count
end
return found`,
);

/** Counts a delivery. KEYS: owner, attempts; ARGV: epoch, id. */
export const countScript = script(
  fence,
  `
return redis.call('HINCRBY', KEYS[2], ARGV[2], 1)`,
);

/** Makes a frame a dead letter. KEYS: owner, stream, attempts, letters; ARGV: epoch, id, reason, attempts. */
export const buryScript = script(
  fence,
  `
local entry = redis.call('XRANGE', KEYS[2], ARGV[2], ARGV[2])[1]
if entry then
  local count = ARGV[4]
  redis.call('XADD', KEYS[4], '*', 'n', entry[2][2], 'f', entry[2][4], 'r', ARGV[3], 'a', count)
  redis.call('XDEL', KEYS[2], ARGV[2])
  redis.call('HDEL', KEYS[3], ARGV[2])
end
return 1`,
);

/** Puts a dead letter back, or forgets it. KEYS: stream, letters; ARGV: letter, 'replay' or 'discard'. */
export const settleScript = script(`
local entry = redis.call('XRANGE', KEYS[2], ARGV[1], ARGV[1])[1]
if not entry then return 0 end
if ARGV[2] == 'replay' then redis.call('XADD', KEYS[1], '*', 'n', entry[2][2], 'f', entry[2][4]) end
return redis.call('XDEL', KEYS[2], ARGV[1])`);

/** Owner and epoch of partitions. */
export const ownersScript = script(`
local found = {}
for _, key in ipairs(KEYS) do
  local owner = redis.call('HMGET', key, 'node', 'epoch')
  found[#found + 1] = owner[1] or ''
  found[#found + 1] = owner[2] or '0'
end
return found`);

/** Takes a partition whose epoch is still the one that was seen. ARGV: that epoch, incarnation. Returns the new epoch and whether its last owner died. */
export const takeScript = script(`
if (redis.call('HGET', KEYS[1], 'epoch') or '0') ~= ARGV[1] then return {0, 0} end
local orphan = ARGV[1] ~= '0' and not redis.call('HGET', KEYS[1], 'clean')
local epoch = redis.call('HINCRBY', KEYS[1], 'epoch', 1)
redis.call('HSET', KEYS[1], 'node', ARGV[2])
redis.call('HDEL', KEYS[1], 'clean')
return {epoch, orphan and 1 or 0}`);

/** Gives a partition away in peace. */
export const giveScript = script(
  fence,
  `
redis.call('HSET', KEYS[1], 'node', '', 'clean', 1)
return 1`,
);

/**
 * Takes a place in the cluster. KEYS: until, nodes, endpoints, settings; ARGV: endpoint, incarnation, lease, about, partitions. Returns 'joined', or
 * 'partitions' and their number, or 'taken' and who has it: about and until when.
 */
export const joinScript = script(
  clock,
  `
local partitions = redis.call('GET', KEYS[4])
if partitions and partitions ~= ARGV[5] then return {'partitions', partitions} end
local other = redis.call('HGET', KEYS[3], ARGV[1])
if other then
  local till = tonumber(redis.call('ZSCORE', KEYS[1], other) or '0')
  if till > now then return {'taken', redis.call('HGET', KEYS[2], other) or '', string.format('%.0f', till)} end
  redis.call('ZREM', KEYS[1], other)
  redis.call('HDEL', KEYS[2], other)
end
redis.call('SET', KEYS[4], ARGV[5])
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[2], ARGV[4])
redis.call('HSET', KEYS[3], ARGV[1], ARGV[2])
return {'joined'}`,
);

/**
 * A sign of life; tells who else gives one. After a pause of all of them, as when the server was away, nobody counts as dead for one lease. KEYS: until,
 * nodes, pulse; ARGV: incarnation, lease, about. Returns 0 where this one was declared dead, else per endpoint incarnation, about, and the milliseconds that
 * its lease has left.
 */
export const beatScript = script(
  clock,
  `
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
local lease = tonumber(ARGV[2])
local pulse = redis.call('HMGET', KEYS[3], 'last', 'grace')
local last = tonumber(pulse[1] or '0')
local grace = tonumber(pulse[2] or '0')
if now - last > lease then
  grace = now + lease
  redis.call('HSET', KEYS[3], 'grace', grace)
end
redis.call('HSET', KEYS[3], 'last', now)
redis.call('ZADD', KEYS[1], now + lease, ARGV[1])
redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
local found = {}
local all = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for n = 1, #all, 2 do
  found[#found + 1] = all[n]
  found[#found + 1] = redis.call('HGET', KEYS[2], all[n]) or ''
  found[#found + 1] = math.max(tonumber(all[n + 1]), grace) - now
end
return found`,
);

/**
 * Takes an endpoint out: one's own, or one whose lease is over. KEYS: until, nodes, endpoints, names, names that it holds, pulse; ARGV: incarnation, endpoint,
 * 1 if it leaves by itself.
 */
export const removeScript = script(
  clock,
  `
local till = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not till then return 0 end
local grace = tonumber(redis.call('HGET', KEYS[6], 'grace') or '0')
if ARGV[3] ~= '1' and math.max(tonumber(till), grace) > now then return 0 end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
if redis.call('HGET', KEYS[3], ARGV[2]) == ARGV[1] then redis.call('HDEL', KEYS[3], ARGV[2]) end
for _, name in ipairs(redis.call('SMEMBERS', KEYS[5])) do
  local entry = redis.call('HGET', KEYS[4], name)
  if entry and cjson.decode(entry)[1] == ARGV[1] then redis.call('HDEL', KEYS[4], name) end
end
redis.call('DEL', KEYS[5])
return 1`,
);

/** Takes a name. KEYS: until, names, names that this one holds; ARGV: incarnation, name, entry. Returns who has it, or 1; 0 where this one was declared dead. */
export const claimScript = script(`
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
local entry = redis.call('HGET', KEYS[2], ARGV[2])
if entry and redis.call('ZSCORE', KEYS[1], cjson.decode(entry)[1]) then return entry end
redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
redis.call('SADD', KEYS[3], ARGV[2])
return 1`);

/** Gives a name back. KEYS: names, names that this one holds; ARGV: incarnation, name. */
export const unclaimScript = script(`
local entry = redis.call('HGET', KEYS[1], ARGV[2])
if entry and cjson.decode(entry)[1] == ARGV[1] then redis.call('HDEL', KEYS[1], ARGV[2]) end
redis.call('SREM', KEYS[2], ARGV[2])
return 1`);

/** Who holds a name, or all names where none is given. KEYS: until, names. Returns names and entries. */
export const namesScript = script(`
local found = {}
local all = {}
if ARGV[1] then
  all = {ARGV[1], redis.call('HGET', KEYS[2], ARGV[1])}
else
  all = redis.call('HGETALL', KEYS[2])
end
for n = 1, #all, 2 do
  if all[n + 1] and redis.call('ZSCORE', KEYS[1], cjson.decode(all[n + 1])[1]) then
    found[#found + 1] = all[n]
    found[#found + 1] = all[n + 1]
  end
end
return found`);
