import { equal, has } from '../checks.js';
import {
  asking,
  by,
  claimedIds,
  commit,
  entry,
  LEASE_MS,
  ref,
  T0,
  tryCommit,
  work,
  workKey,
} from './fixtures.js';
import { about } from './scene.js';

const LEASE_OVER = T0 + LEASE_MS;
const done = (...ids: string[]) => ids.map((id) => workKey(work(id)));

export const workBirth = about('new work', {
  'of a commit is leased to the writer; when the lease is over another node gets it, as suspect': async ({
    store,
  }) => {
    const result = await commit(
      store,
      entry(ref(), 0, { work: [work('w-1'), work('w-2', { lane: 'i-1' })] }),
    );
    equal(result.leased, true, 'leased');
    equal(await claimedIds(store, 'node-b', LEASE_OVER - 1), [], 'what another node gets during the lease');
    equal(await claimedIds(store, 'node-a', LEASE_OVER - 1), [], 'what the writer gets by claiming');
    const { items } = await store.claimWork(asking('node-b', LEASE_OVER));
    const attempts = items.map((row) => [row.id, row.attempts, row.suspect]);
    equal(
      attempts,
      [
        ['w-1', 1, true],
        ['w-2', 1, true],
      ],
      'rows and attempts after the lease',
    );
  },

  'of enqueue is leased to the writer as well': async ({ store }) => {
    equal(await store.enqueue([work('w-1')], by('node-a', T0, 5_000)), true, 'the answer');
    equal(await claimedIds(store, 'node-b', T0 + 4_999), [], 'what another node gets during the lease');
    const { items } = await store.claimWork(asking('node-b', T0 + 5_000));
    equal(
      items.map((row) => [row.attempts, row.suspect]),
      [[1, true]],
      'the attempts of the second node',
    );
  },

  'is handed out as it was written': async ({ store }) => {
    const written = work('w-1', { lane: 'lane-7', payload: '{"b": 1, "a": [2]}' });
    await store.enqueue([written], by());
    const { items } = await store.claimWork(asking('node-b', LEASE_OVER));
    const { delayMs: _, ...expected } = written;
    has(items[0] ?? {}, { ...expected, attempts: 1 }, 'the row');
  },

  'with a delay is leased to nobody, and may be claimed exactly when it is over': async ({ store }) => {
    const result = await commit(
      store,
      entry(ref(), 0, { work: [work('now'), work('later', { delayMs: 60_000 })] }),
    );
    equal(result.leased, true, 'leased, of the row without a delay');
    await store.completeWork(done('now'));
    const early = await store.claimWork(asking('node-b', T0 + 59_999));
    equal(early, { items: [], nextDueMs: 1 }, 'the answer a millisecond early');
    const { items } = await store.claimWork(asking('node-b', T0 + 60_000));
    equal(
      items.map((row) => [row.id, row.attempts, row.suspect]),
      [['later', 1, false]],
      'what is handed out in time',
    );
  },

  'under an existing key is the same work: it stays as it is': async ({ store }) => {
    await store.enqueue([work('w-1', { payload: '"first"' })], by('node-a'));
    const again = work('w-1', { payload: '"second"', lane: 'other' });
    equal(await store.enqueue([again], by('node-b', T0 + 1_000)), false, 'the answer to enqueue');
    const result = await commit(store, entry(ref(), 0, { work: [again] }), by('node-b', T0 + 1_000));
    equal(result.leased, false, 'leased, of the commit');
    const { items } = await store.claimWork(asking('node-c', LEASE_OVER));
    has(
      items[0] ?? {},
      { payload: '"first"', lane: null, attempts: 1 },
      'the row when its first lease is over',
    );
    equal(items.length, 1, 'how many rows');
  },

  'beside an existing key is leased to nobody': async ({ store }) => {
    await store.enqueue([work('old')], by('node-a'));
    equal(await store.enqueue([work('old'), work('new')], by('node-b')), false, 'the answer');
    equal(await claimedIds(store, 'node-c', T0), ['new'], 'what a third node gets at once');
  },

  'behind undone work of another node is leased to nobody, with what was written beside it': async ({
    store,
  }) => {
    await store.enqueue([work('first', { lane: 'i-1' })], by('node-a'));
    const rows = [work('behind', { lane: 'i-1' }), work('free', { lane: 'i-2' }), work('loose')];
    const result = await commit(store, entry(ref(), 0, { work: rows }), by('node-b'));
    equal(result.leased, false, 'leased');
    equal(await claimedIds(store, 'node-c', T0), ['free', 'loose'], 'what a third node gets at once');
    await store.completeWork(done('first'));
    equal(await claimedIds(store, 'node-c', T0), ['behind'], 'what it gets when the lane is free');
  },

  'behind a row that was given back is leased to nobody': async ({ store }) => {
    await store.enqueue([work('first', { lane: 'i-1' })], by('node-a'));
    await store.releaseWork(workKey(work('first')), 1_000, 'busy', { now: T0 });
    equal(await store.enqueue([work('second', { lane: 'i-1' })], by('node-a')), false, 'the answer');
  },

  'behind a buried row is leased to nobody': async ({ store }) => {
    await store.enqueue([work('first', { lane: 'i-1' })], by('node-a'));
    await store.buryWork(workKey(work('first')), 'broken', { now: T0 });
    equal(await store.enqueue([work('second', { lane: 'i-1' })], by('node-a')), false, 'the answer');
    equal(await claimedIds(store, 'node-b', T0 + 1), [], 'what another node gets');
  },

  'of one lane in one commit is leased together': async ({ store }) => {
    const rows = ['w-1', 'w-2', 'w-3'].map((id) => work(id, { lane: 'i-1' }));
    equal((await commit(store, entry(ref(), 0, { work: rows }))).leased, true, 'leased');
    equal(await claimedIds(store, 'node-b', T0), [], 'what another node gets');
  },

  'behind the row that its own commit consumes is leased': async ({ store }) => {
    await store.enqueue([work('cause', { lane: 'i-1' })], by('node-a'));
    const next = entry(ref(), 0, { work: [work('effect', { lane: 'i-1' })], done: done('cause') });
    equal((await commit(store, next, by('node-b'))).leased, true, 'leased');
    equal(await claimedIds(store, 'node-c', LEASE_OVER), ['effect'], 'the work that is left');
  },

  'leaves with the commit that consumes it, and stays with one that loses': async ({ store }) => {
    await store.enqueue([work('w-1'), work('w-2')], by());
    await commit(store, entry(ref(), 0, { done: done('w-1', 'unknown') }));
    await tryCommit(store, entry(ref(), 0, { done: done('w-2') }));
    equal(await claimedIds(store, 'node-b', LEASE_OVER), ['w-2'], 'the work that is left');
  },

  'of several winners of one batch is each leased on its own': async ({ store }) => {
    await store.enqueue([work('first', { lane: 'busy' })], by('node-a'));
    const batch = ['busy', 'free'].map((lane) =>
      entry(ref(lane), 0, { work: [work(`of ${lane}`, { lane })] }),
    );
    const results = await store.commit(batch, by('node-b'));
    equal(
      results.map((result) => 'leased' in result && result.leased),
      [false, true],
      'leased',
    );
  },
});
