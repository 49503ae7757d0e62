import type { InstanceStore, WorkRecord } from '@nestjs-orchestrator/core/ports';
import { equal } from '../checks.js';
import { repeated } from '../gates.js';
import {
  asking,
  by,
  claimedIds,
  commit,
  entry,
  LEASE_MS,
  ref,
  T0,
  TENANT,
  work,
  workKey,
} from './fixtures.js';
import { about } from './scene.js';

const T1 = T0 + 1;
const inLane = (id: string, fields: Partial<WorkRecord> = {}) =>
  work(id, { lane: 'i-1', delayMs: 1, ...fields });

async function write(store: InstanceStore, ...rows: readonly WorkRecord[]): Promise<void> {
  await store.enqueue(rows, by());
}

async function complete(store: InstanceStore, ...ids: readonly string[]): Promise<void> {
  await store.completeWork(ids.map((id) => workKey(work(id))));
}

export const workLanes = about('lanes', {
  'give one row at a time, in the order of writing': async ({ store }) => {
    await write(store, inLane('z'), inLane('a'));
    await write(store, inLane('m'));
    for (const id of ['z', 'a', 'm']) {
      equal(await claimedIds(store, 'node-a', T1), [id], `the row when those before ${id} are done`);
      equal(await claimedIds(store, 'node-b', T1), [], `what another node gets while ${id} is undone`);
      await complete(store, id);
    }
  },

  'keep the order of the commits of an instance': async ({ store }) => {
    for (const n of [0, 1, 2, 3]) await commit(store, entry(ref(), n, { work: [inLane(`c-${9 - n}`)] }));
    for (const id of ['c-9', 'c-8', 'c-7', 'c-6']) {
      equal(await claimedIds(store, 'node-a', T1), [id], 'the next row');
      await complete(store, id);
    }
  },

  'keep the order of the winners of one batch': async ({ store }) => {
    const batch = ['c', 'a', 'b'].map((id) =>
      entry(ref(id), 0, { work: [1, 2].map((n) => inLane(`${id}${n}`, { lane: id })) }),
    );
    await store.commit(batch, by());
    equal((await claimedIds(store, 'node-a', T1)).toSorted(), ['a1', 'b1', 'c1'], 'the first of each lane');
  },

  'are one for each destination': async ({ store }) => {
    const destinations = ['handler:a', 'handler:b'];
    await write(
      store,
      ...destinations.flatMap((destination) =>
        [1, 2].map((n) => inLane(`${destination}${n}`, { destination })),
      ),
    );
    const ids = await claimedIds(store, 'node-a', T1, { destinations });
    equal(ids, ['handler:a1', 'handler:b1'], 'the first of each destination');
  },

  'do not hold work without a lane': async ({ store }) => {
    await write(
      store,
      inLane('held-1'),
      work('free-1', { delayMs: 1 }),
      inLane('held-2'),
      work('free-2', { delayMs: 1 }),
    );
    equal(await claimedIds(store, 'node-a', T1), ['held-1', 'free-1', 'free-2'], 'what is handed out');
  },

  'hold behind a row whose delay is not over': async ({ store }) => {
    await write(store, inLane('late', { delayMs: 5_000 }), inLane('early'));
    equal(await store.claimWork(asking('node-a', T1)), { items: [], nextDueMs: 4_999 }, 'the answer before');
    equal(
      await claimedIds(store, 'node-a', T0 + 5_000),
      ['late'],
      'what is handed out when the delay is over',
    );
  },

  'hold behind a row whose lease is over: it is the next, not the one behind it': async ({ store }) => {
    await write(store, inLane('first'), inLane('second'));
    await claimedIds(store, 'node-a', T1);
    equal(await claimedIds(store, 'node-b', T1 + LEASE_MS), ['first'], 'what the next node gets');
    equal(await claimedIds(store, 'node-c', T1 + LEASE_MS), [], 'what a third node gets');
  },

  'hold behind a row that was given back': async ({ store }) => {
    await write(store, inLane('first'), inLane('second'));
    await claimedIds(store, 'node-a', T1);
    await store.releaseWork(workKey(work('first')), 3_000, 'busy', { now: T1 });
    equal(await store.claimWork(asking('node-b', T1)), { items: [], nextDueMs: 3_000 }, 'the answer before');
    equal(await claimedIds(store, 'node-b', T1 + 3_000), ['first'], 'what is handed out after the delay');
  },

  'hold behind a buried row, alone': async ({ store }) => {
    await write(store, inLane('dead'), inLane('behind'), inLane('other', { lane: 'i-2' }));
    await claimedIds(store, 'node-a', T1, { limit: 1 });
    await store.buryWork(workKey(work('dead')), 'broken', { now: T1 });
    equal(await claimedIds(store, 'node-b', T1), ['other'], 'what is handed out');
    await complete(store, 'other');
    const later = await store.claimWork(asking('node-b', T0 + 99 * LEASE_MS));
    equal(later, { items: [], nextDueMs: null }, 'what can still be claimed');
  },

  'hold behind their first row, whatever is done with those behind it': async ({ store }) => {
    const rows = ['head', 'renewed', 'released', 'replayed', 'buried'].map((id) => work(id, { lane: 'l' }));
    await store.enqueue(rows, by());
    const of = (id: string) => workKey(work(id));
    await store.renewWork([of('renewed')], by());
    await store.releaseWork(of('released'), 0, 'later', { now: T0 });
    await store.buryWork(of('replayed'), 'broken', { now: T0 });
    const letter = (await store.deadLetters({}))[0]?.letter ?? '';
    const settlement = { verb: 'replayed', by: 'ada', reason: 'mended' } as const;
    const again = { tenant: TENANT, letter, settlement, work: work('replayed', { lane: 'l' }), now: T0 };
    equal(await store.settleDeadLetter(again), true, 'the replay');
    await store.buryWork(of('buried'), 'broken', { now: T0 });
    for (const id of ['head', 'renewed', 'released', 'replayed']) {
      equal(
        await claimedIds(store, 'node-b', T0 + LEASE_MS),
        [id],
        `the row when those before ${id} are done`,
      );
      await complete(store, id);
    }
    equal(
      await claimedIds(store, 'node-b', T0 + LEASE_MS),
      [],
      'what can be claimed when the dead one is first',
    );
  },

  'hand out their rows in order to many nodes that claim at once': async ({ store, second, rounds }) => {
    const lanes = ['x', 'y', 'z'];
    const perLane = Array.from({ length: rounds }, (_, n) => n);
    await write(store, ...perLane.flatMap((n) => lanes.map((lane) => inLane(`${lane}-${n}`, { lane }))));
    const got: string[] = [];
    const serve = (node: InstanceStore, owner: string) =>
      repeated(`${owner} serves the lanes`, async () => {
        for (const { id } of (await node.claimWork(asking(owner, T1, { limit: 2 }))).items) {
          got.push(id);
          await node.completeWork([workKey(work(id))]);
        }
        return got.length >= rounds * lanes.length || undefined;
      });
    await Promise.all([serve(store, 'a'), serve(second, 'b'), serve(store, 'c')]);
    for (const lane of lanes) {
      const served = got.filter((id) => id.startsWith(lane));
      equal(
        served,
        perLane.map((n) => `${lane}-${n}`),
        `the order of lane ${lane}`,
      );
    }
  },
});
