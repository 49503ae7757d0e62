import type { InstanceStore } from '@nestjs-orchestrator/core/ports';
import { equal, holds } from '../checks.js';
import { repeated } from '../gates.js';
import { by, byId, commit, entry, loaded, ref, state, T0, tryCommit } from './fixtures.js';
import { about } from './scene.js';

const LEASE = 5_000;

function ask(store: InstanceStore, token: string, now = T0, owner = 'node-a') {
  return store.lease({ ref: ref(), token, owner, leaseMs: LEASE, now });
}

async function outcomeAt(store: InstanceStore, now: number, version: number, lease: string | null) {
  return (await tryCommit(store, entry(ref(), version, { lease }), by('node-a', now))).outcome;
}

export const leases = about('leases of instances', {
  'let only their holder commit, and end with that': async ({ store, second }) => {
    await commit(store, entry(ref(), 0));
    equal(await ask(store, 'mine'), { outcome: 'leased' }, 'the answer to the first');
    equal(await outcomeAt(second, T0, 1, null), 'conflict', 'a commit without a lease');
    equal(await outcomeAt(second, T0, 1, 'other'), 'conflict', 'a commit with another lease');
    equal(await outcomeAt(store, T0, 1, 'mine'), 'committed', 'the commit of the holder');
    equal(await outcomeAt(second, T0, 2, null), 'committed', 'a commit after that');
    equal(await outcomeAt(store, T0, 3, 'mine'), 'conflict', 'another commit with the lease that has ended');
  },

  'are given to one at a time; the holder may ask again': async ({ store, second }) => {
    await commit(store, entry(ref(), 0));
    await ask(store, 'mine');
    equal(
      await ask(second, 'other', T0 + 2_000, 'node-b'),
      { outcome: 'busy', retryMs: 3_000 },
      'for another',
    );
    equal(await ask(store, 'mine', T0 + 4_000), { outcome: 'leased' }, 'for the holder');
    equal((await ask(second, 'other', T0 + LEASE, 'node-b')).outcome, 'busy', 'after the first term');
    equal((await ask(second, 'other', T0 + 4_000 + LEASE)).outcome, 'leased', 'after the second term');
  },

  'are over after their time, by the clock of the store: who slept can commit no more': async ({
    store,
    second,
  }) => {
    await commit(store, entry(ref(), 0));
    await ask(store, 'slept');
    equal(await outcomeAt(store, T0 + LEASE, 1, 'slept'), 'conflict', 'its commit after its time');
    equal((await ask(second, 'next', T0 + LEASE)).outcome, 'leased', 'the next holder');
    equal(await outcomeAt(store, T0 + LEASE, 1, 'slept'), 'conflict', 'its commit beside the next holder');
    equal(await outcomeAt(store, T0 + LEASE, 1, null), 'conflict', 'its commit without a lease');
    equal(await outcomeAt(second, T0 + LEASE, 1, 'next'), 'committed', 'the commit of the next holder');
  },

  'over without a commit hinder nobody': async ({ store }) => {
    await commit(store, entry(ref(), 0));
    await ask(store, 'mine');
    equal(await outcomeAt(store, T0 + LEASE - 1, 1, null), 'conflict', 'a commit before the end');
    equal(await outcomeAt(store, T0 + LEASE, 1, null), 'committed', 'a commit at the end');
  },

  'are given back by their token': async ({ store, second }) => {
    await commit(store, entry(ref(), 0));
    await ask(store, 'mine');
    await second.unlease(ref(), 'other');
    equal((await ask(second, 'other')).outcome, 'busy', 'after a stranger gave it back');
    await store.unlease(ref(), 'mine');
    equal((await ask(second, 'other')).outcome, 'leased', 'after the holder gave it back');
  },

  'are not of an instance that is not there, nor of its namesakes': async ({ store }) => {
    equal(await ask(store, 'mine'), { outcome: 'absent' }, 'without an instance');
    await commit(store, entry(ref('i-1', { tenant: 'other' }), 0));
    equal(await ask(store, 'mine'), { outcome: 'absent' }, 'with one of another tenant');
    await commit(store, entry(ref(), 0));
    await ask(store, 'mine');
    const elsewhere = await tryCommit(store, entry(ref('i-1', { tenant: 'other' }), 1));
    equal(elsewhere.outcome, 'committed', 'a commit of the namesake');
    await store.unlease(ref('i-1', { tenant: 'other' }), 'mine');
    equal((await ask(store, 'another')).outcome, 'busy', 'after the namesake was given back');
  },

  'change nothing of the instance': async ({ store }) => {
    await commit(store, entry(ref(), 0, { next: state({ data: '{"n": 1}' }) }));
    const before = await loaded(store, byId(ref()));
    await ask(store, 'mine', T0 + 1_000);
    equal(await loaded(store, byId(ref())), before, 'the instance under a lease');
  },

  'asked for by many at once are given to one': async ({ store, second, rounds }) => {
    await commit(store, entry(ref(), 0));
    const nodes = [store, second];
    const answers = await Promise.all(
      Array.from({ length: rounds }, (_, n) => ask(nodes[n % 2] ?? store, `token-${n}`)),
    );
    holds(answers.filter(({ outcome }) => outcome === 'leased').length === 1, 'one has got it');
  },

  'let each of many writers have its turn': async ({ store, second, rounds }) => {
    await commit(store, entry(ref(), 0));
    const turn = (node: InstanceStore, token: string) =>
      repeated(`${token} writes`, async () => {
        if ((await ask(node, token)).outcome !== 'leased') return undefined;
        const { version } = await loaded(node, byId(ref()));
        return (await outcomeAt(node, T0, version, token)) === 'committed' || undefined;
      });
    await Promise.all(Array.from({ length: rounds }, (_, n) => turn(n % 2 ? store : second, `t-${n}`)));
    equal((await loaded(store, byId(ref()))).version, rounds + 1, 'the version after all');
  },
});
