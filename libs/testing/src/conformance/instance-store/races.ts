import type { Commit, CommitResult, InstanceStore } from '@nestjs-orchestrator/core/ports';
import { equal, has, holds } from '../checks.js';
import { repeated } from '../gates.js';
import {
  by,
  byId,
  byKey,
  commit,
  delivery,
  entry,
  inbox,
  key,
  loaded,
  loadOne,
  outcomes,
  parking,
  ref,
  T0,
  tryCommit,
  work,
} from './fixtures.js';
import { about } from './scene.js';

const WAKE = work('wake', { destination: 'wake:order' });

/** Commits, and again while it conflicts without there being an instance: the key was only being looked at. */
function create(store: InstanceStore, given: Commit): Promise<CommitResult> {
  return repeated(`creating ${given.ref.id}`, async () => {
    const result = await tryCommit(store, given);
    if (result.outcome === 'committed') return result;
    return (await loadOne(store, byId(given.ref))).instance === null ? undefined : result;
  });
}

/** Parks, and again while the key is only being claimed by a creation that may yet lose. */
function park(store: InstanceStore, value: string): Promise<'parked' | 'present'> {
  return repeated(`parking for ${value}`, async () => {
    const [result] = await store.park([parking(key(value), delivery(`m-${value}`))], { now: T0 });
    if (result === 'parked') return result;
    return (await loadOne(store, byKey(key(value)))).instance === null ? undefined : 'present';
  });
}

export const races = about('races', {
  'of many kinds in one call are each lost alone, and what stands between them is committed': async ({
    store,
    second,
  }) => {
    for (const id of ['duplicate', 'raced', 'leased', 'slept', 'good', 'owner'])
      await commit(second, entry(ref(id), 0, { keys: [key(id)], inbox: inbox('m-0') }));
    await commit(second, entry(ref('raced'), 1));
    const lease = (id: string, token: string, now: number) =>
      store.lease({ ref: ref(id), token, owner: token, leaseMs: 10_000, now });
    await lease('slept', 'slept', T0);
    await lease('leased', 'theirs', T0 + 9_000);
    const change = (id: string, version: number, fields: Partial<Commit> = {}) =>
      entry(ref(id), version, { inbox: inbox('m-1'), work: [work(`w-${id}`)], ...fields });
    const batch = [
      change('new-1', 0, { keys: [key('new-1')] }),
      change('duplicate', 1, { ifUnseen: true, inbox: inbox('m-0') }),
      change('good', 1),
      change('raced', 1),
      change('thief', 0, { keys: [key('owner')] }),
      change('new-2', 0, { keys: [key('new-2')] }),
      change('leased', 1),
      change('slept', 1, { lease: 'slept' }),
      change('new-3', 0, { keys: [key('new-3')] }),
    ];
    const results = await store.commit(batch, by('node-a', T0 + 10_000));
    const won = ['new-1', 'good', 'new-2', 'new-3'];
    for (const [n, { ref: of }] of batch.entries()) {
      const result = results[n];
      const expected = won.includes(of.id) ? 'committed' : 'conflict';
      equal(result instanceof Error ? 'error' : result?.outcome, expected, `the answer to ${of.id}`);
      const after = await loadOne(store, byId(of, 'm-1'));
      equal(after.seen !== null, won.includes(of.id), `whether ${of.id} has seen the message`);
    }
    const claim = { owner: 'node-b', leaseMs: 10_000, now: T0 + 60_000, limit: 20 };
    const { items } = await second.claimWork({ ...claim, destinations: [work('w').destination] });
    equal(items.map(({ id }) => id).toSorted(), won.map((id) => `w-${id}`).toSorted(), 'the work');
  },

  'of two nodes on one version exactly one wins': async ({ store, second, rounds }) => {
    await commit(store, entry(ref(), 0));
    for (let version = 1; version <= rounds; version += 1) {
      const results = await Promise.all(
        [store, second].map((node, n) =>
          tryCommit(node, entry(ref(), version, { inbox: inbox(`${version}-${n}`) })),
        ),
      );
      equal(outcomes(results).toSorted(), ['committed', 'conflict'], `the answers on version ${version}`);
    }
    equal((await loaded(store, byId(ref()))).version, rounds + 1, 'the version');
    const requests = Array.from({ length: rounds * 2 }, (_, n) => byId(ref(), `${(n >> 1) + 1}-${n & 1}`));
    const seen = (await store.load(requests, { now: T0 })).filter((result) => result.seen !== null);
    equal(seen.length, rounds, 'how many inbox rows were written');
  },

  'of two first messages on one key at most one creates at a time, and one does': async ({
    store,
    second,
    rounds,
  }) => {
    for (let round = 0; round < rounds; round += 1) {
      const ids = [`${round}-a`, `${round}-b`];
      const rivals = ids.map((id) => entry(ref(id), 0, { keys: [key(`${round}`)] }));
      const results = await Promise.all(
        [store, second].map((node, n) => tryCommit(node, rivals[n] as Commit)),
      );
      const winners = ids.filter((_, n) => results[n]?.outcome === 'committed');
      holds(winners.length <= 1, `both creations of key ${round} were committed`);
      // Each may have met the other's lock; then a repeat must succeed.
      const [winner = ids[0]] = winners;
      if (winners.length === 0) await create(store, rivals[0] as Commit);
      equal((await loaded(store, byKey(key(`${round}`)))).id, winner, `the holder of key ${round}`);
    }
  },

  'batches over the same instances in opposite orders both end, and each instance has one winner': async (
    scene,
  ) => {
    const ids = Array.from({ length: 20 }, (_, n) => `i-${n}`);
    await scene.store.commit(
      ids.map((id) => entry(ref(id), 0)),
      by(),
    );
    for (let version = 1; version <= scene.rounds; version += 1) {
      const forth = ids.map((id) => entry(ref(id), version));
      const [first, second] = await Promise.all([
        scene.store.commit(forth, by('node-a')),
        scene.second.commit(forth.toReversed(), by('node-b')),
      ]);
      const pairs = ids.map((_, n) => [first[n], second[ids.length - 1 - n]]);
      for (const pair of pairs) {
        const answers = pair.map((result) =>
          result && 'outcome' in result ? result.outcome : String(result),
        );
        equal(answers.toSorted(), ['committed', 'conflict'], `the answers on version ${version}`);
      }
    }
  },

  'batches that create over the same keys in opposite orders both end': async ({ store, second, rounds }) => {
    for (let round = 0; round < rounds; round += 1) {
      const keys = Array.from({ length: 10 }, (_, n) => key(`${round}-${n}`));
      const batch = (node: string) =>
        keys.map((each) => entry(ref(`${node}-${each.value}`), 0, { keys: [each] }));
      const [a, b] = await Promise.all([
        store.commit(batch('a'), by('node-a')),
        second.commit(batch('b').toReversed(), by('node-b')),
      ]);
      const won = [...outcomes(a), ...outcomes(b)];
      holds(!won.includes('error'), `round ${round}: an entry failed instead of losing`);
      const creators = keys.map((_, n) => [outcomes(a)[n], outcomes(b)[keys.length - 1 - n]]);
      holds(
        creators.every((pair) => pair.filter((outcome) => outcome === 'committed').length <= 1),
        `round ${round}: a key was claimed twice`,
      );
    }
  },

  'a message parked while its instance is created is never left behind': async ({
    store,
    second,
    rounds,
  }) => {
    for (let round = 0; round < rounds * 3; round += 1) {
      const value = `${round}`;
      const creation = entry(ref(value), 0, { keys: [key(value)], wakeIfParked: { ...WAKE, id: value } });
      // Both orders of sending, since the first one sent usually comes first.
      const [created, parked] =
        round % 2 === 0
          ? await Promise.all([create(store, creation), park(second, value)])
          : await Promise.all([park(second, value), create(store, creation)]).then(
              ([p, c]) => [c, p] as const,
            );
      const waiting = (await store.deliveries(ref(value))).map(({ messageId }) => messageId);
      const expected = parked === 'parked' ? [`m-${value}`] : [];
      equal(waiting, expected, `round ${round}: what waits for the instance after "${parked}"`);
      has(created, { outcome: 'committed', woken: parked === 'parked' }, `round ${round}: the creation`);
      equal((await loaded(store, byKey(key(value)))).openDeliveries, expected.length, 'openDeliveries');
    }
  },
});
