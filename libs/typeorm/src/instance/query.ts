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

function indexFor({ key, states, idleMs }: InstanceFilter): 'all' | 'state' | 'idle' | 'group' {
  if (key !== undefined) return 'group';
  if (states !== undefined) return 'state';
  return idleMs === undefined ? 'all' : 'idle';
}

/** In the order of the statement; a key's are only in that of a group. */
function parameters(filter: InstanceFilter, at: AtInstant, limit: number): unknown[] {
  const { tenant, saga, states = null, statuses = null, idleMs = null, ended = null, key } = filter;
  const group = key === undefined ? [] : [key.name, key.value];
  return [at.now, tenant, saga, states, statuses, idleMs, ...placeOf(filter), limit, ended, ...group];
}

/** Before all instances, and behind them: the condition is the same for each page, so that the index can always jump to its begin. */
const ENDS = { oldest: '-9223372036854775808', newest: '9223372036854775807' } as const;

/** The place behind which a page begins. */
function placeOf({ cursor, order = 'newest' }: InstanceFilter): readonly [createdAt: string, seq: string] {
  if (cursor === undefined) return [ENDS[order], ENDS[order]];
  const [, createdAt, seq] = /^(-?\d{1,18})\/(\d{1,18})$/.exec(cursor) ?? [];
  if (createdAt !== undefined && seq !== undefined) return [createdAt, seq];
  throw new RangeError(`The cursor "${cursor}" is not the \`next\` of a page: query again without it.`);
}
