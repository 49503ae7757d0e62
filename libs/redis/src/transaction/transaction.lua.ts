import { COMMITTING } from '../commit/commit.lua.js';
import { preludeLua } from '../connection/prelude.lua.js';
import { script } from '../connection/script.js';
import { ROOM } from '../naming/room.js';
import { workLua } from '../outbox/work.lua.js';

/** Marks of consumed messages, and who is about to make one. `!` at the end makes him tell when he has ended. */
const decisionsLua = `
local consumedBy, consumedAt = KEYS[${ROOM.consumed}], KEYS[${ROOM.consumedAt}]
local function isOf(token, value) return value and string.sub(value, 1, #token) == token end
local function isAwaited(value) return string.sub(value, -1) == '!' end
local function await(deciding, holder)
  if not isAwaited(holder) then redis.call('SET', deciding, holder .. '!', 'KEEPTTL') end
  return redis.call('PTTL', deciding)
end
local function consume(name, token, outcome)
  redis.call('HSET', consumedBy, name, token .. ' ' .. outcome)
  redis.call('ZADD', consumedAt, text(now), name)
end
local function checkDecisions()
  mustBe('hash', consumedBy)
  mustBe('zset', consumedAt)
end`;

/** Asks to decide about a message. 0: it was decided. 1: the caller may. 2: another transaction is about to, for so many milliseconds at most. */
export const decideScript = script(
  preludeLua,
  decisionsLua,
  `
local name, deciding, token, patience = take(), takeKey(), take(), take()
if redis.call('HEXISTS', consumedBy, name) == 1 then return { 0, 0 } end
if redis.call('SET', deciding, token, 'NX', 'PX', patience) then return { 1, 0 } end
local holder = redis.call('GET', deciding)
if isOf(token, holder) then return { 1, 0 } end
return { 2, await(deciding, holder) }`,
);

/** A participant without a transaction. 0: repeated. 1: finished, and whether leased. 2: a transaction is about to decide. Then whether others may find work. */
export const finishScript = script(
  preludeLua,
  workLua,
  decisionsLua,
  `
local owner, lease, name, deciding, outcome = take(), takeNumber(), take(), takeKey(), take()
local removals, work = takeRemovals(), takeWork()
local repeated = redis.call('HEXISTS', consumedBy, name) == 1
local holder = not repeated and redis.call('GET', deciding)
if holder then return { 2, await(deciding, holder), 0 } end
checkWork(removals, work)
checkDecisions()
local followed = removeAll(removals)
if repeated then return { 0, 0, followed and 1 or 0 } end
consume(name, '-', outcome)
local leased, added = writeWork(work, owner, lease)
local delayed = false
for _, row in ipairs(work) do delayed = delayed or row.delay > 0 end
return { 1, leased and 1 or 0, (followed or (added > 0 and (delayed or not leased))) and 1 or 0 }`,
);

/** What an open transaction holds: messages that it is about to decide, instances and keys that it is about to write. */
const holdingsLua = `
local function eachHolding(of)
  for n = 1, takeNumber() do of.deciding(takeKey()) end
  for n = 1, takeNumber() do of.instance(takeKey()) end
  for n = 1, takeNumber() do of.key(takeKey(), take()) end
end`;

/** Goes on holding. */
export const renewScript = script(
  ...COMMITTING,
  decisionsLua,
  holdingsLua,
  `
local token, patience = take(), takeNumber()
local mark = token .. ' ' .. text(serverTime() + patience)
eachHolding({
  deciding = function(key)
    if isOf(token, redis.call('GET', key)) then redis.call('PEXPIRE', key, patience) end
  end,
  instance = function(key)
    if isOf(token, redis.call('HGET', key, 'tx')) then redis.call('HSET', key, 'tx', mark) end
  end,
  key = function(key, field)
    if isOf('!' .. token, redis.call('HGET', key, field)) then redis.call('HSET', key, field, '!' .. mark) end
  end,
})`,
);

/** Lets go. Answers whether somebody waits. */
export const forgetScript = script(
  ...COMMITTING,
  decisionsLua,
  holdingsLua,
  `
local token, awaited = take(), 0
eachHolding({
  deciding = function(key)
    local holder = redis.call('GET', key)
    if not isOf(token, holder) then return end
    if isAwaited(holder) then awaited = 1 end
    redis.call('DEL', key)
  end,
  instance = function(key)
    if isOf(token, redis.call('HGET', key, 'tx')) then redis.call('HDEL', key, 'tx') end
  end,
  key = function(key, field)
    if isOf('!' .. token, redis.call('HGET', key, field)) then redis.call('HDEL', key, field) end
  end,
})
return awaited`,
);

/** Whether a commit would win; from then on everybody else who wants the instance or its new keys loses, for a time. */
export const reserveScript = script(
  ...COMMITTING,
  `
local token, patience, chained = take(), takeNumber(), take() == '1'
local c = takeCommit()
if chained then
  if not mayClaim(c, token) then return 0 end
elseif not mayCommit(c, token) then
  return 0
end
local mark = token .. ' ' .. text(serverTime() + patience)
if redis.call('EXISTS', c.instance) == 1 then redis.call('HSET', c.instance, 'tx', mark) end
for _, claim in ipairs(c.claims) do
  local value = redis.call('HGET', c.keys, claim.field)
  if claim.superseded then
    redis.call('HSET', c.former, 'tx', mark)
  elseif not value or string.sub(value, 1, 1) == '!' then
    redis.call('HSET', c.keys, claim.field, '!' .. mark)
  end
end
return 1`,
);

/**
 * The whole of a transaction. 0: something was not its own any more, and nothing was written. Else 1, whether somebody waits, whether others may find
 * work. A transaction that comes twice, because the connection broke, is the same transaction.
 */
export const commitTransactionScript = script(
  ...COMMITTING,
  decisionsLua,
  `
local token, decisions, parkings, commits = take(), {}, {}, {}
for n = 1, takeNumber() do decisions[n] = { name = take(), deciding = takeKey(), outcome = take() } end
for n = 1, takeNumber() do parkings[n] = { takeParking(), takeRemovals() } end
for n = 1, takeNumber() do commits[n] = { chained = take() == '1', it = takeCommit() } end
local removals, work = takeRemovals(), takeWork()

local awaited = 0
for _, each in ipairs(decisions) do
  local before = redis.call('HGET', consumedBy, each.name)
  if before then
    if isOf(token, before) then return { 1, 1, 1 } end
    return { 0, 0, 0 }
  end
  local holder = redis.call('GET', each.deciding)
  if not isOf(token, holder) then return { 0, 0, 0 } end
  if isAwaited(holder) then awaited = 1 end
end
for _, each in ipairs(parkings) do
  if not isFree(redis.call('HGET', each[1].keys, each[1].field), token) then return { 0, 0, 0 } end
  checkWork(each[2])
end
for _, each in ipairs(commits) do
  if each.chained then
    if not mayClaim(each.it, token) then return { 0, 0, 0 } end
  elseif not mayCommit(each.it, token) then
    return { 0, 0, 0 }
  end
  checkCommit(each.it)
end
checkDecisions()
checkDeliveries()
checkWork(removals, work)

local claimable = false
for _, each in ipairs(decisions) do
  consume(each.name, token, each.outcome)
  redis.call('DEL', each.deciding)
end
for _, each in ipairs(parkings) do
  local p = each[1]
  deliver(p.mailbox, p.message, p.record, p.ttl)
  claimable = removeAll(each[2]) or claimable
end
for _, each in ipairs(commits) do
  local _, _, _, followed, added = writeCommit(each.it, '', nil)
  claimable = claimable or followed or added > 0
end
claimable = removeAll(removals) or claimable
local _, added = writeWork(work, '', nil)
return { 1, awaited, (claimable or added > 0) and 1 or 0 }`,
);
