/** What is due in several sorted sets (all keys from `first` on), as if they were one; and how long it is until the next. */
export const dueLua = `
local function takeDue(first, limit)
  local found = {}
  if limit <= 0 then return found end
  for n = first, #KEYS do
    local page = redis.call('ZRANGEBYSCORE', KEYS[n], '-inf', text(now), 'WITHSCORES', 'LIMIT', 0, limit)
    for m = 1, #page, 2 do found[#found + 1] = { member = page[m], at = tonumber(page[m + 1]), key = KEYS[n] } end
  end
  table.sort(found, function(a, b)
    if a.at ~= b.at then return a.at < b.at end
    return a.member < b.member
  end)
  for n = #found, limit + 1, -1 do found[n] = nil end
  return found
end
local function untilNext(first)
  local least
  for n = first, #KEYS do
    local at = tonumber(redis.call('ZRANGE', KEYS[n], 0, 0, 'WITHSCORES')[2])
    if at and (not least or at < least) then least = at end
  end
  return least and text(least - now) or ''
end`;
