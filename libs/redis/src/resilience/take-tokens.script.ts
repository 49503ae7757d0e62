/**
 * Takes tokens of several buckets in one step: the generic cell rate algorithm as a continuous-state leaky bucket (ITU-T I.371). A bucket is what it lacks (`debt`,
 * in units) at an instant (`at`, in microseconds), three doubles with the generation of its limiter; a full one has no key. Integers below 2^53 only, so that nothing is
 * rounded.
 *
 * KEYS: generation of the limiter, then the buckets. ARGV: instant in microseconds or '', units per microsecond, capacity in units, microseconds in which
 * a bucket fills, milliseconds that keys outlive their debt; then for each request: index of its bucket, units, count. Answers granted and level of each.
 */
export const TAKE_TOKENS = `
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end
local rate, capacity, fill, outlive = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local generation = tonumber(redis.call('GET', KEYS[1]) or 0)
local debts, instants, changed, answers = {}, {}, {}, {}
for at = 6, #ARGV, 3 do
  local bucket, units, count = tonumber(ARGV[at]), tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2])
  local debt = debts[bucket]
  if not debt then
    local instant = now
    debt = 0
    local stored = redis.call('GET', KEYS[bucket + 1])
    if stored then
      local born, owed, since = struct.unpack('>ddd', stored)
      if born == generation then
        debt = owed
        local elapsed = now - since
        if elapsed >= fill then debt = 0
        elseif elapsed > 0 then debt = math.max(0, debt - elapsed * rate)
        elseif elapsed > -10000000 then instant = since end
      end
    end
    debts[bucket], instants[bucket] = debt, instant
  end
  local granted = 0
  if count > 0 and capacity - debt >= units then
    granted = math.min(count, math.floor((capacity - debt) / units))
    debt = debt + granted * units
    debts[bucket], changed[bucket] = debt, true
  end
  answers[#answers + 1] = granted
  answers[#answers + 1] = capacity - debt
end
for bucket in pairs(changed) do
  local life = math.ceil(debts[bucket] / rate / 1000) + outlive
  redis.call('SET', KEYS[bucket + 1], struct.pack('>ddd', generation, debts[bucket], instants[bucket]), 'PX', life)
end
return answers
`;
