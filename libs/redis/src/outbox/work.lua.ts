import { ROOM } from '../naming/room.js';

/**
 * Rows of work. `row` holds what was written, `meta` the rest: sequence number, lane, instant from which it may be claimed, attempts, dead, owner.
 * Only the first row of a lane stands among those that can be claimed (`due`); when it goes, the next one takes its place. Members of sorted
 * sets begin with the sequence number, so that rows of one instant keep the order of writing.
 */
export const workLua = `
local workRow, workMeta = KEYS[${ROOM.workRow}], KEYS[${ROOM.workMeta}]
local SEQ, LANE, AT, ATTEMPTS, DEAD, OWNER = 1, 2, 3, 4, 5, 6

local function workOf(name)
  local packed = redis.call('HGET', workMeta, name)
  return packed and cmsgpack.unpack(packed)
end
local function keepWork(name, meta) redis.call('HSET', workMeta, name, cmsgpack.pack(meta)) end
local function firstOf(lanes, lane)
  return redis.call('ZRANGEBYLEX', lanes, '[' .. lane, '(' .. string.sub(lane, 1, -2) .. '0', 'LIMIT', 0, 1)[1]
end

-- Removes a row; whether another one stands in its lane.
local function removeWork(name, due, lanes)
  local meta = workOf(name)
  if not meta then return false end
  redis.call('HDEL', workMeta, name)
  redis.call('HDEL', workRow, name)
  redis.call('ZREM', due, meta[SEQ] .. '/' .. name)
  if meta[LANE] == '' then return false end
  redis.call('ZREM', lanes, meta[LANE] .. meta[SEQ] .. '/' .. name)
  local head = firstOf(lanes, meta[LANE])
  if not head then return false end
  local member = string.sub(head, #meta[LANE] + 1)
  local next = workOf(string.sub(member, 18))
  if next[DEAD] == 0 then redis.call('ZADD', due, text(next[AT]), member) end
  return true
end

local function takeRemovals()
  local rows = {}
  for n = 1, takeNumber() do rows[n] = { name = take(), due = takeKey(), lanes = takeKey() } end
  return rows
end
local function removeAll(rows)
  local followed = false
  for _, row in ipairs(rows) do followed = removeWork(row.name, row.due, row.lanes) or followed end
  return followed
end

local function takeWork()
  local rows = {}
  for n = 1, takeNumber() do
    rows[n] = { name = take(), due = takeKey(), lanes = takeKey(), lane = take(), delay = takeNumber(), record = take() }
  end
  return rows
end

-- Whether a row stands first in its lane (may be claimed), and whether it is free for the writer at once.
local EMPTY, OURS, HELD = 0, 1, 2
local function placeOf(row, lanes)
  if row.lane == '' then return true, true end
  local name = row.lanes .. ' ' .. row.lane
  local before = lanes[name] or (firstOf(row.lanes, row.lane) and HELD or EMPTY)
  lanes[name] = (before == HELD or row.delay > 0) and HELD or OURS
  return before == EMPTY, before ~= HELD
end

-- Writes what is new, leased to the writer if all of it may be dispatched now, else to nobody.
local function writeWork(rows, owner, lease)
  local fresh, names, lanes, leased = {}, {}, {}, lease ~= nil
  for _, row in ipairs(rows) do
    if names[row.name] or redis.call('HEXISTS', workMeta, row.name) == 1 then
      leased = false
    else
      names[row.name] = true
      fresh[#fresh + 1] = row
      local head, free = placeOf(row, lanes)
      row.head = head
      if row.delay <= 0 and not free then leased = false end
    end
  end
  if #fresh == 0 then return leased, 0 end
  local first = sequence(KEYS[${ROOM.sequence}], #fresh)
  for n, row in ipairs(fresh) do
    local lend = leased and row.delay <= 0
    local at = lend and now + lease or now + row.delay
    local seq = padded(first + n)
    redis.call('HSET', workRow, row.name, row.record)
    keepWork(row.name, { seq, row.lane, at, lend and 1 or 0, 0, lend and owner or '' })
    if row.lane ~= '' then redis.call('ZADD', row.lanes, 0, row.lane .. seq .. '/' .. row.name) end
    if row.head then redis.call('ZADD', row.due, text(at), seq .. '/' .. row.name) end
  end
  return leased, #fresh
end

-- Types of all that removing and writing may touch.
local function checkWork(...)
  mustBe('hash', workRow, workMeta)
  mustBe('string', KEYS[${ROOM.sequence}])
  local seen = {}
  for _, rows in ipairs({...}) do
    for _, row in ipairs(rows) do
      if not seen[row.due] then
        seen[row.due] = true
        mustBe('zset', row.due, row.lanes)
      end
    end
  end
end`;
