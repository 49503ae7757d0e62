/**
 * Begins every script on the state of a breaker: a hash with the number of its round, its kind, the end of its break or round in microseconds, which opening in a row
 * it is, and probes admitted and succeeded. A new round has a higher number also if the hash was lost: it is at least the instant.
 *
 * KEYS: the hash, whose name is that of the channel as well. ARGV: instant in microseconds or ''.
 */
const STATE = `
local key, now = KEYS[1], tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local stored = redis.call('HMGET', key, 'epoch', 'kind', 'until', 'openings', 'admitted', 'succeeded')
local epoch, kind, till = tonumber(stored[1] or 0), stored[2] or 'closed', tonumber(stored[3] or 0)
local openings, admitted, succeeded = tonumber(stored[4] or 0), tonumber(stored[5] or 0), tonumber(stored[6] or 0)
local function view()
  return { epoch, kind, math.max(0, till - now), openings }
end
local function tell()
  redis.call('PUBLISH', key, string.format('%.0f %s %.0f %d', epoch, kind, math.max(0, till - now), openings))
end
local function enter(to, lasts, nth)
  epoch, kind, till, openings, admitted, succeeded = math.max(epoch + 1, now), to, now + lasts, nth, 0, 0
  redis.call('HSET', key, 'epoch', epoch, 'kind', kind, 'until', till, 'openings', openings, 'admitted', 0, 'succeeded', 0)
  if kind == 'isolated' then redis.call('PERSIST', key)
  else redis.call('PEXPIRE', key, math.ceil(lasts / 1000) + 604800000) end
  tell()
end
`;

/** Answers the state. */
export const READ_CIRCUIT = `${STATE}
return view()
`;

/** ARGV: the round in which to enter the state, or '' for any; its kind, length of a break in microseconds, opening in a row. */
export const CHANGE_CIRCUIT = `${STATE}
if ARGV[2] == '' or tonumber(ARGV[2]) == epoch then enter(ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])) end
return view()
`;

/** ARGV: probes of a round, and its length in microseconds. Answers 1 before the state if a probe is admitted. */
export const ADMIT_PROBE = `${STATE}
local probes, lasts = tonumber(ARGV[2]), tonumber(ARGV[3])
if now >= till and (kind == 'open' or (kind == 'half-open' and admitted >= probes)) then
  enter('half-open', lasts, openings)
end
if kind == 'half-open' and admitted < probes then
  redis.call('HINCRBY', key, 'admitted', 1)
  return { 1, unpack(view()) }
end
return { 0, unpack(view()) }
`;

/** ARGV: the round of the probe, 'succeeded' or 'cancelled', and how many successes close the breaker. */
export const SETTLE_PROBE = `${STATE}
if kind == 'half-open' and tonumber(ARGV[2]) == epoch then
  if ARGV[3] == 'cancelled' then
    redis.call('HINCRBY', key, 'admitted', -1)
    tell()
  elseif redis.call('HINCRBY', key, 'succeeded', 1) >= tonumber(ARGV[4]) then
    enter('closed', 0, 0)
  end
end
return view()
`;
