import type { InstanceFilter, InstancePage } from '../ports/index.js';
import type { InstanceRow } from './instances.js';

const DEFAULT_LIMIT = 50;
const MOST = 1_000;

type Place = Pick<InstanceRow, 'createdAt' | 'order'>;

/** A page of rows, before their open deliveries are counted. */
export interface RowPage extends Omit<InstancePage, 'items'> {
  readonly rows: readonly InstanceRow[];
}

/** Rows that a filter asks for, by creation. */
export function page(rows: Iterable<InstanceRow>, filter: InstanceFilter, now: number): RowPage {
  const direction = filter.order === 'oldest' ? 1 : -1;
  const after = filter.cursor === undefined ? null : placeOf(filter.cursor);
  const limit = Math.min(filter.limit ?? DEFAULT_LIMIT, MOST);
  const rest = [...rows]
    .filter((row) => matches(row, filter, now))
    .filter((row) => after === null || direction * compare(row, after) > 0)
    .sort((a, b) => direction * compare(a, b));
  const found = rest.slice(0, limit);
  const last = found.at(-1);
  return { rows: found, next: rest.length > limit && last ? cursorOf(last) : null };
}

function matches(row: InstanceRow, filter: InstanceFilter, now: number): boolean {
  return row.tenant === filter.tenant && row.saga === filter.saga && stands(row, filter, now);
}

function stands(row: InstanceRow, { states, statuses, idleMs, ended }: InstanceFilter, now: number): boolean {
  return (
    (states?.includes(row.state) ?? true) &&
    (statuses?.includes(row.status) ?? true) &&
    (idleMs === undefined || isIdle(row, idleMs, now)) &&
    (ended === undefined || ended === (row.endedAt !== null))
  );
}

function isIdle(row: InstanceRow, idleMs: number, now: number): boolean {
  return row.endedAt === null && row.updatedAt <= now - idleMs;
}

function compare(a: Place, b: Place): number {
  return a.createdAt - b.createdAt || a.order - b.order;
}

function cursorOf(row: Place): string {
  return `${row.createdAt}/${row.order}`;
}

function placeOf(cursor: string): Place {
  const [createdAt, order] = cursor.split('/').map(Number);
  if (createdAt === undefined || order === undefined || Number.isNaN(createdAt + order)) {
    throw new RangeError(`The cursor "${cursor}" is not the \`next\` of a page: query again without it.`);
  }
  return { createdAt, order };
}
