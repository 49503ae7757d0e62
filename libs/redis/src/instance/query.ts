import type {
  AtInstant,
  InstanceFilter,
  InstancePage,
  StoredInstance,
} from '@nestjs-orchestrator/core/ports';
import type { Connection } from '../connection/connection.js';
import { encode } from '../naming/encode.js';
import { keyName, type Room } from '../naming/room.js';
import type { Rooms } from '../naming/rooms.js';
import type { Loads } from './load.js';

const DEFAULT_LIMIT = 50;
const MOST = 1_000;
const CURSOR = /^\d{16}\/\d{16}$/;

/** An instance as a list names it: place in the order of creation, id. */
interface Listed {
  readonly place: string;
  readonly id: string;
}

/** An instance that was listed, with its place. */
interface Found {
  readonly place: string;
  readonly instance: StoredInstance;
}

/**
 * Instances by creation. A sorted set has them once for each question: all, those that have not ended, by state, by status. The narrowest list
 * that holds the answer is read page by page; what else was asked is looked at in the instances themselves.
 */
export async function query(
  connection: Connection,
  rooms: Rooms,
  loads: Loads,
  filter: InstanceFilter,
  { now }: AtInstant,
): Promise<InstancePage> {
  const room = rooms.of(filter.tenant);
  const limit = Math.min(filter.limit ?? DEFAULT_LIMIT, MOST);
  const instant = now ?? (filter.idleMs === undefined ? 0 : await serverTime(connection));
  const found: Found[] = [];
  let after = cursorOf(filter);
  for (;;) {
    const wanted = limit + 1 - found.length;
    const page = await listed(connection, room, filter, after, wanted);
    const loaded = await load(loads, filter, page);
    found.push(...loaded.filter(({ instance }) => matches(instance, filter, instant)));
    if (page.length < wanted || found.length > limit) break;
    after = page.at(-1)?.place ?? after;
  }
  return pageOf(found, limit);
}

function pageOf(found: readonly Found[], limit: number): InstancePage {
  const shown = found.slice(0, limit);
  const items = shown.map(({ instance }) => instance);
  return { items, next: found.length > limit ? (shown.at(-1)?.place ?? null) : null };
}

function cursorOf({ cursor }: InstanceFilter): string | null {
  if (cursor === undefined) return null;
  if (CURSOR.test(cursor)) return cursor;
  throw new RangeError(`The cursor "${cursor}" is not the \`next\` of a page: query again without it.`);
}

/** The narrowest lists that hold the answer. */
function listsOf({ key, states, statuses, idleMs, ended }: InstanceFilter): readonly string[] {
  if (key !== undefined) return [`g/${keyName(key)}/`];
  if (states !== undefined) return [...new Set(states)].map((state) => `s/${encode(state)}/`);
  if (idleMs !== undefined || ended === false) return ['o/'];
  if (statuses !== undefined) return [...new Set(statuses)].map((status) => `t/${encode(status)}/`);
  return ['a/'];
}

/** The next `count` instances after a place, of all lists together. */
async function listed(
  connection: Connection,
  room: Room,
  filter: InstanceFilter,
  after: string | null,
  count: number,
): Promise<readonly Listed[]> {
  const key = room.index(filter.saga);
  const oldest = filter.order === 'oldest';
  const pages = await Promise.all(
    listsOf(filter).map(async (list) => {
      const [from, to] = bounds(list, after, oldest);
      const members = await connection.command((client) =>
        oldest
          ? client.zrangebylex(key, from, to, 'LIMIT', 0, count)
          : client.zrevrangebylex(key, to, from, 'LIMIT', 0, count),
      );
      return members.map((member) => {
        const rest = member.slice(list.length);
        return { place: rest.slice(0, 33), id: decodeURIComponent(rest.slice(34)) };
      });
    }),
  );
  const direction = oldest ? 1 : -1;
  const sorted = pages.flat().toSorted((a, b) => (a.place < b.place ? -direction : direction));
  return sorted.slice(0, count);
}

/** Least and greatest member of a list behind a place, as ZRANGEBYLEX wants them. `0` follows `/`. */
function bounds(list: string, after: string | null, oldest: boolean): readonly [from: string, to: string] {
  const from = `[${list}`;
  const to = `(${list.slice(0, -1)}0`;
  if (after === null) return [from, to];
  return oldest ? [`(${list}${after}0`, to] : [from, `(${list}${after}/`];
}

async function load(
  loads: Loads,
  { tenant, saga }: InstanceFilter,
  page: readonly Listed[],
): Promise<readonly Found[]> {
  const requests = page.map(({ id }) => ({ tenant, saga, by: { id }, messageId: '' }));
  const results = await loads.load(requests);
  return page.flatMap(({ place }, at) => {
    const instance = results[at]?.instance ?? null;
    return instance === null ? [] : [{ place, instance }];
  });
}

function matches(instance: StoredInstance, filter: InstanceFilter, now: number): boolean {
  return (
    (filter.states?.includes(instance.state) ?? true) &&
    (filter.statuses?.includes(instance.status) ?? true) &&
    (filter.ended === undefined || filter.ended === (instance.endedAt !== null)) &&
    (filter.idleMs === undefined || isIdle(instance, filter.idleMs, now))
  );
}

function isIdle(instance: StoredInstance, idleMs: number, now: number): boolean {
  return instance.endedAt === null && instance.updatedAt <= now - idleMs;
}

async function serverTime(connection: Connection): Promise<number> {
  const [seconds, micros] = await connection.command((client) => client.time());
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
}
