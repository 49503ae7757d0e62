import { ROOM } from '../naming/room.js';

/**
 * Messages that wait, each in a mailbox: that of its instance, or that of a key without an instance. Members of `deliveryBox` are mailbox,
 * sequence number and message, so a mailbox is read in the order of arrival.
 */
export const deliveriesLua = `
local deliveryRow, deliveryMeta = KEYS[${ROOM.deliveryRow}], KEYS[${ROOM.deliveryMeta}]
local deliveryBox, deliveryDue = KEYS[${ROOM.deliveryBox}], KEYS[${ROOM.deliveryDue}]

local function checkDeliveries()
  mustBe('hash', deliveryRow, deliveryMeta)
  mustBe('zset', deliveryBox, deliveryDue)
  mustBe('string', KEYS[${ROOM.sequence}])
end
-- Messages of a mailbox with their sequence numbers, oldest first.
local function waitingIn(mailbox)
  local found = {}
  for n, member in ipairs(redis.call('ZRANGEBYLEX', deliveryBox, '[' .. mailbox .. '/', '(' .. mailbox .. '0')) do
    local rest = string.sub(member, #mailbox + 2)
    found[n] = { seq = string.sub(rest, 1, 16), message = string.sub(rest, 18), mailbox = mailbox }
  end
  return found
end
local function put(mailbox, message, seq, record, expires)
  local name = mailbox .. '/' .. message
  redis.call('HSET', deliveryRow, name, record)
  redis.call('HSET', deliveryMeta, name, seq)
  redis.call('ZADD', deliveryBox, 0, mailbox .. '/' .. seq .. '/' .. message)
  redis.call('ZADD', deliveryDue, expires, name)
end
local function remove(mailbox, message)
  local name = mailbox .. '/' .. message
  local seq = redis.call('HGET', deliveryMeta, name)
  if not seq then return end
  redis.call('HDEL', deliveryMeta, name)
  redis.call('HDEL', deliveryRow, name)
  redis.call('ZREM', deliveryBox, mailbox .. '/' .. seq .. '/' .. message)
  redis.call('ZREM', deliveryDue, name)
end
-- A message that waits already waits on, as it is.
local function deliver(mailbox, message, record, ttl)
  if redis.call('HEXISTS', deliveryMeta, mailbox .. '/' .. message) == 1 then return end
  put(mailbox, message, padded(sequence(KEYS[${ROOM.sequence}], 1)), record, text(now + ttl))
end
-- Pours mailboxes of keys into that of the instance; whether anything was in them.
local function adopt(mailbox, others)
  local found = {}
  for _, other in ipairs(others) do
    for _, each in ipairs(waitingIn(other)) do found[#found + 1] = each end
  end
  table.sort(found, function(a, b) return a.seq < b.seq end)
  for _, each in ipairs(found) do
    local name = each.mailbox .. '/' .. each.message
    local record = redis.call('HGET', deliveryRow, name)
    local expires = redis.call('ZSCORE', deliveryDue, name)
    remove(each.mailbox, each.message)
    if redis.call('HEXISTS', deliveryMeta, mailbox .. '/' .. each.message) == 0 then
      put(mailbox, each.message, each.seq, record, expires)
    end
  end
  return #found > 0
end
local function takeParking()
  return { keys = takeKey(), field = take(), mailbox = take(), message = take(), record = take(), ttl = takeNumber() }
end`;
