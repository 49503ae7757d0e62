import type { AtInstant, InstanceFilter, InstancePage } from '@nestjs-orchestrator/core/ports';
import type { Database } from '../database/database.js';
import { storedInstance, type InstanceRow } from './instance-row.js';
import { querySqls } from './query.sql.js';

const DEFAULT_LIMIT = 50;
const MOST = 1_000;

interface Row extends InstanceRow {
  readonly seq: string;
}

/** A page of instances, by creation. */
export async function query(
  database: Database,
  filter: InstanceFilter,
  at: AtInstant,
): Promise<InstancePage> {
  const order = filter.order ?? 'newest';
  const index = indexFor(filter);
  const statement = database.statement(`query_${order}_${index}`, querySqls[order][index]);
  const limit = Math.min(filter.limit ?? DEFAULT_LIMIT, MOST);
  // One more than asked for tells whether there is a next page.
  const { rows } = await database.run<Row>(statement, parameters(filter, at, limit + 1));
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map(storedInstance),
    next: rows.length > limit && last ? `${last.createdAt}/${last.seq}` : null,
  };
}

function indexFor({ key, idleMs }: InstanceFilter): 'all' | 'idle' | 'group' {
  if (key !== undefined) return 'group';
  return idleMs === undefined ? 'all' : 'idle';
}

/** In the order of the statement; a key's are only in that of a group. */
function parameters(filter: InstanceFilter, at: AtInstant, limit: number): unknown[] {
  const { tenant, saga, states = null, statuses = null, idleMs = null, ended = null, key } = filter;
  const group = key === undefined ? [] : [key.name, key.value];
  return [at.now, tenant, saga, states, statuses, idleMs, ...placeOf(filter.cursor), limit, ended, ...group];
}

/** The place behind which a page begins. */
function placeOf(cursor: string | undefined): readonly [createdAt: string | null, seq: string | null] {
  if (cursor === undefined) return [null, null];
  const [, createdAt, seq] = /^(-?\d{1,18})\/(\d{1,18})$/.exec(cursor) ?? [];
  if (createdAt !== undefined && seq !== undefined) return [createdAt, seq];
  throw new RangeError(`The cursor "${cursor}" is not the \`next\` of a page: query again without it.`);
}
