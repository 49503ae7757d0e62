import { jointScript } from '../connection/joint.js';
import { script } from '../connection/script.js';

const clock = `
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)`;

/** Refuses whoever is not the owner any more. KEYS[1]: the owner; ARGV[1]: the epoch under which the caller has the partition. */
const fence = `
if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return 0 end`;

/**
 * Appends frames that come from one sender, in order; how many of them are in the stream now. What a call has written whose answer was lost is not
 * written again. KEYS: stream, number of the sender's last frame, how many frames the stream holds; ARGV: limit, milliseconds to remember, number of the first
 * one, and per entry the number of its frames and these, packed.
 */
export const appendScript = jointScript(`
local function head(frames, many)
  local at = 1
  for n = 1, many do
    local name, size = struct.unpack('<I2I4', frames, at)
    at = at + 6 + name + size
  end
  return string.sub(frames, 1, at - 1)
end
local first = tonumber(ARGV[3])
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local held = 0
if redis.call('XLEN', KEYS[1]) > 0 then held = tonumber(redis.call('GET', KEYS[3]) or '0') end
local room = tonumber(ARGV[1]) - held
local taken, added = 0, 0
for n = 4, #ARGV, 2 do
  local count, frames = tonumber(ARGV[n]), ARGV[n + 1]
  local known = last - first - taken + 1
  if known >= count then
    taken = taken + count
  elseif known > 0 then
    taken = taken + known
    break
  else
    local fits = math.min(count, room - added)
    if fits <= 0 then break end
    if fits < count then frames = head(frames, fits) end
    redis.call('XADD', KEYS[1], '*', 'c', fits, 'f', frames)
    taken = taken + fits
    added = added + fits
    if fits < count then break end
  end
end
if added > 0 then
  redis.call('SET', KEYS[2], string.format('%.0f', first + taken - 1), 'PX', ARGV[2])
  redis.call('SET', KEYS[3], string.format('%.0f', held + added))
end
return taken`);

/** As `appendScript`, into the stream between two endpoints, which is forgotten when nobody has used it for as long. */
export const appendToInboxScript = jointScript(
  appendScript.source.replace('return taken', ''),
  `
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PEXPIRE', KEYS[3], ARGV[2])
return taken`,
);

/** Frees what is done of an own inbox. KEYS: stream, how many frames it holds; ARGV: the first id that stays, how many frames come before it. */
export const trimScript = jointScript(`
if redis.call('XTRIM', KEYS[1], 'MINID', ARGV[1]) > 0 then redis.call('DECRBY', KEYS[2], ARGV[2]) end
return 1`);

/**
 * Frees what is done of a partition; a repeated call changes nothing more. KEYS: owner, stream, attempts, how many frames the stream holds; ARGV: epoch, first id
 * that stays or '', number of frames before it, number of other entries that are done, id and number of frames of each, number of frames that are done before their
 * entry is, their ids, ids of frames of which nothing has to be known any more.
 */
export const doneScript = jointScript(
  fence,
  `
local freed, at = 0, 5
if ARGV[2] ~= '' and redis.call('XTRIM', KEYS[2], 'MINID', ARGV[2]) > 0 then freed = tonumber(ARGV[3]) end
for n = 1, tonumber(ARGV[4]) do
  if redis.call('XDEL', KEYS[2], ARGV[at]) > 0 then freed = freed + tonumber(ARGV[at + 1]) end
  at = at + 2
end
local marks = tonumber(ARGV[at])
for n = at + 1, at + marks do redis.call('HSET', KEYS[3], ARGV[n], 'd') end
for n = at + marks + 1, #ARGV do redis.call('HDEL', KEYS[3], ARGV[n]) end
if freed > 0 then redis.call('DECRBY', KEYS[4], freed) end
return 1`,
);

/**
 * What a new owner has to know of the frames. Where the last owner died, whatever it may have had in hand is counted, up to 2; from then on each one is run alone
 * and counted by itself. KEYS: owner, stream, attempts; ARGV: epoch, how many it may have had, or 0. Returns ids and counts.
 */
export const openScript = script(
  fence,
  `
local left = tonumber(ARGV[2])
local from = '-'
while left > 0 do
  local entries = redis.call('XRANGE', KEYS[2], from, '+', 'COUNT', 16)
  if #entries == 0 then break end
  for _, entry in ipairs(entries) do
    local count = tonumber(entry[2][2]) or 0
    for place = 0, count - 1 do
      local id = entry[1] .. '.' .. place
      local known = redis.call('HGET', KEYS[3], id)
      if known ~= 'd' and tonumber(known or '0') < 2 then redis.call('HINCRBY', KEYS[3], id, 1) end
    end
    left = left - count
    from = '(' .. entry[1]
  end
end
return redis.call('HGETALL', KEYS[3])`,
);

/** Counts a delivery. KEYS: owner, attempts; ARGV: epoch, id. */
export const countScript = script(
  fence,
  `
return redis.call('HINCRBY', KEYS[2], ARGV[2], 1)`,
);

/**
 * Makes a frame a dead letter, once. KEYS: owner, stream, attempts, letters; ARGV: epoch, entry, id of the frame, name, frame, reason, attempts.
 */
export const buryScript = script(
  fence,
  `
if redis.call('HGET', KEYS[3], ARGV[3]) == 'd' then return 1 end
if #redis.call('XRANGE', KEYS[2], ARGV[2], ARGV[2]) == 0 then return 1 end
redis.call('XADD', KEYS[4], '*', 'n', ARGV[4], 'f', ARGV[5], 'r', ARGV[6], 'a', ARGV[7])
redis.call('HSET', KEYS[3], ARGV[3], 'd')
return 1`,
);

/** Puts a dead letter back, or forgets it. KEYS: stream, letters, how many frames the stream holds; ARGV: letter, 'replay' or 'discard'. */
export const settleScript = script(`
local entry = redis.call('XRANGE', KEYS[2], ARGV[1], ARGV[1])[1]
if not entry then return 0 end
if ARGV[2] == 'replay' then
  local name, frame = entry[2][2], entry[2][4]
  redis.call('XADD', KEYS[1], '*', 'c', 1, 'f', struct.pack('<I2I4', #name, #frame) .. name .. frame)
  redis.call('INCRBY', KEYS[3], 1)
end
return redis.call('XDEL', KEYS[2], ARGV[1])`);

/**
 * The id that a stream has given last, also where its entry is gone; '' where there is no stream. What waits in one that would expire keeps it, however long its
 * reader is held. KEYS: stream, and what expires with it where it does; ARGV: milliseconds to keep it.
 */
export const lastIdScript = jointScript(`
if redis.call('EXISTS', KEYS[1]) == 0 then return '' end
if KEYS[2] and redis.call('XLEN', KEYS[1]) > 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  redis.call('PEXPIRE', KEYS[2], ARGV[1])
end
local about = redis.call('XINFO', 'STREAM', KEYS[1])
for n = 1, #about, 2 do
  if about[n] == 'last-generated-id' then return about[n + 1] end
end
return ''`);

/** Owner and epoch of partitions. */
export const ownersScript = script(`
local found = {}
for _, key in ipairs(KEYS) do
  local owner = redis.call('HMGET', key, 'node', 'epoch')
  found[#found + 1] = owner[1] or ''
  found[#found + 1] = owner[2] or '0'
end
return found`);

/**
 * Takes a partition whose epoch is still the one that was seen. The new one is above it and not below the server's time: a server that has lost its data, or the last
 * part of it, gives no epoch a second time, and durable machines in a store elsewhere go on. ARGV: that epoch, incarnation. Returns the new epoch and whether its last
 * owner died.
 */
export const takeScript = script(
  clock,
  `
local known = redis.call('HGET', KEYS[1], 'epoch') or '0'
if known ~= ARGV[1] then return {0, 0} end
local orphan = known ~= '0' and not redis.call('HGET', KEYS[1], 'clean')
local epoch = math.max(tonumber(known) + 1, now)
redis.call('HSET', KEYS[1], 'node', ARGV[2], 'epoch', string.format('%.0f', epoch))
redis.call('HDEL', KEYS[1], 'clean')
return {epoch, orphan and 1 or 0}`,
);

/** Gives a partition away in peace. */
export const giveScript = script(
  fence,
  `
redis.call('HSET', KEYS[1], 'node', '', 'clean', 1)
return 1`,
);

/**
 * Takes a place in the cluster. KEYS: until, nodes, endpoints, settings, pulse; ARGV: endpoint, incarnation, lease, about, layout and partitions. Returns 'joined', or
 * 'settings' and those of the cluster, or 'taken' and who has it: about and until when; or 'dead' and the incarnation that has it, which is to be taken out first.
 */
export const joinScript = script(
  clock,
  `
local settings = redis.call('GET', KEYS[4])
if settings and settings ~= ARGV[5] then return {'settings', settings} end
local other = redis.call('HGET', KEYS[3], ARGV[1])
local till = other and redis.call('ZSCORE', KEYS[1], other)
if till then
  till = math.max(tonumber(till), tonumber(redis.call('HGET', KEYS[5], 'grace') or '0'))
  if till > now then return {'taken', redis.call('HGET', KEYS[2], other) or '', string.format('%.0f', till)} end
  return {'dead', other}
end
redis.call('SET', KEYS[4], ARGV[5])
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[2], ARGV[4])
redis.call('HSET', KEYS[3], ARGV[1], ARGV[2])
return {'joined'}`,
);

/**
 * A sign of life; tells who else gives one. After a pause of all of them, as when the server was away, nobody counts as dead for one lease. Each gives one
 * every third of a lease: a pause that ends a lease of one who lives is longer than two thirds, counted from the last sign of anybody. KEYS: until,
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
if now - last > lease * 2 / 3 then
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
