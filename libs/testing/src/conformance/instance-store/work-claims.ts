import type { InstanceStore } from '@nestjs-orchestrator/core/ports';
import { equal } from '../checks.js';
import { repeated } from '../gates.js';
import { asking, by, claimedIds, LEASE_MS, T0, work, workKey } from './fixtures.js';
import { about } from './scene.js';

const named = (count: number) => Array.from({ length: count }, (_, n) => `w-${String(n).padStart(3, '0')}`);

/** Work that nobody holds: written with the shortest delay, and claimed later. */
async function loose(store: InstanceStore, ...ids: readonly string[]): Promise<void> {
  await store.enqueue(
    ids.map((id) => work(id, { delayMs: 1 })),
    by(),
  );
}

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

  'hide a row until the lease is over, also from its owner, and count each attempt': async ({ store }) => {
    await loose(store, 'w-1');
    for (const attempt of [1, 2, 3]) {
      const start = T1 + (attempt - 1) * LEASE_MS;
      const { items } = await store.claimWork(asking(`node-${attempt}`, start));
      equal(
        items.map((row) => row.attempts),
        [attempt],
        `the attempts at claim ${attempt}`,
      );
      equal(
        await claimedIds(store, `node-${attempt}`, start + LEASE_MS - 1),
        [],
        'what the owner gets again',
      );
      equal(await claimedIds(store, 'node-x', start + LEASE_MS - 1), [], 'what another node gets');
    }
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

export const workEndings = about('leased work', {
  'is gone when it is completed; unknown keys are ignored': async ({ store }) => {
    await loose(store, 'w-1', 'w-2', 'w-3');
    await claimedIds(store, 'node-a', T1);
    await store.completeWork([work('w-1'), work('w-3'), work('unknown')].map(workKey));
    equal(await claimedIds(store, 'node-b', T1 + LEASE_MS), ['w-2'], 'the rows that are left');
  },

  'that is given back may be claimed by anybody after the delay, and its attempts go on': async ({
    store,
  }) => {
    await loose(store, 'w-1');
    await claimedIds(store, 'node-a', T1);
    await store.releaseWork(workKey(work('w-1')), 2_000, 'try later', { now: T1 + 500 });
    const early = await store.claimWork(asking('node-b', T1 + 2_499));
    equal(early, { items: [], nextDueMs: 1 }, 'the answer a millisecond early');
    const { items } = await store.claimWork(asking('node-b', T1 + 2_500));
    equal(
      items.map((row) => [row.id, row.attempts]),
      [['w-1', 2]],
      'what is handed out in time',
    );
  },

  'that is given back without a delay may be claimed at once': async ({ store }) => {
    await store.enqueue([work('w-1')], by());
    await store.releaseWork(workKey(work('w-1')), 0, 'shutting down', { now: T0 });
    equal(await claimedIds(store, 'node-b', T0), ['w-1'], 'what another node gets');
  },

  'is kept longer by renewing': async ({ store }) => {
    await store.enqueue([work('w-1'), work('w-2')], by('node-a'));
    await store.renewWork([workKey(work('w-1'))], by('node-a', T0 + 20_000));
    equal(await claimedIds(store, 'node-b', T0 + LEASE_MS), ['w-2'], 'what is free after the first lease');
    equal(
      await claimedIds(store, 'node-b', T0 + 20_000 + LEASE_MS - 1),
      [],
      'what is free before the second ends',
    );
    const { items } = await store.claimWork(asking('node-c', T0 + 20_000 + LEASE_MS));
    equal(
      items.map((row) => [row.id, row.attempts]),
      [['w-1', 2]],
      'what is free after the second lease',
    );
  },

  'is not renewed by a node that does not hold it': async ({ store }) => {
    await store.enqueue([work('w-1')], by('node-a'));
    await store.renewWork([workKey(work('w-1')), workKey(work('none'))], by('node-b', T0 + 20_000));
    equal(await claimedIds(store, 'node-c', T0 + LEASE_MS), ['w-1'], 'what is free after the first lease');
    await store.renewWork([workKey(work('w-1'))], by('node-a', T0 + LEASE_MS + 1, 10 * LEASE_MS));
    equal(
      await claimedIds(store, 'node-d', T0 + 2 * LEASE_MS),
      ['w-1'],
      'what the former owner could not keep',
    );
  },

  'that is buried is a dead letter with what is needed to look into it': async ({ store }) => {
    await store.enqueue([work('w-1', { payload: '{"amount":7}' })], by());
    await claimedIds(store, 'node-b', T0 + LEASE_MS);
    await store.buryWork(workKey(work('w-1')), 'card service: 500', { now: T0 + LEASE_MS + 9 });
    const expected = { ...workKey(work('w-1')), payload: '{"amount":7}', reason: 'card service: 500' };
    equal(
      await store.deadLetters({}),
      [{ ...expected, attempts: 2, at: T0 + LEASE_MS + 9 }],
      'the dead letters',
    );
    const later = await store.claimWork(asking('node-c', T0 + 99 * LEASE_MS));
    equal(later, { items: [], nextDueMs: null }, 'what can still be claimed');
    equal(await store.enqueue([work('w-1')], by()), false, 'the answer to the same work once more');
    equal(await claimedIds(store, 'node-c', T0 + 99 * LEASE_MS), [], 'what can be claimed after that');
  },

  'dead letters are listed by tenant, and no more than asked for': async ({ store }) => {
    const rows = [work('a'), work('b'), work('c'), work('d', { tenant: 'other' })];
    await store.enqueue(rows, by());
    for (const row of rows) await store.buryWork(workKey(row), 'broken', { now: T0 });
    const idsOf = async (filter: { tenant?: string; limit?: number }) =>
      (await store.deadLetters(filter)).map(({ id }) => id).toSorted();
    equal(await idsOf({ tenant: 'other' }), ['d'], 'those of one tenant');
    equal(await idsOf({}), ['a', 'b', 'c', 'd'], 'those of all tenants');
    equal((await idsOf({ limit: 2 })).length, 2, 'how many of at most 2');
    equal(await idsOf({ tenant: 'none' }), [], 'those of a tenant without any');
  },
});
