import { equal, holds } from '../checks.js';
import {
  asking,
  by,
  byId,
  claimedIds,
  commit,
  delivery,
  entry,
  loaded,
  ref,
  SAGA,
  state,
  timer,
  work,
} from './fixtures.js';
import type { Scene } from './scene.js';
import { about } from './scene.js';

/** Everything that has a deadline, at a time of the test's choosing: the store's own clock must play no part. */
async function deadlinesFrom({ store }: Scene, start: number): Promise<void> {
  await commit(
    store,
    entry(ref(), 0, {
      work: [work('w-1')],
      timers: { arm: [timer('t', { delayMs: 10_000 })], disarm: [] },
      deliveries: { add: [delivery('m-1', { ttlMs: 10_000 })], done: [] },
    }),
    by('node-a', start, 10_000),
  );
  const { createdAt, updatedAt } = await loaded(store, byId(ref()));
  equal([createdAt, updatedAt], [start, start], 'the dates');
  const timersAt = async (now: number) =>
    (await store.claimTimers(asking('node-b', now, { destinations: [SAGA] }))).items.length;
  const before = start + 9_000;
  const after = start + 11_000;
  equal(await claimedIds(store, 'node-b', before), [], 'work during the lease');
  equal(
    [await timersAt(before), await store.expireDeliveries({ now: before })],
    [0, 0],
    'due before the time',
  );
  equal(await claimedIds(store, 'node-b', after), ['w-1'], 'work after the lease');
  equal([await timersAt(after), await store.expireDeliveries({ now: after })], [1, 1], 'due after the time');
}

export const instants = about('time', {
  'is that of the call, in the past': (scene) => deadlinesFrom(scene, Date.UTC(2001, 8, 9)),
  'is that of the call, in the future': (scene) => deadlinesFrom(scene, Date.UTC(2199, 11, 31)),

  'is told: that of the call, or the store’s own, which goes on': async ({ store }) => {
    equal(await store.instant({ now: 7 }), 7, 'the instant of the call');
    const first = await store.instant({ now: null });
    await commit(store, entry(ref(), 0, {}), by('node-a', null, 60_000));
    const { createdAt } = await loaded(store, byId(ref()));
    const last = await store.instant({ now: null });
    holds(Number.isInteger(first), `it is in whole milliseconds: ${first}`);
    holds(first <= createdAt && createdAt <= last, `${createdAt} is between ${first} and ${last}`);
  },

  'is the store’s own where a call gives none': async ({ store }) => {
    const own = (leaseMs = 60_000) => by('node-a', null, leaseMs);
    await commit(store, entry(ref(), 0, { work: [work('leased')] }), own());
    await store.enqueue([work('far', { delayMs: 86_400_000 })], own());
    await commit(store, entry(ref(), 1, { next: state({ ended: true }) }), own());
    const { createdAt, updatedAt, endedAt } = await loaded(store, byId(ref()));
    holds(Number.isFinite(createdAt) && createdAt > 0, 'the instance is dated');
    holds(updatedAt >= createdAt && endedAt === updatedAt, 'its dates follow each other');
    const { items, nextDueMs } = await store.claimWork(asking('node-b', null));
    equal(items, [], 'what can be claimed during the lease');
    holds(
      nextDueMs !== null && nextDueMs > 0 && nextDueMs <= 60_000,
      `nextDueMs is within the lease: ${nextDueMs}`,
    );
    await store.transaction((tx) => tx.enqueue([work('loose')]), { now: null });
    const { items: loose } = await store.claimWork(asking('node-b', null));
    equal(
      loose.map(({ id }) => id),
      ['loose'],
      'what can be claimed at once',
    );
  },
});

export const lifecycle = about('the store', {
  'has a name and answers': async ({ store }) => {
    holds(store.kind.length > 0, 'kind is not empty');
    await store.ping();
  },

  'may be started again': async ({ store, second }) => {
    await commit(store, entry(ref(), 0));
    await store.start();
    await second.start();
    equal((await loaded(store, byId(ref()))).version, 1, 'the version of an instance from before');
  },

  'shows one connection what another has written': async ({ store, second }) => {
    await commit(store, entry(ref(), 0));
    equal((await commit(second, entry(ref(), 1))).version, 2, 'the version written by the second');
    equal((await loaded(store, byId(ref()))).version, 2, 'the version read by the first');
  },
});
