/**
 * Begins every script: reads the arguments one after the other, and the instant of the call. Numbers of the store go through texts,
 * since an answer in numbers loses its fractions and `tostring` its digits.
 */
export const preludeLua = `
local argument = 0
local function take() argument = argument + 1; return ARGV[argument] end
local function takeNumber() return tonumber(take()) end
local function takeKey() return KEYS[tonumber(take())] end
local function text(number) return string.format('%.17g', number) end
local clock
-- By the server's own clock, whatever the instant of the call: for what ends with a process.
local function serverTime()
  if not clock then
    local time = redis.call('TIME')
    clock = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
  end
  return clock
end
local function takeInstant()
  local given = take()
  if given ~= '' then return tonumber(given) end
  return serverTime()
end
-- A script that fails is not rolled back: what is about to be written must be of the right type.
local function mustBe(kind, ...)
  for _, key in ipairs({...}) do
    local found = redis.call('TYPE', key).ok
    if found ~= 'none' and found ~= kind then
      error('the key ' .. key .. ' holds a ' .. found .. ' that is not of this store, which keeps a ' .. kind .. ' there', 0)
    end
  end
end
local function sequence(key, many) return redis.call('INCRBY', key, many) - many end
local function padded(number) return string.format('%016.0f', number) end
local now = takeInstant()`;
