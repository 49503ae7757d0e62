import type { InstanceRef, InstanceStore } from '@nestjs-orchestrator/core/ports';
import { equal, has } from '../checks.js';
import { handled } from '../gates.js';
import {
  asking,
  by,
  byId,
  byKey,
  commit,
  delivery,
  entry,
  inbox,
  key,
  line,
  loaded,
  loadOne,
  missing,
  parking,
  ref,
  SAGA,
  state,
  T0,
  timer,
  tryCommit,
} from './fixtures.js';
import { about } from './scene.js';

const ENDED = { next: state({ state: 'done', status: 'completed', ended: true }) } as const;

function remove(store: InstanceStore, of: InstanceRef, expectedVersion: number, archive = false) {
  return store.remove({ ref: of, expectedVersion, archive, now: T0 + 7 });
}

async function idsOfLetters(store: InstanceStore): Promise<readonly string[]> {
  return (await store.deadLetters({})).map(({ id }) => id).toSorted();
}

export const removals = about('removed instances', {
  'are gone with their keys, timers and history, and leave a tombstone': async ({ store, second }) => {
    const keys = [key(), key('k-2', 'other')];
    const timers = { arm: [timer()], disarm: [] };
    await commit(store, entry(ref(), 0, { keys, timers, inbox: inbox('start'), history: [line('created')] }));
    equal(await store.keys(ref()), keys.toSorted(byName), 'its keys');
    equal(await remove(store, ref(), 1), 'removed', 'the answer');
    const found = await loadOne(second, byKey(key(), 'start'));
    equal(found, { instance: null, seen: null, tombstone: { id: 'i-1', starts: ['start'] } }, 'by its key');
    equal((await loadOne(store, byKey(key('k-2', 'other')))).tombstone?.id, 'i-1', 'by its other key');
    equal((await loadOne(store, byKey(key('k-3')))).tombstone, null, 'by another key');
    equal(await loadOne(store, byId(ref())), { instance: null, seen: null, tombstone: null }, 'by its id');
    equal(await store.history(ref()), [], 'its history');
    equal(await store.keys(ref()), [], 'its keys then');
    const due = await store.claimTimers(asking('node-a', T0 + 99_999, { destinations: [SAGA] }));
    equal(due.items, [], 'its timers');
  },

  'do not come back, and bar who has not looked for a tombstone': async ({ store }) => {
    await commit(store, entry(ref(), 0, { keys: [key()], inbox: inbox('start') }));
    await remove(store, ref(), 1);
    const again = entry(ref(), 0, { keys: [key()], inbox: inbox('start') });
    equal((await tryCommit(store, again)).outcome, 'conflict', 'the same instance once more');
    const unseen = entry(ref('i-2'), 0, { keys: [key()], inbox: inbox('m-2'), ifUnseen: true });
    equal((await tryCommit(store, unseen)).outcome, 'conflict', 'another one, on a guess');
    const known = entry(ref('i-2'), 0, { keys: [key()], inbox: inbox('m-2') });
    equal((await tryCommit(store, known)).outcome, 'committed', 'another one, of who knows the tombstone');
  },

  'are removed at the version that was read, once': async ({ store, second }) => {
    await commit(store, entry(ref(), 0));
    await commit(store, entry(ref(), 1));
    equal(await remove(store, ref(), 1), 'conflict', 'at an older version');
    equal(await remove(store, ref('none'), 1), 'conflict', 'of no instance');
    equal(await remove(store, ref('i-1', { tenant: 'other' }), 2), 'conflict', 'of another tenant');
    const answers = await Promise.all([remove(store, ref(), 2), remove(second, ref(), 2)]);
    equal(answers.toSorted(), ['conflict', 'removed'], 'of two at once');
    equal((await tryCommit(store, entry(ref(), 2))).outcome, 'conflict', 'a commit after that');
  },

  'are not removed under a lease': async ({ store }) => {
    await commit(store, entry(ref(), 0));
    await store.lease({ ref: ref(), token: 't', ...by() });
    equal(await remove(store, ref(), 1), 'conflict', 'while it is leased');
    await store.unlease(ref(), 't');
    equal(await remove(store, ref(), 1), 'removed', 'when it is not');
  },

  'give up what waited for them': async ({ store }) => {
    await store.park([parking(key(), delivery('parked'))], { now: T0 });
    const deliveries = { add: [delivery('deferred')], done: [] };
    await commit(store, entry(ref(), 0, { keys: [key()], deliveries }));
    await remove(store, ref(), 1);
    equal(await idsOfLetters(store), ['deferred', 'parked'], 'the dead letters');
    const [letter = missing('the letter')] = await store.deadLetters({});
    has(letter, { destination: `saga:${SAGA}`, attempts: 0, at: T0 + 7 }, 'the newest of them');
    equal((await loadOne(store, byKey(key(), 'parked'))).seen, null, 'what is known of the parked one');
  },

  'are archived as they were, if that is asked for': async ({ store, second }) => {
    const next = state({ data: '{"b": 1, "a":"\\u0000"}', hold: '{"why": 1}' });
    await commit(store, entry(ref(), 0, { next, keys: [key()], history: [line('created')] }));
    const before = await loaded(store, byId(ref()));
    const history = await store.history(ref());
    equal(await remove(store, ref(), 1, true), 'removed', 'the answer');
    const archived = await second.archived(ref());
    equal(archived, { instance: before, keys: [key()], history, archivedAt: T0 + 7 }, 'the archive');
    equal(await second.archived(ref('i-1', { tenant: 'other' })), null, 'the archive of another tenant');
    await commit(store, entry(ref('i-2'), 0));
    await remove(store, ref('i-2'), 1);
    equal(await store.archived(ref('i-2')), null, 'the archive of one that was not to be kept');
  },

  'that ended may be superseded on their keys by a new one': async ({ store }) => {
    await commit(store, entry(ref('old'), 0, { ...ENDED, keys: [key()], inbox: inbox('first') }));
    const next = { keys: [key()], inbox: inbox('second'), supersedes: 'old' };
    equal((await loadOne(store, byKey(key()))).tombstone, null, 'the tombstone before');
    equal(
      (await tryCommit(store, entry(ref('new'), 0, { ...next, supersedes: null }))).outcome,
      'conflict',
      'without superseding',
    );
    await commit(store, entry(ref('other'), 0, { keys: [key('taken')] }));
    const loser = entry(ref('lost'), 0, { ...next, keys: [key(), key('taken')] });
    equal((await tryCommit(store, loser)).outcome, 'conflict', 'superseding, with a key of another one');
    equal((await loadOne(store, byKey(key()))).tombstone, null, 'the tombstone after that was lost');
    equal((await tryCommit(store, entry(ref('new'), 0, next))).outcome, 'committed', 'superseding');
    const { instance, tombstone } = await loadOne(store, byKey(key()));
    equal([instance?.id, tombstone], ['new', null], 'by the key, while the new one lives');
    equal((await loaded(store, byId(ref('old')))).state, 'done', 'the old one, by its id');
    equal(await store.keys(ref('old')), [], 'the keys of the old one');
    await commit(store, entry(ref('new'), 1, ENDED));
    equal(
      (await loadOne(store, byKey(key()))).tombstone,
      { id: 'old', starts: ['first'] },
      'the tombstone, when the new one has ended',
    );
    await remove(store, ref('new'), 2);
    equal(
      (await loadOne(store, byKey(key()))).tombstone,
      { id: 'new', starts: ['first', 'second'] },
      'the tombstone, when it is removed',
    );
  },

  'that live are not superseded, and only one of two supersedes': async ({ store, second, rounds }) => {
    await commit(store, entry(ref('alive'), 0, { keys: [key('alive')] }));
    const usurper = entry(ref('new'), 0, { keys: [key('alive')], supersedes: 'alive' });
    equal((await tryCommit(store, usurper)).outcome, 'conflict', 'of a living one');
    for (let round = 0; round < rounds; round++) {
      const shared = key(`k-${round}`);
      await commit(store, entry(ref(`old-${round}`), 0, { ...ENDED, keys: [shared] }));
      const heir = (name: string) =>
        entry(ref(`${name}-${round}`), 0, { keys: [shared], supersedes: `old-${round}` });
      const answers = await Promise.all([tryCommit(store, heir('a')), tryCommit(second, heir('b'))]);
      equal(
        answers.filter(({ outcome }) => outcome === 'committed').length,
        1,
        `the heirs in round ${round}`,
      );
    }
  },

  'that were superseded are not taken up again by who has read them before': async ({ store, second }) => {
    for (const name of ['one', 'both'])
      await commit(store, entry(ref(name), 0, { ...ENDED, keys: [key(name), key(`${name} too`)] }));
    const again = { next: state({ status: 'compensating' }) };
    const heir = entry(ref('heir'), 0, { keys: [key('one')], supersedes: 'one' });
    equal((await tryCommit(store, heir)).outcome, 'committed', 'the heir');
    equal((await tryCommit(second, entry(ref('one'), 1, again))).outcome, 'conflict', 'taking it up again');
    has(await loaded(store, byId(ref('one'))), { ended: true, version: 2 }, 'the one that was superseded');
    // In one call, whoever comes first.
    const heirs = [
      entry(ref('both'), 1, again),
      entry(ref('late'), 0, { keys: [key('both')], supersedes: 'both' }),
    ];
    const answers = await store.commit(heirs, by());
    equal(
      answers.map((answer) => (answer instanceof Error ? 'error' : answer.outcome)),
      ['committed', 'conflict'],
      'the answers where it was taken up again first',
    );
    await commit(store, entry(ref('both'), 2, ENDED));
    const two = { keys: [key('both'), key('both too')], supersedes: 'both' };
    equal((await tryCommit(store, entry(ref('two'), 0, two))).outcome, 'committed', 'the heir of two keys');
    equal((await loaded(store, byId(ref('both')))).version, 4, 'the version of whom it has superseded');
  },

  'are not superseded while a transaction is about to take them up again': async ({ store, second }) => {
    await commit(store, entry(ref(), 0, { ...ENDED, keys: [key()] }));
    const heir = entry(ref('heir'), 0, { keys: [key()], supersedes: ref().id });
    const racing = await store.transaction(
      async (tx) => {
        const taken = await tx.commit(entry(ref(), 1, { next: state({ status: 'compensating' }) }));
        equal(taken.outcome, 'committed', 'taking it up again');
        const answer = handled(tryCommit(second, heir));
        // A store that does not wait has answered by then.
        for (let turns = 0; turns < 2; turns += 1) await second.ping();
        return { answer };
      },
      { now: T0 },
    );
    equal((await racing.answer).outcome, 'conflict', 'superseding meanwhile');
    equal((await tryCommit(second, heir)).outcome, 'conflict', 'superseding when it lives again');
    equal((await loaded(store, byKey(key()))).id, ref().id, 'whom the key leads to');
  },

  'that had ended are taken up again by a commit that says so': async ({ store }) => {
    await commit(store, entry(ref(), 0, ENDED));
    await commit(store, entry(ref(), 1, { next: state({ status: 'compensating' }) }), by('node-a', T0 + 9));
    has(await loaded(store, byId(ref())), { ended: false, endedAt: null }, 'the instance');
    await commit(store, entry(ref(), 2, ENDED), by('node-a', T0 + 20));
    has(await loaded(store, byId(ref())), { ended: true, endedAt: T0 + 20 }, 'the instance, ended anew');
  },
});

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}
