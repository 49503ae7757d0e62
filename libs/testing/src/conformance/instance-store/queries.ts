import type { InstanceFilter, InstanceState, InstanceStore } from '@nestjs-orchestrator/core/ports';
import { equal, holds } from '../checks.js';
import { repeated } from '../gates.js';
import { by, commit, delivery, entry, ref, SAGA, state, T0, TENANT } from './fixtures.js';
import { about } from './scene.js';

const LATER = T0 + 100_000;

/** Instances created a second apart, in this order. */
async function created(
  store: InstanceStore,
  ...given: readonly [id: string, fields?: Partial<InstanceState>][]
) {
  let now = T0;
  for (const [id, fields] of given) {
    await commit(store, entry(ref(id), 0, { next: state(fields) }), by('node-a', now));
    now += 1_000;
  }
}

function filter(fields: Partial<InstanceFilter> = {}): InstanceFilter {
  return { tenant: TENANT, saga: SAGA, ...fields };
}

async function ids(store: InstanceStore, fields: Partial<InstanceFilter> = {}, now = LATER) {
  return (await store.query(filter(fields), { now })).items.map(({ id }) => id);
}

/** The ids of all pages. A last page may be empty. */
async function allPages(store: InstanceStore, fields: Partial<InstanceFilter>): Promise<readonly string[]> {
  const found: string[] = [];
  let cursor: string | undefined;
  return repeated('reading all pages', async () => {
    const asked = filter(cursor === undefined ? fields : { ...fields, cursor });
    const { items, next } = await store.query(asked, { now: LATER });
    holds(items.length <= (fields.limit ?? 50), 'no page is larger than its limit');
    found.push(...items.map(({ id }) => id));
    cursor = next ?? undefined;
    return next === null ? found : undefined;
  });
}

export const queries = about('queries', {
  'list the newest first, or the oldest': async ({ store }) => {
    await created(store, ['m'], ['z'], ['a']);
    equal(await ids(store), ['a', 'z', 'm'], 'by default');
    equal(await ids(store, { order: 'newest' }), ['a', 'z', 'm'], 'newest first');
    equal(await ids(store, { order: 'oldest' }), ['m', 'z', 'a'], 'oldest first');
  },

  'order by creation, not by change': async ({ store }) => {
    await created(store, ['first'], ['second']);
    await commit(store, entry(ref('first'), 1), by('node-a', T0 + 50_000));
    equal(await ids(store), ['second', 'first'], 'newest first');
  },

  'give whole instances': async ({ store }) => {
    const next = state({ state: 'a.b', data: '{"x": 1}' });
    await commit(store, entry(ref(), 0, { next, deliveries: { add: [delivery()], done: [] } }));
    const { items, next: cursor } = await store.query(filter(), { now: LATER });
    const dates = { createdAt: T0, updatedAt: T0, endedAt: null };
    equal(items, [{ ...ref(), ...next, version: 1, openDeliveries: 1, ...dates }], 'the items');
    equal(cursor, null, 'the cursor behind the only page');
    const none = await store.query(filter({ saga: 'none' }), { now: LATER });
    equal(none, { items: [], next: null }, 'the page of a saga without instances');
  },

  'pick states, statuses, and both': async ({ store }) => {
    await created(
      store,
      ['a', { state: 'paying', status: 'running' }],
      ['b', { state: 'paying', status: 'held' }],
      ['c', { state: 'shipping', status: 'running' }],
      ['d', { state: 'failed', status: 'compensated', ended: true }],
    );
    const order = 'oldest';
    equal(await ids(store, { order, states: ['paying'] }), ['a', 'b'], 'one state');
    equal(await ids(store, { order, states: ['shipping', 'failed', 'none'] }), ['c', 'd'], 'several states');
    equal(await ids(store, { order, statuses: ['held', 'compensated'] }), ['b', 'd'], 'statuses');
    equal(
      await ids(store, { order, states: ['paying'], statuses: ['running'] }),
      ['a'],
      'a state and a status',
    );
  },

  'find what is idle and has not ended': async ({ store }) => {
    await created(store, ['old'], ['touched'], ['ended', { ended: true }], ['young']);
    await commit(store, entry(ref('touched'), 1), by('node-a', T0 + 60_000));
    equal(await ids(store, { idleMs: 60_000 }, T0 + 60_500), ['old'], 'idle for a minute');
    equal(await ids(store, { idleMs: 60_000 }, T0 + 63_000), ['young', 'old'], 'idle for a minute, later');
    equal(await ids(store, { idleMs: 60_000, states: ['none'] }, T0 + 63_000), [], 'idle in another state');
  },

  'give 50 at most where nothing is said': async ({ store }) => {
    const batch = Array.from({ length: 60 }, (_, n) => entry(ref(`i-${n}`), 0));
    await store.commit(batch, by());
    const { items, next } = await store.query(filter(), { now: LATER });
    equal(items.length, 50, 'how many');
    holds(next !== null, 'there is a next page');
  },

  'page through everything once, in both orders': async ({ store }) => {
    const given = Array.from({ length: 11 }, (_, n) => `i-${(n * 4) % 11}`);
    await created(store, ...given.map((id) => [id] as [string]));
    equal(await allPages(store, { order: 'oldest', limit: 4 }), given, 'oldest first');
    equal(await allPages(store, { order: 'newest', limit: 4 }), given.toReversed(), 'newest first');
    equal(await allPages(store, { limit: 11 }), given.toReversed(), 'a page as large as the whole');
  },

  'page through instances of one instant once': async ({ store }) => {
    const given = Array.from({ length: 23 }, (_, n) => `i-${String(n).padStart(2, '0')}`);
    await store.commit(
      given.map((id) => entry(ref(id), 0)),
      by(),
    );
    for (const order of ['oldest', 'newest'] as const) {
      equal((await allPages(store, { order, limit: 5 })).toSorted(), given, `all ids, ${order} first`);
    }
  },

  'page on where they were, whatever is created meanwhile': async ({ store }) => {
    await created(store, ['a'], ['b'], ['c'], ['d']);
    const first = await store.query(filter({ limit: 2 }), { now: LATER });
    await commit(store, entry(ref('e'), 0), by('node-a', T0 + 9_000));
    equal(
      first.items.map(({ id }) => id),
      ['d', 'c'],
      'the first page',
    );
    const cursor = first.next;
    holds(cursor !== null, 'there is a second page');
    equal(await ids(store, { limit: 2, cursor }), ['b', 'a'], 'the second page');
  },

  'page on where they were, whatever changes meanwhile': async ({ store }) => {
    const given = ['a', 'b', 'c', 'd'];
    await store.commit(
      given.map((id) => entry(ref(id), 0)),
      by(),
    );
    const first = await store.query(filter({ limit: 2 }), { now: LATER });
    for (const id of given) await commit(store, entry(ref(id), 1), by('node-a', T0 + 9_000));
    const cursor = first.next;
    holds(cursor !== null, 'there is a second page');
    const all = [...first.items.map(({ id }) => id), ...(await ids(store, { limit: 2, cursor }))];
    equal(all.toSorted(), given, 'the ids of both pages');
  },

  'keep filters on every page': async ({ store }) => {
    const given = Array.from(
      { length: 12 },
      (_, n) => [`i-${n}`, { state: n % 2 ? 'odd' : 'even' }] as const,
    );
    await created(store, ...given.map(([id, fields]) => [id, fields] as [string, Partial<InstanceState>]));
    const odd = await allPages(store, { states: ['odd'], limit: 2, order: 'oldest' });
    equal(odd, ['i-1', 'i-3', 'i-5', 'i-7', 'i-9', 'i-11'], 'the odd ones');
  },
});
