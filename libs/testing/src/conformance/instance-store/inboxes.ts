import type { InstanceRef, InstanceStore } from '@nestjs-orchestrator/core/ports';
import { equal, holds } from '../checks.js';
import { repeated } from '../gates.js';
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
  loaded,
  loadOne,
  parking,
  ref,
  T0,
  tryCommit,
  work,
} from './fixtures.js';
import { about } from './scene.js';

const DEFERRED = { messageId: 'm-1', outcome: 'deferred', reply: null };

/** Applies a message as a node does that may be offered it twice: load, skip if seen, commit, again after a conflict. */
function applyOnce(store: InstanceStore, of: InstanceRef, messageId: string): Promise<'applied' | 'seen'> {
  return repeated(`applying ${messageId}`, async () => {
    const { instance, seen } = await loadOne(store, byId(of, messageId));
    if (seen !== null) return 'seen';
    const next = entry(of, instance?.version ?? 0, { inbox: inbox(messageId) });
    return (await tryCommit(store, next)).outcome === 'committed' ? 'applied' : undefined;
  });
}

export const inboxes = about('inbox', {
  'a message is not seen before the commit that answers it': async ({ store }) => {
    equal((await loadOne(store, byId(ref(), 'm-1'))).seen, null, 'before the instance');
    await commit(store, entry(ref(), 0));
    equal((await loadOne(store, byId(ref(), 'm-1'))).seen, null, 'before the message');
  },

  'a duplicate gets the outcome and the reply of the first': async ({ store }) => {
    const record = inbox('m-1', 'ignored', '{"ok":true}');
    await commit(store, entry(ref(), 0, { keys: [key()], inbox: record }));
    await commit(store, entry(ref(), 1, { inbox: inbox('m-2') }));
    equal((await loadOne(store, byId(ref(), 'm-1'))).seen, record, 'the first message, by id');
    equal((await loadOne(store, byKey(key(), 'm-1'))).seen, record, 'the first message, by key');
    equal((await loadOne(store, byId(ref(), 'm-2'))).seen, inbox('m-2'), 'the second message');
  },

  'one message may be answered by several instances': async ({ store }) => {
    await commit(store, entry(ref('i-1'), 0, { inbox: inbox('m-1', 'applied') }));
    await commit(store, entry(ref('i-2'), 0));
    equal((await loadOne(store, byId(ref('i-2'), 'm-1'))).seen, null, 'the other instance');
    await commit(store, entry(ref('i-2'), 1, { inbox: inbox('m-1', 'late') }));
    equal((await loadOne(store, byId(ref('i-1'), 'm-1'))).seen?.outcome, 'applied', 'the first instance');
    equal((await loadOne(store, byId(ref('i-2'), 'm-1'))).seen?.outcome, 'late', 'the other instance, later');
  },

  'a deferred message that is applied replaces its row': async ({ store }) => {
    const deferral = { inbox: inbox('m-1', 'deferred'), deliveries: { add: [delivery()], done: [] } };
    await commit(store, entry(ref(), 0, deferral));
    equal((await loadOne(store, byId(ref(), 'm-1'))).seen, DEFERRED, 'the deferred message');
    const applied = inbox('m-1', 'applied', '"done"');
    await commit(store, entry(ref(), 1, { inbox: applied, deliveries: { add: [], done: ['m-1'] } }));
    equal((await loadOne(store, byId(ref(), 'm-1'))).seen, applied, 'the applied message');
  },

  'a deferred message keeps its answer while it waits, and when it has expired': async ({ store }) => {
    const deferral = inbox('m-1', 'deferred', '"later"');
    const add = [delivery('m-1', { ttlMs: 1_000 })];
    await commit(store, entry(ref(), 0, { inbox: deferral, deliveries: { add, done: [] } }));
    equal((await loadOne(store, byId(ref(), 'm-1'))).seen, deferral, 'the answer while it waits');
    equal(await store.expireDeliveries({ now: T0 + 2_000 }), 1, 'how many expired');
    equal((await loadOne(store, byId(ref(), 'm-1'))).seen, deferral, 'the answer when it has expired');
  },

  'a message that waits is seen as deferred: parked on the key, and then handed to the instance': async ({
    store,
  }) => {
    await store.park([parking(key(), delivery('m-1'))], { now: T0 });
    const parked = await loadOne(store, byKey(key(), 'm-1'));
    equal(
      parked,
      { instance: null, seen: DEFERRED, tombstone: null },
      'the answer while no instance has the key',
    );
    equal((await loadOne(store, byKey(key(), 'm-2'))).seen, null, 'another message on the key');
    equal((await loadOne(store, byKey(key('k-2'), 'm-1'))).seen, null, 'the message on another key');
    await commit(store, entry(ref(), 0, { keys: [key('k-0'), key()] }));
    equal((await loadOne(store, byKey(key(), 'm-1'))).seen, DEFERRED, 'by its key');
    equal(
      (await loadOne(store, byKey(key('k-0'), 'm-1'))).seen,
      DEFERRED,
      'by the other key of the instance',
    );
    equal((await loadOne(store, byId(ref(), 'm-1'))).seen, DEFERRED, 'by the id of the instance');
  },

  'a message that waits without a row in the inbox is seen as deferred': async ({ store }) => {
    await commit(store, entry(ref('i-1'), 0, { deliveries: { add: [delivery('m-1')], done: [] } }));
    await commit(store, entry(ref('i-2'), 0));
    equal((await loadOne(store, byId(ref('i-1'), 'm-1'))).seen, DEFERRED, 'the instance it waits for');
    equal((await loadOne(store, byId(ref('i-2'), 'm-1'))).seen, null, 'another instance');
  },

  'messages offered twice by two nodes are applied once each': async ({ store, second, rounds }) => {
    const offers = Array.from({ length: rounds }, (_, n) => ({ of: ref(`i-${n % 3}`), messageId: `m-${n}` }));
    const answers = await Promise.all(
      [store, second].flatMap((node) => offers.map(({ of, messageId }) => applyOnce(node, of, messageId))),
    );
    equal(answers.filter((answer) => answer === 'applied').length, rounds, 'how many were applied');
    const versions = await Promise.all(
      [0, 1, 2].map(async (n) => (await loaded(store, byId(ref(`i-${n}`)))).version),
    );
    equal(
      versions.reduce((sum, version) => sum + version, 0),
      rounds,
      'the versions of the instances, added up',
    );
  },

  'the commit of a duplicate loses beside others that win': async ({ store }) => {
    await commit(store, entry(ref('i-1'), 0, { inbox: inbox('m-1') }));
    const seenTwice = [
      entry(ref('i-2'), 0, { inbox: inbox('m-1') }),
      entry(ref('i-1'), 0, { inbox: inbox('m-1') }),
    ];
    const results = await store.commit([...seenTwice, entry(ref('i-3'), 0, { inbox: inbox('m-1') })], by());
    holds(!results.some((result) => result instanceof Error), 'no entry is an error');
    const versions = results.map((result) => ('version' in result ? result.version : null));
    equal(versions, [1, null, 1], 'the versions written');
  },

  'a commit that was not loaded for its message wins if the message is new': async ({ store }) => {
    const first = entry(ref(), 0, { keys: [key()], inbox: inbox('m-1'), ifUnseen: true });
    equal((await tryCommit(store, first)).outcome, 'committed', 'of the creating commit');
    const second = entry(ref(), 1, { inbox: inbox('m-2'), ifUnseen: true });
    equal((await tryCommit(store, second)).outcome, 'committed', 'of the second commit');
  },

  'a commit that was not loaded for its message loses if that was seen, at any version': async ({
    store,
  }) => {
    await commit(store, entry(ref(), 0, { inbox: inbox('m-1') }));
    await commit(store, entry(ref(), 1, { inbox: inbox('m-2', 'deferred') }));
    for (const messageId of ['m-1', 'm-2']) {
      const again = entry(ref(), 2, { inbox: inbox(messageId), ifUnseen: true });
      equal((await tryCommit(store, again)).outcome, 'conflict', `of ${messageId}`);
    }
    equal((await loaded(store, byId(ref()))).version, 2, 'the version');
  },

  'a message offered twice without a load is applied once': async ({ store, second, rounds }) => {
    await commit(store, entry(ref(), 0));
    for (let version = 1; version <= rounds; version += 1) {
      const offer = entry(ref(), version, { inbox: inbox(`m-${version}`), ifUnseen: true });
      const late = entry(ref(), version + 1, { inbox: inbox(`m-${version}`), ifUnseen: true });
      const results = await Promise.all([tryCommit(store, offer), tryCommit(second, offer)]);
      results.push(await tryCommit(second, late));
      equal(
        results.map(({ outcome }) => outcome).toSorted(),
        ['committed', 'conflict', 'conflict'],
        'the outcomes',
      );
    }
  },

  'messages handled on the way to one version have a row each': async ({ store }) => {
    await commit(store, entry(ref(), 0));
    const [one, two, last] = [inbox('m-1', 'applied', '{"n":1}'), inbox('m-2', 'ignored'), inbox('m-3')];
    await commit(store, entry(ref(), 1, { inboxBefore: [one, two], inbox: last, ifUnseen: true }));
    for (const record of [one, two, last])
      equal((await loadOne(store, byId(ref(), record.messageId))).seen, record, record.messageId);
    equal((await loaded(store, byId(ref()))).version, 2, 'the version');
  },

  'of several messages without a load, one that was seen makes all of them lose': async ({ store }) => {
    await commit(store, entry(ref(), 0, { inbox: inbox('m-0') }));
    await commit(store, entry(ref(), 1, { inbox: inbox('m-2') }));
    const several = (before: readonly string[], last: string) =>
      entry(ref(), 2, {
        inboxBefore: before.map((id) => inbox(id)),
        inbox: inbox(last),
        ifUnseen: true,
        work: [work('w-1')],
      });
    for (const lost of [several(['m-1', 'm-2'], 'm-3'), several(['m-1'], 'm-2')])
      equal((await tryCommit(store, lost)).outcome, 'conflict', 'one of them was seen');
    equal((await loadOne(store, byId(ref(), 'm-1'))).seen, null, 'the message before it');
    equal((await store.claimWork(asking('node-b', T0))).items.length, 0, 'work of what has lost');
    equal((await tryCommit(store, several(['m-1'], 'm-3'))).outcome, 'committed', 'none of them was seen');
  },

  'one entry of several messages that loses leaves its neighbours alone': async ({ store }) => {
    for (const id of ['i-1', 'i-2']) await commit(store, entry(ref(id), 0, { inbox: inbox('m-0') }));
    const several = (id: string, first: string) =>
      entry(ref(id), 1, { inboxBefore: [inbox(first)], inbox: inbox('m-9'), ifUnseen: true });
    const results = await store.commit([several('i-1', 'm-0'), several('i-2', 'm-1')], by());
    equal(
      results.map((result) => (result instanceof Error ? String(result) : result.outcome)),
      ['conflict', 'committed'],
      'the outcomes',
    );
    equal(
      (await loadOne(store, byId(ref('i-2'), 'm-1'))).seen,
      inbox('m-1'),
      'the neighbour’s first message',
    );
  },
});
