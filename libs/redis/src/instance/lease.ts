import type { InstanceRef, KeyRecord, LeaseRequest, LeaseResult } from '@nestjs-orchestrator/core/ports';
import { COMMITTING } from '../commit/commit.lua.js';
import type { Connection } from '../connection/connection.js';
import { Parameters, script, type Script } from '../connection/script.js';
import { keyOf } from '../naming/encode.js';
import { FOR_COMMITS } from '../naming/room.js';
import type { Rooms } from '../naming/rooms.js';

/** 0: leased. 1: no such instance. 2: busy, for so many milliseconds. */
const leaseScript = script(
  ...COMMITTING,
  `
local instance, token, lease = takeKey(), take(), takeNumber()
local row = rowOf(instance)
if not row[VERSION] then return { 1, '0' } end
if isHeld(row[TX], '') then return { 2, '0' } end
local left = tonumber(row[UNTIL] or '-inf') - now
if left > 0 and row[LEASE] ~= token then return { 2, text(left) } end
redis.call('HSET', instance, 'lease', token, 'until', text(now + lease))
return { 0, '0' }`,
);

const unleaseScript = script(
  ...COMMITTING,
  `
local instance, token = takeKey(), take()
if rowOf(instance)[LEASE] == token then redis.call('HDEL', instance, 'lease', 'until') end`,
);

/** Gives one writer an instance for itself. */
export async function lease(
  connection: Connection,
  rooms: Rooms,
  { ref, token, leaseMs, now }: LeaseRequest,
): Promise<LeaseResult> {
  const answer = await run(connection, rooms, leaseScript, ref, now, [token, leaseMs]);
  const [outcome, retryMs] = answer as readonly [0 | 1 | 2, string];
  if (outcome === 2) return { outcome: 'busy', retryMs: Number(retryMs) };
  return { outcome: outcome === 0 ? 'leased' : 'absent' };
}

/** Ends a lease without a commit. */
export async function unlease(
  connection: Connection,
  rooms: Rooms,
  ref: InstanceRef,
  token: string,
): Promise<void> {
  await run(connection, rooms, unleaseScript, ref, 0, [token]);
}

/** The keys that lead to an instance, by name. */
export async function keysOf(
  connection: Connection,
  rooms: Rooms,
  { tenant, saga, id }: InstanceRef,
): Promise<readonly KeyRecord[]> {
  const key = rooms.of(tenant).instance(saga, id);
  const fields = await connection.command((client) => client.hkeys(key));
  return fields
    .filter((field) => field.startsWith('k:'))
    .toSorted()
    .map((field) => keyOf(field.slice(2)));
}

function run(
  connection: Connection,
  rooms: Rooms,
  leasing: Script,
  { tenant, saga, id }: InstanceRef,
  now: number | null,
  args: readonly (string | number)[],
): Promise<unknown> {
  const room = rooms.of(tenant);
  const parameters = new Parameters(...room.fixed.slice(0, FOR_COMMITS));
  parameters
    .push(now ?? '')
    .pushKey(room.instance(saga, id))
    .push(...args);
  return connection.run({ script: leasing, keys: parameters.keys, args: parameters.args });
}
