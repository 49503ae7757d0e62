import type { AtInstant, ParkRequest, ParkResult } from '@nestjs-orchestrator/core/ports';
import { COMMITTING } from '../commit/commit.lua.js';
import type { Connection } from '../connection/connection.js';
import { Parameters, script, type Call } from '../connection/script.js';
import { encode } from '../naming/encode.js';
import { FOR_COMMITS, keyBox, keyName, type Room } from '../naming/room.js';
import type { Rooms } from '../naming/rooms.js';
import { mustBeOf, pushRemovals } from '../outbox/work-parameters.js';
import { packDelivery } from './delivery-record.js';

/** Answers `{0, 0}` if the key has an instance, or is being claimed by an open transaction, else `{1, followed}`. */
const parkScript = script(
  ...COMMITTING,
  `
local p, consumed = takeParking(), takeRemovals()
if not isFree(redis.call('HGET', p.keys, p.field), '') then return { 0, 0 } end
checkDeliveries()
checkWork(consumed)
deliver(p.mailbox, p.message, p.record, p.ttl)
return { 1, removeAll(consumed) and 1 or 0 }`,
);

/** What became of the requests of one call. */
export interface Parked {
  readonly results: readonly ParkResult[];
  /** A removed row had another one behind it, which can be claimed now. */
  readonly claimable: boolean;
}

/** Parks messages, each alone; the key and its instance are looked at in the same script. */
export async function park(
  connection: Connection,
  rooms: Rooms,
  requests: readonly ParkRequest[],
  at: AtInstant,
): Promise<Parked> {
  const calls = requests.map((request) => parkCall(rooms.of(request.tenant), request, at));
  await rooms.register(requests.map(({ tenant }) => tenant));
  const answers = (await connection.runAll(calls)) as readonly (readonly [parked: 0 | 1, followed: 0 | 1])[];
  // All were tried before the first failure is told: whoever asks again finds the others parked already.
  const failure: unknown = answers.find((answer) => (answer as unknown) instanceof Error);
  if (failure instanceof Error) throw failure;
  return {
    results: answers.map(([parked]) => (parked === 1 ? 'parked' : 'present')),
    claimable: answers.some(([, followed]) => followed === 1),
  };
}

function parkCall(room: Room, request: ParkRequest, { now }: AtInstant): Call {
  mustBeOf(request.tenant, request.done);
  const parameters = new Parameters(...room.fixed.slice(0, FOR_COMMITS));
  parameters.push(now ?? '');
  pushParking(parameters, room, request);
  pushRemovals(parameters, room, request.done);
  return { script: parkScript, keys: parameters.keys, args: parameters.args };
}

/** A message to be parked, as `takeParking` of the scripts reads it. */
export function pushParking(to: Parameters, room: Room, { saga, key, delivery }: ParkRequest): void {
  to.pushKey(room.keys(saga)).push(keyName(key), keyBox(saga, key), encode(delivery.messageId));
  to.push(packDelivery(saga, delivery), delivery.ttlMs);
}
