import type { InstanceRef, KeyRecord, WorkKey } from '../ports/index.js';

/** Tenant and saga, the room within which ids and keys are unique. */
export interface Room {
  readonly tenant: string;
  readonly saga: string;
}

/** One text for several parts. JSON keeps the borders of the parts, so that ('a', 'bc') and ('ab', 'c') stay apart. */
function joined(...parts: readonly string[]): string {
  return JSON.stringify(parts);
}

/** Name of an instance; also of its mailbox. */
export function instanceName(ref: InstanceRef): string {
  return joined('instance', ref.tenant, ref.saga, ref.id);
}

/** Name of a correlation key; also of the mailbox of an instance that is yet to come. */
export function keyName(room: Room, key: KeyRecord): string {
  return joined('key', room.tenant, room.saga, key.name, key.value);
}

/** Name of a row of work. */
export function workName(key: WorkKey): string {
  return joined('work', key.tenant, key.destination, key.id);
}

/** Name of the queue in which a row of work stands. */
export function laneName(row: {
  readonly tenant: string;
  readonly destination: string;
  readonly lane: string;
}): string {
  return joined('lane', row.tenant, row.destination, row.lane);
}

/** Name of a timer. */
export function timerName(timer: InstanceRef & { readonly name: string }): string {
  return joined('timer', timer.tenant, timer.saga, timer.id, timer.name);
}
