import { preludeLua } from '../connection/prelude.lua.js';
import { script } from '../connection/script.js';

/**
 * Instance and message, as they are at one moment. A key leads to its instance only if the caller knew which one: `{1, id}` tells him.
 * `{0, waits, tombstones}`: no instance. `{2, …}`: the instance, the message's inbox row, whether it waits, tombstones of an ended one.
 */
const loadLua = `
local field, id, message, name, mailbox, keyMailbox, stone = take(), take(), take(), take(), take(), take(), take()
local function waits(box) return redis.call('HEXISTS', KEYS[5], box .. '/' .. name) end
local function tombstones()
  local packed = stone ~= '' and redis.call('HGET', KEYS[6], stone)
  return packed and cmsgpack.unpack(packed) or {}
end
if field ~= '' then
  local holder = redis.call('HGET', KEYS[1], field)
  -- Without a holder, or with one that an open transaction is about to write.
  if not holder or string.sub(holder, 1, 1) ~= '=' then return { 0, waits(keyMailbox), tombstones() } end
  if holder ~= '=' .. id then return { 1, string.sub(holder, 2) } end
end
local row = redis.call('HMGET', KEYS[2], 'version', 'created', 'updated', 'ended', 'body')
if not row[1] then return { 0, 0, {} } end
local open = redis.call('ZLEXCOUNT', KEYS[4], '[' .. mailbox .. '/', '(' .. mailbox .. '0')
local gone = row[4] ~= '' and tombstones() or {}
return { 2, row[1], row[2], row[3], row[4], row[5], open, redis.call('HGET', KEYS[3], message), waits(mailbox), gone }`;

export const loadScript = script(preludeLua, loadLua);
