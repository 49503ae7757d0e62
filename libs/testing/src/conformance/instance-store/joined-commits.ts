import { ConformanceFailure, equal } from '../checks.js';
import {
  by,
  byId,
  byKey,
  claimedIds,
  commit,
  delivery,
  entry,
  inbox,
  key,
  loaded,
  loadOne,
  parking,
  ref,
  state,
  T0,
  tryCommit,
  work,
} from './fixtures.js';
import { arrives, gate } from '../gates.js';
import { about } from './scene.js';

const AT = { now: T0 };
const FAILED = new Error('rolled back');

export const joinedCommits = about('commits in a transaction', {
  'exist when it is committed, for it alone before': async ({ store, second }) => {
    const first = entry(ref(), 0, { keys: [key()], inbox: inbox(), work: [work('effect')] });
    await store.transaction(async (tx) => {
      const result = await tx.commit(first);
      equal(result, { outcome: 'committed', version: 1, leased: false, woken: false }, 'the answer');
      equal((await loadOne(second, byKey(key()))).instance, null, 'what others load');
      const [own] = await tx.load([byKey(key(), 'm-1')]);
      equal(own?.instance?.version, 1, 'what it loads itself');
      equal(own?.seen?.outcome, 'applied', 'what it knows of the message');
      const next = entry(ref(), 1, { next: state({ state: 'next' }) });
      equal((await tx.commit(next)).outcome, 'committed', 'its second commit');
    }, AT);
    const { version, state: where } = await loaded(second, byKey(key()));
    equal([version, where], [2, 'next'], 'what others load then');
    equal(await claimedIds(second, 'node-b', T0), ['effect'], 'the work that others can claim');
  },

  'never were when it is rolled back': async ({ store }) => {
    await commit(store, entry(ref('i-2'), 0));
    const rolledBack = store.transaction(async (tx) => {
      await tx.commit(entry(ref(), 0, { keys: [key()], work: [work('effect')] }));
      await tx.commit(entry(ref('i-2'), 1));
      await tx.park([parking(key('k-9'), delivery('m-9'))]);
      throw FAILED;
    }, AT);
    await rolledBack.catch((error: unknown) => {
      if (error !== FAILED) throw new ConformanceFailure('the error of the work', FAILED, error);
    });
    equal((await loadOne(store, byKey(key()))).instance, null, 'the created instance');
    equal((await loaded(store, byId(ref('i-2')))).version, 1, 'the changed instance');
    equal((await loadOne(store, byKey(key('k-9'), 'm-9'))).seen, null, 'the parked message');
    equal(await claimedIds(store, 'node-b', T0), [], 'the work');
    equal(
      (await tryCommit(store, entry(ref(), 0, { keys: [key()] }))).outcome,
      'committed',
      'who comes next',
    );
  },

  'see what waits for an instance as they have left it': async ({ store, second }) => {
    const [waits, comes] = [delivery('m-1'), delivery('m-2')];
    await commit(store, entry(ref(), 0, { keys: [key()], deliveries: { add: [waits], done: [] } }));
    const ids = async (of: Pick<typeof store, 'deliveries'>): Promise<readonly string[]> =>
      (await of.deliveries(ref())).map(({ messageId }) => messageId);
    await store.transaction(async (tx) => {
      equal(await ids(tx), ['m-1'], 'what waited before');
      await tx.commit(entry(ref(), 1, { deliveries: { add: [comes], done: [] } }));
      equal(await tx.deliveries(ref()), [waits, comes], 'with what it has added');
      await tx.commit(entry(ref(), 2, { deliveries: { add: [], done: ['m-1'] } }));
      equal(await ids(tx), ['m-2'], 'without what it has done');
      equal(await ids(second), ['m-1'], 'what others see meanwhile');
      await tx.commit(entry(ref(), 3, { deliveries: { add: [], done: ['m-2'] } }));
      equal(await ids(tx), [], 'without what it had added');
    }, AT);
    equal(await ids(second), [], 'what others see then');
  },

  'lose to an older winner': async ({ store }) => {
    await commit(store, entry(ref(), 0, { keys: [key()] }));
    await commit(store, entry(ref(), 1));
    await store.transaction(async (tx) => {
      equal((await tx.commit(entry(ref(), 1))).outcome, 'conflict', 'an old version');
    }, AT);
    await store.transaction(async (tx) => {
      const taken = entry(ref('i-2'), 0, { keys: [key()] });
      equal((await tx.commit(taken)).outcome, 'conflict', 'a taken key');
    }, AT);
  },

  'make others lose while it is open, and wait for nothing': async ({ store, second }) => {
    await commit(store, entry(ref('i-1'), 0));
    await store.transaction(async (tx) => {
      await tx.commit(entry(ref('i-1'), 1));
      await tx.commit(entry(ref('i-2'), 0, { keys: [key('k-2')] }));
      equal((await tryCommit(second, entry(ref('i-1'), 1))).outcome, 'conflict', 'a change beside it');
      const rival = entry(ref('i-3'), 0, { keys: [key('k-2')] });
      equal((await tryCommit(second, rival)).outcome, 'conflict', 'a creation with its key');
      const asked = { ref: ref('i-1'), token: 't', ...by('node-b') };
      equal((await second.lease(asked)).outcome, 'busy', 'a lease beside it');
      const parked = await second.park([parking(key('k-2'), delivery('m-2'))], AT);
      equal(parked, ['present'], 'a message parked on its key');
      const gone = { ref: ref('i-1'), expectedVersion: 1, archive: false, ...AT };
      equal(await second.remove(gone), 'conflict', 'a removal beside it');
    }, AT);
    equal((await loaded(second, byId(ref('i-1')))).version, 2, 'the version after it');
  },

  'are joined through the manager as well': async ({ store }) => {
    await store.transaction(async ({ manager }) => {
      const joined = store.within(manager, AT);
      await joined.commit(entry(ref(), 0, { keys: [key()] }));
      equal(await joined.park([parking(key('k-2'), delivery('m-2'))]), ['parked'], 'the parked message');
    }, AT);
    equal((await loaded(store, byKey(key()))).version, 1, 'the instance');
    equal((await loadOne(store, byKey(key('k-2'), 'm-2'))).seen?.outcome, 'deferred', 'the parked message');
  },

  'tell every node of their end, also where they leave no work': async ({ store, second }) => {
    const hints = [store, second].map((node) => {
      const heard = gate();
      return { heard: heard.passed, stop: node.onWork(heard.open) };
    });
    await store.transaction((tx) => tx.commit(entry(ref(), 0)), AT);
    for (const { heard } of hints) await arrives(heard, 'the hint of a commit');
    for (const { stop } of hints) stop();
  },

  'hand over what was parked on their keys': async ({ store }) => {
    await store.park([parking(key(), delivery('m-2'))], AT);
    const wake = work('wake');
    await store.transaction(async (tx) => {
      const result = await tx.commit(entry(ref(), 0, { keys: [key()], wakeIfParked: wake }));
      equal(result.outcome, 'committed', 'the answer');
    }, AT);
    equal(await claimedIds(store, 'node-b', T0), ['wake'], 'the work');
    equal(
      (await store.deliveries(ref())).map(({ messageId }) => messageId),
      ['m-2'],
      'what waits',
    );
  },
});
