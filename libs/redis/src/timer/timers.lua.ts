import { ROOM } from '../naming/room.js';

/**
 * Timers. `meta` holds sequence number, token, attempts, the instant at which the timer was due, and who had it last; \`due\` the instants from which they may be
 * claimed. The instance has the names of its timers, to take them along when it goes.
 */
export const timersLua = `
local timerRow, timerMeta = KEYS[${ROOM.timerRow}], KEYS[${ROOM.timerMeta}]
local NUMBER, TOKEN, TRIES, DUE, HOLDER = 1, 2, 3, 4, 5

local function checkTimers(due)
  mustBe('hash', timerRow, timerMeta)
  mustBe('zset', due)
  mustBe('string', KEYS[${ROOM.sequence}])
end
local function timerOf(name)
  local packed = redis.call('HGET', timerMeta, name)
  return packed and cmsgpack.unpack(packed)
end
local function keepTimer(name, meta) redis.call('HSET', timerMeta, name, cmsgpack.pack(meta)) end
local function disarm(due, instance, name)
  local meta = timerOf(name)
  if not meta then return end
  redis.call('HDEL', timerMeta, name)
  redis.call('HDEL', timerRow, name)
  redis.call('HDEL', instance, 't:' .. name)
  redis.call('ZREM', due, meta[NUMBER] .. '/' .. name)
end
-- One of the same name is replaced, with its token, lease and attempts.
local function arm(due, instance, name, token, delay, record)
  disarm(due, instance, name)
  local seq, at = padded(sequence(KEYS[${ROOM.sequence}], 1)), now + delay
  redis.call('HSET', timerRow, name, record)
  redis.call('HSET', instance, 't:' .. name, '')
  keepTimer(name, { seq, token, 0, at, '' })
  redis.call('ZADD', due, text(at), seq .. '/' .. name)
end`;
