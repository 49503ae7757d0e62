import type { WorkKey, WorkRecord } from '@nestjs-orchestrator/core/ports';
import type { Parameters } from '../connection/script.js';
import { laneName, workName, type Room } from '../naming/room.js';

/** Rows to be written, as `takeWork` of the scripts reads them. */
export function pushWork(to: Parameters, room: Room, work: readonly WorkRecord[]): void {
  to.pushAll(work, (row) => {
    const { destination, id, lane, payload, delayMs } = row;
    to.push(workName(row)).pushKey(room.workDue(destination)).pushKey(room.workLanes(destination));
    to.push(laneName(lane), delayMs, JSON.stringify([destination, id, lane, payload, delayMs]));
  });
}

/** Rows to be removed, as `takeRemovals` of the scripts reads them. */
export function pushRemovals(to: Parameters, room: Room, keys: readonly WorkKey[]): void {
  to.pushAll(keys, (key) => {
    to.push(workName(key)).pushKey(room.workDue(key.destination)).pushKey(room.workLanes(key.destination));
  });
}

/** Throws if a row is of another tenant: one script can write for one tenant only. */
export function mustBeOf(tenant: string, rows: readonly { readonly tenant: string }[]): void {
  const other = rows.find((row) => row.tenant !== tenant);
  if (other === undefined) return;
  throw new RangeError(
    `A commit of tenant '${tenant}' holds work of tenant '${other.tenant}': on Redis one commit is of one tenant; send it from a commit of that tenant.`,
  );
}

/** The record of a row as the scripts hand it back. */
export function workRecord(tenant: string, record: string): WorkRecord {
  const [destination, id, lane, payload, delayMs] = JSON.parse(record) as [
    string,
    string,
    string | null,
    string,
    number,
  ];
  return { tenant, destination, id, lane, payload, delayMs };
}
