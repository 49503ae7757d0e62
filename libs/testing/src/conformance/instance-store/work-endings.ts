import { equal, holds } from '../checks.js';
import { asking, by, claimedIds, LEASE_MS, loose, missing, T0, work, workKey } from './fixtures.js';
import { about } from './scene.js';

const T1 = T0 + 1;

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
      items.map((row) => [row.id, row.attempts, row.suspect]),
      [['w-1', 2, false]],
      'what is handed out in time',
    );
  },

  'that is given back uncounted loses its last attempt': async ({ store }) => {
    await store.enqueue([work('w-1')], by());
    for (let round = 0; round < 3; round++) {
      await store.releaseWork(workKey(work('w-1')), 0, 'not my version', { now: T0 }, false);
      const { items } = await store.claimWork(asking('node-b', T0));
      equal(
        items.map((row) => [row.attempts, row.suspect]),
        [[1, false]],
        `what is handed out in round ${round}`,
      );
    }
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
      [['w-1', 1]],
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
    await store.buryWork(
      workKey(work('w-1')),
      'card service: 500',
      { now: T0 + LEASE_MS + 9 },
      '{"state":"x"}',
    );
    const expected = { ...workKey(work('w-1')), payload: '{"amount":7}', reason: 'card service: 500' };
    const [letter = missing('the dead letter'), ...others] = await store.deadLetters({});
    const { letter: name, ...fields } = letter;
    const more = { detail: '{"state":"x"}', attempts: 1, at: T0 + LEASE_MS + 9, settled: null };
    equal(fields, { ...fields, ...expected, ...more }, 'the dead letter');
    holds(name !== '', 'the letter has a name');
    equal(others, [], 'further dead letters');
    const later = await store.claimWork(asking('node-c', T0 + 99 * LEASE_MS));
    equal(later, { items: [], nextDueMs: null }, 'what can still be claimed');
    equal(await store.enqueue([work('w-1')], by()), false, 'the answer to the same work once more');
    equal(await claimedIds(store, 'node-c', T0 + 99 * LEASE_MS), [], 'what can be claimed after that');
  },
});
