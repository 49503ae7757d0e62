import { ROOM } from '../naming/room.js';

/**
 * What was given up: the record as it was, of which kind it is, why, after how many attempts, and when. Letters are named by instant and number, so that
 * their names grow. They stand in lists: `o` open ones, `s` settled ones, and both by destination.
 */
export const deadLettersLua = `
local deadRow, deadOrder, deadSettled = KEYS[${ROOM.deadRow}], KEYS[${ROOM.deadOrder}], KEYS[${ROOM.deadSettled}]
local KIND, RECORD, REASON, TRIED, GIVEN_UP, DETAIL, DESTINATION, SETTLED, SETTLED_AT = 1, 2, 3, 4, 5, 6, 7, 8, 9
local function checkDeadLetters()
  mustBe('hash', deadRow)
  mustBe('zset', deadOrder, deadSettled)
  mustBe('string', KEYS[${ROOM.sequence}])
end
local function letterOf(letter)
  local packed = redis.call('HGET', deadRow, letter)
  return packed and cmsgpack.unpack(packed)
end
local function listLetter(call, list, letter, destination)
  redis.call(call, deadOrder, unpack(call == 'ZADD' and { 0, list .. '/' .. letter } or { list .. '/' .. letter }))
  local own = list .. 'd/' .. destination .. '/' .. letter
  redis.call(call, deadOrder, unpack(call == 'ZADD' and { 0, own } or { own }))
end
local function giveUp(kind, destination, record, reason, attempts, detail)
  local letter = padded(now) .. '-' .. padded(sequence(KEYS[${ROOM.sequence}], 1))
  redis.call('HSET', deadRow, letter, cmsgpack.pack({ kind, record, reason, attempts, text(now), detail, destination, '', '' }))
  listLetter('ZADD', 'o', letter, destination)
end
-- The destination of messages for the instance whose mailbox this is, encoded.
local function sagaOf(mailbox) return 'saga%3A' .. string.match(mailbox, '^[^/]*/([^/]*)') end`;
