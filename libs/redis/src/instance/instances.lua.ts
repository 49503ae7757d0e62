import { ROOM } from '../naming/room.js';

/**
 * Instances, and the commits that change them. A key leads to \`=id\`, or to \`!token until\` while an open transaction is about to claim it;
 * an instance that such a transaction is about to change has \`token until\` in its field \`tx\`. These end by the server's clock, as they
 * are of a process; leases end by the instant of the call.
 */
export const instancesLua = `
local tombstoneRow, tombstoneAt = KEYS[${ROOM.tombstoneRow}], KEYS[${ROOM.tombstoneAt}]
local VERSION, CREATED, ENDED, ORDER, STATE, STATUS, LEASE, UNTIL, TX, START = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10
local function rowOf(instance)
  return redis.call('HMGET', instance, 'version', 'created', 'ended', 'order', 'state', 'status', 'lease', 'until', 'tx', 'start')
end

-- Whether an open transaction other than \`token\` holds it.
local function isHeld(mark, token)
  if not mark then return false end
  local holder, till = string.match(mark, '^(%S+) (%S+)$')
  return holder ~= token and tonumber(till) > serverTime()
end
-- Whether a key is free for a commit of \`token\`; else to which instance it leads, if to any.
local function isFree(value, token)
  if not value then return true end
  if string.sub(value, 1, 1) == '=' then return false, string.sub(value, 2) end
  return not isHeld(string.sub(value, 2), token)
end
local function admits(row, lease)
  local alive = row[UNTIL] and tonumber(row[UNTIL]) > now
  if lease == '' then return not alive end
  return alive and lease == '=' .. row[LEASE]
end

local function takeCommit()
  local c = { instance = takeKey(), inbox = takeKey(), history = takeKey(), keys = takeKey(), index = takeKey(), due = takeKey() }
  c.former, c.formerId, c.formerSuffix = takeKey(), take(), take()
  c.saga, c.id, c.suffix, c.mailbox = take(), take(), take(), take()
  c.expected, c.lease, c.unseen = takeNumber(), take(), take() == '1'
  c.body, c.state, c.status, c.ended = take(), take(), take(), take() == '1'
  c.claims, c.shares = {}, {}
  for n = 1, takeNumber() do c.claims[n] = { field = take(), mailbox = take() } end
  for n = 1, takeNumber() do c.shares[n] = take() end
  c.message, c.outcome = take(), take()
  c.before, c.lines, c.disarms, c.arms, c.done, c.adds = {}, {}, {}, {}, {}, {}
  for n = 1, takeNumber() do c.before[n] = { message = take(), outcome = take() } end
  for n = 1, takeNumber() do c.lines[n] = take() end
  for n = 1, takeNumber() do c.disarms[n] = take() end
  for n = 1, takeNumber() do c.arms[n] = { name = take(), token = take(), delay = takeNumber(), record = take() } end
  for n = 1, takeNumber() do c.done[n] = take() end
  for n = 1, takeNumber() do c.adds[n] = { message = take(), record = take(), ttl = takeNumber() } end
  c.consumed, c.work, c.wake = takeRemovals(), takeWork(), takeWork()
  c.noted = {}
  for n = 1, takeNumber() do c.noted[n] = { name = take(), deciding = takeKey(), marks = takeKey(), ages = takeKey(), outcome = take() } end
  return c
end

-- What was removed does not come back, and who hasn't looked must not pass a tombstone at all.
local function isBarred(c, field)
  if c.expected > 0 then return false end
  local packed = redis.call('HGET', tombstoneRow, c.saga .. '/' .. field)
  for _, stone in ipairs(packed and cmsgpack.unpack(packed) or {}) do
    if c.unseen or stone[1] == c.id then return true end
  end
  return false
end

-- Whether all keys of a commit are free, its own, or those of the ended instance that it supersedes.
local function mayClaim(c, token)
  for _, claim in ipairs(c.claims) do
    if isBarred(c, claim.field) then return false end
    local free, holder = isFree(redis.call('HGET', c.keys, claim.field), token)
    if not free and holder ~= c.id then
      if not holder or c.formerId == '' or holder ~= c.formerId then return false end
      local former = rowOf(c.former)
      if not former[ENDED] or former[ENDED] == '' or isHeld(former[TX], token) then return false end
      claim.superseded = true
    end
  end
  return true
end
local function mayCommit(c, token)
  local row = rowOf(c.instance)
  c.row = row
  if tonumber(row[VERSION] or '0') ~= c.expected then return false end
  if row[VERSION] and (isHeld(row[TX], token) or not admits(row, c.lease)) then return false end
  if c.unseen and c.outcome ~= '' and redis.call('HEXISTS', c.inbox, c.message) == 1 then return false end
  for _, each in ipairs(c.noted) do
    if redis.call('HEXISTS', each.marks, each.name) == 1 or redis.call('EXISTS', each.deciding) == 1 then return false end
  end
  for _, told in ipairs(c.before) do
    if c.unseen and redis.call('HEXISTS', c.inbox, told.message) == 1 then return false end
  end
  return mayClaim(c, token)
end
local function any(...)
  for _, list in ipairs({...}) do
    if #list > 0 then return true end
  end
  return false
end
-- Types of all that this commit may write.
local function checkCommit(c)
  mustBe('zset', c.index)
  mustBe('string', KEYS[${ROOM.sequence}])
  if c.outcome ~= '' or any(c.before) then mustBe('hash', c.inbox) end
  if c.ended or (c.row and c.row[ENDED] ~= '') then mustBe('zset', KEYS[${ROOM.ended}]) end
  if c.expected == 0 then mustBe('set', KEYS[${ROOM.sagas}]) end
  if c.formerId ~= '' then
    mustBe('hash', tombstoneRow)
    mustBe('zset', tombstoneAt)
  end
  if any(c.lines) then mustBe('list', c.history) end
  for _, each in ipairs(c.noted) do
    mustBe('hash', each.marks)
    mustBe('zset', each.ages)
  end
  if any(c.claims, c.done, c.adds) then checkDeliveries() end
  if any(c.arms, c.disarms) then checkTimers(c.due) end
  if any(c.consumed, c.work, c.wake) then checkWork(c.consumed, c.work, c.wake) end
end

-- Under a key of instances that are gone: who they were, which message created each, when they went.
local function bury(saga, field, id, suffix, start)
  local name = saga .. '/' .. field
  local packed, stones = redis.call('HGET', tombstoneRow, name), {}
  for _, stone in ipairs(packed and cmsgpack.unpack(packed) or {}) do
    if stone[1] ~= id then stones[#stones + 1] = stone end
  end
  stones[#stones + 1] = { id, start, text(now) }
  redis.call('HSET', tombstoneRow, name, cmsgpack.pack(stones))
  redis.call('ZADD', tombstoneAt, text(now), name .. '/' .. suffix)
end

-- The lists in which an instance is found: all, those that have not ended, by state, by status, by key of many.
local function relist(c, row, order, ended)
  local place = '/' .. order .. '/' .. c.suffix
  local add, drop = {}, {}
  local function list(kind)
    add[#add + 1] = 0
    add[#add + 1] = kind .. place
  end
  local wasOpen, isOpen = row[VERSION] and row[ENDED] == '', ended == ''
  if not row[VERSION] then list('a') end
  if isOpen and not wasOpen then list('o') end
  if wasOpen and not isOpen then drop[#drop + 1] = 'o' .. place end
  if row[STATE] ~= c.state then
    if row[STATE] then drop[#drop + 1] = 's/' .. row[STATE] .. place end
    list('s/' .. c.state)
  end
  if row[STATUS] ~= c.status then
    if row[STATUS] then drop[#drop + 1] = 't/' .. row[STATUS] .. place end
    list('t/' .. c.status)
  end
  for _, field in ipairs(c.shares) do
    redis.call('HSET', c.instance, 'g:' .. field, '')
    list('g/' .. field)
  end
  if #add > 0 then redis.call('ZADD', c.index, unpack(add)) end
  if #drop > 0 then redis.call('ZREM', c.index, unpack(drop)) end
end

local function writeInstance(c)
  local row = c.row or rowOf(c.instance)
  local version, instant = tonumber(row[VERSION] or '0') + 1, text(now)
  local ended = ''
  if c.ended then ended = (row[ENDED] and row[ENDED] ~= '') and row[ENDED] or instant end
  local order = row[ORDER] or padded(now) .. '/' .. padded(sequence(KEYS[${ROOM.sequence}], 1))
  if row[LEASE] or row[TX] then redis.call('HDEL', c.instance, 'lease', 'until', 'tx') end
  redis.call('HSET', c.instance, 'version', text(version), 'created', row[CREATED] or instant, 'updated', instant, 'ended', ended,
    'order', order, 'state', c.state, 'status', c.status, 'body', c.body)
  if not row[VERSION] then
    redis.call('SADD', KEYS[${ROOM.sagas}], c.saga)
    if c.outcome ~= '' then redis.call('HSET', c.instance, 'start', '=' .. c.message) end
  end
  relist(c, row, order, ended)
  local outdated = false
  for _, claim in ipairs(c.claims) do
    if claim.superseded then
      -- Whoever has read it before its key went must not take it up again.
      if not outdated then redis.call('HINCRBY', c.former, 'version', 1) end
      outdated = true
      bury(c.saga, claim.field, c.formerId, c.formerSuffix, rowOf(c.former)[START] or '')
      redis.call('HDEL', c.former, 'k:' .. claim.field, 'tx')
    end
    redis.call('HSET', c.keys, claim.field, '=' .. c.id)
    redis.call('HSET', c.instance, 'k:' .. claim.field, '')
  end
  for _, each in ipairs(c.noted) do
    redis.call('HSET', each.marks, each.name, '- ' .. each.outcome)
    redis.call('ZADD', each.ages, text(now), each.name)
  end
  for _, told in ipairs(c.before) do redis.call('HSET', c.inbox, told.message, told.outcome) end
  if c.outcome ~= '' then redis.call('HSET', c.inbox, c.message, c.outcome) end
  if ended ~= '' then
    redis.call('ZADD', KEYS[${ROOM.ended}], ended, c.saga .. '/' .. c.suffix)
  elseif row[ENDED] and row[ENDED] ~= '' then
    redis.call('ZREM', KEYS[${ROOM.ended}], c.saga .. '/' .. c.suffix)
  end
  for _, line in ipairs(c.lines) do redis.call('RPUSH', c.history, text(version) .. ' ' .. instant .. ' ' .. line) end
  return version
end

-- Everything of a commit that has won: nothing stops it half-way.
local function writeCommit(c, owner, lease)
  local version = writeInstance(c)
  for _, name in ipairs(c.disarms) do disarm(c.due, c.instance, name) end
  for _, timer in ipairs(c.arms) do arm(c.due, c.instance, timer.name, timer.token, timer.delay, timer.record) end
  local boxes = {}
  for n, claim in ipairs(c.claims) do boxes[n] = claim.mailbox end
  local parked = adopt(c.mailbox, boxes)
  for _, each in ipairs(c.done) do remove(c.mailbox, each) end
  for _, each in ipairs(c.adds) do deliver(c.mailbox, each.message, each.record, each.ttl) end
  -- Consumed rows go first: one of them may be what stands before the new rows in their lane.
  local followed = removeAll(c.consumed)
  local woken = parked and #c.wake > 0
  if woken then c.work[#c.work + 1] = c.wake[1] end
  local leased, added = writeWork(c.work, owner, lease)
  return version, leased, woken, followed, added
end`;
