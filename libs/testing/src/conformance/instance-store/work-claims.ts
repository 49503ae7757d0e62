import type { InstanceStore } from '@nestjs-orchestrator/core/ports';
import { equal } from '../checks.js';
import { repeated } from '../gates.js';
import { asking, by, claimedIds, LEASE_MS, loose, T0, work, workKey } from './fixtures.js';
import { about } from './scene.js';

const named = (count: number) => Array.from({ length: count }, (_, n) => `w-${String(n).padStart(3, '0')}`);

const T1 = T0 + 1;

export const workClaims = about('claims of work', {
  'give only work for the destinations asked for': async ({ store }) => {
    const rows = ['saga:order', 'saga:orders', 'undo:order'].map((destination) =>
      work('same-id', { destination, delayMs: 1, payload: `"${destination}"` }),
    );
    await store.enqueue(rows, by());
    equal(
      await claimedIds(store, 'node-a', T1, { destinations: [] }),
      [],
      'what is given for no destination',
    );
    const asked = asking('node-a', T1, { destinations: ['undo:order', 'saga:order', 'none'] });
    const { items } = await store.claimWork(asked);
    equal(
      items.map(({ payload }) => payload),
      ['"saga:order"', '"undo:order"'],
      'the rows',
    );
  },

  'give the oldest first, no more than the limit, and say that more is due': async ({ store }) => {
    await loose(store, 'z');
    await loose(store, 'y', 'a');
    await loose(store, 'b');
    const first = await store.claimWork(asking('node-a', T1, { limit: 3 }));
    equal(
      first.items.map(({ id }) => id),
      ['z', 'y', 'a'],
      'the first three',
    );
    equal(first.nextDueMs, 0, 'nextDueMs while more is due');
    equal(await claimedIds(store, 'node-a', T1, { limit: 3 }), ['b'], 'the rest');
  },

  'hide a row until the lease is over, also from its owner, and count no attempt of a suspect': async ({
    store,
  }) => {
    await loose(store, 'w-1');
    for (const claim of [1, 2, 3]) {
      const start = T1 + (claim - 1) * LEASE_MS;
      const { items } = await store.claimWork(asking(`node-${claim}`, start));
      equal(
        items.map((row) => [row.attempts, row.suspect]),
        [[1, claim > 1]],
        `the attempts at claim ${claim}`,
      );
      equal(await claimedIds(store, `node-${claim}`, start + LEASE_MS - 1), [], 'what the owner gets again');
      equal(await claimedIds(store, 'node-x', start + LEASE_MS - 1), [], 'what another node gets');
    }
  },

  'of a suspect are counted by its holder, when it begins': async ({ store }) => {
    await store.enqueue([work('w-1')], by('node-a'));
    const key = workKey(work('w-1'));
    equal(await store.beginWork(key, by('node-b', T0)), null, 'the count for another node');
    await claimedIds(store, 'node-b', T0 + LEASE_MS);
    equal(await store.beginWork(key, by('node-a', T0 + LEASE_MS)), null, 'the count for its former owner');
    equal(await store.beginWork(key, by('node-b', T0 + LEASE_MS)), 2, 'the count for its holder');
    const { items } = await store.claimWork(asking('node-c', T0 + 2 * LEASE_MS));
    equal(
      items.map((row) => [row.attempts, row.suspect]),
      [[2, true]],
      'what the next one gets',
    );
    equal(await store.beginWork(workKey(work('none')), by()), null, 'the count of no row');
  },

  'say when the next row is due: a delayed one, a leased one, none': async ({ store }) => {
    equal(
      await store.claimWork(asking('node-a', T0)),
      { items: [], nextDueMs: null },
      'the answer without work',
    );
    await store.enqueue([work('delayed', { delayMs: 90_000 })], by());
    equal((await store.claimWork(asking('node-a', T0 + 1_000))).nextDueMs, 89_000, 'with a delayed row');
    await store.enqueue([work('leased')], by('node-b', T0, 40_000));
    equal((await store.claimWork(asking('node-a', T0 + 1_000))).nextDueMs, 39_000, 'with a leased row');
    await store.enqueue([work('foreign', { destination: 'saga:x', delayMs: 5 })], by());
    equal((await store.claimWork(asking('node-a', T0 + 1_000))).nextDueMs, 39_000, 'with a row for others');
    await store.completeWork([work('leased'), work('delayed')].map(workKey));
    equal(
      (await store.claimWork(asking('node-a', T0 + 1_000))).nextDueMs,
      null,
      'with only a row for others',
    );
  },

  'never give one row to two nodes': async ({ store, second }) => {
    const ids = named(120);
    await loose(store, ...ids);
    const got: string[] = [];
    // A node may be given less than there is while another one claims; so each asks until nothing is left for it.
    const drain = (node: InstanceStore, owner: string) =>
      repeated(`${owner} drains the outbox`, async () => {
        const more = await claimedIds(node, owner, T1, { limit: 7 });
        got.push(...more);
        return more.length === 0 || undefined;
      });
    await Promise.all([drain(store, 'a'), drain(second, 'b'), drain(store, 'c'), drain(second, 'd')]);
    await drain(store, 'e');
    equal(got.toSorted(), ids, 'all rows that were handed out');
  },
});
