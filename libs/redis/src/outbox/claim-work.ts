import type { Claimed, ClaimedWork, ClaimRequest } from '@nestjs-orchestrator/core/ports';
import type { Connection } from '../connection/connection.js';
import { preludeLua } from '../connection/prelude.lua.js';
import { script } from '../connection/script.js';
import { FOR_WORK, type Room } from '../naming/room.js';
import type { Rooms } from '../naming/rooms.js';
import { claimFromRooms } from './claim-from-rooms.js';
import { dueLua } from './due.lua.js';
import { workRecord } from './work-parameters.js';
import { workLua } from './work.lua.js';

/** Leases work, oldest first. Answers the milliseconds to the next row, and of each its record, attempts, and whether it is suspect. */
const claimLua = `
local FIRST = ${FOR_WORK + 1}
local owner, lease, limit = take(), takeNumber(), takeNumber()
local picked = takeDue(FIRST, limit)
table.sort(picked, function(a, b) return a.member < b.member end)
local answer = { '' }
for _, each in ipairs(picked) do
  local name = string.sub(each.member, 18)
  local meta = workOf(name)
  -- Whoever had it before never said what became of it: it is counted when it begins.
  local suspect = meta[OWNER] ~= ''
  meta[AT], meta[OWNER] = now + lease, owner
  if not suspect then meta[ATTEMPTS] = meta[ATTEMPTS] + 1 end
  keepWork(name, meta)
  redis.call('ZADD', each.key, text(meta[AT]), each.member)
  answer[#answer + 1] = redis.call('HGET', workRow, name)
  answer[#answer + 1] = meta[ATTEMPTS]
  answer[#answer + 1] = suspect and 1 or 0
end
answer[1] = untilNext(FIRST)
return answer`;

const claimScript = script(preludeLua, workLua, dueLua, claimLua);

/** Leases due work for the destinations, from all tenants. */
export async function claimWork(
  connection: Connection,
  rooms: Rooms,
  request: ClaimRequest,
): Promise<Claimed<ClaimedWork>> {
  const { destinations, now, owner, leaseMs } = request;
  if (destinations.length === 0) return { items: [], nextDueMs: null };
  const wanted = [...new Set(destinations)];
  const callOf = (room: Room, limit: number) => ({
    script: claimScript,
    keys: [...room.fixed.slice(0, FOR_WORK), ...wanted.map((destination) => room.workDue(destination))],
    args: [now ?? '', owner, leaseMs, limit],
  });
  return claimFromRooms(connection, await rooms.all(), request.limit, callOf, (room, row) => ({
    ...workRecord(room.tenant, row.record),
    attempts: row.attempts,
    suspect: row.suspect,
  }));
}
