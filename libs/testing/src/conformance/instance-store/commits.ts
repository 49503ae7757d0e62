import { equal, holds } from '../checks.js';
import {
  asking,
  by,
  byId,
  byKey,
  claimedIds,
  commit,
  delivery,
  entry,
  inbox,
  key,
  line,
  loaded,
  loadOne,
  outcomes,
  ref,
  SAGA,
  state,
  T0,
  timer,
  tryCommit,
  work,
  workKey,
} from './fixtures.js';
import { about } from './scene.js';

const LATER = T0 + 365 * 24 * 3_600_000;

export const commits = about('commits', {
  'of two on one version the first wins, and nothing of the second is written': async ({ store }) => {
    await store.enqueue([work('source')], by());
    await commit(store, entry(ref(), 0, { deliveries: { add: [delivery('d-0')], done: [] } }));
    await commit(store, entry(ref(), 1, { timers: { arm: [timer('kept')], disarm: [] } }));
    const loser = entry(ref(), 1, {
      next: state({ state: 'lost', ended: true }),
      keys: [key('lost')],
      inbox: inbox('lost'),
      work: [work('lost')],
      history: [line('lost')],
      timers: { arm: [timer('lost')], disarm: ['kept'] },
      deliveries: { add: [delivery('lost')], done: ['d-0'] },
      wakeIfParked: work('lost-wake'),
      done: [workKey(work('source'))],
    });
    equal(await tryCommit(store, loser), { outcome: 'conflict' }, 'the answer to the second');
    const { instance, seen } = await loadOne(store, byId(ref(), 'lost'));
    equal(
      [instance?.version, instance?.state, instance?.endedAt],
      [2, 'awaitingPayment', null],
      'the instance',
    );
    equal(seen, null, 'the inbox row of the loser');
    equal((await loadOne(store, byKey(key('lost')))).instance, null, 'the key of the loser');
    equal(await store.history(ref()), [], 'the history');
    equal(await store.deliveries(ref()), [delivery('d-0')], 'the deliveries');
    equal(await claimedIds(store, 'node-b', LATER), ['source'], 'the work');
    const timers = await store.claimTimers(asking('node-b', LATER, { destinations: [SAGA] }));
    equal(
      timers.items.map(({ name }) => name),
      ['kept'],
      'the timers',
    );
  },

  'creating what exists, changing what does not, and skipping a version lose': async ({ store }) => {
    await commit(store, entry(ref(), 0));
    equal((await tryCommit(store, entry(ref(), 0))).outcome, 'conflict', 'creating what exists');
    equal(
      (await tryCommit(store, entry(ref('none'), 1))).outcome,
      'conflict',
      'changing what does not exist',
    );
    equal((await tryCommit(store, entry(ref(), 2))).outcome, 'conflict', 'a version that is yet to come');
    equal((await loadOne(store, byId(ref('none')))).instance, null, 'the instance that does not exist');
    equal((await loaded(store, byId(ref()))).version, 1, 'the version');
  },

  'a key that another instance holds makes a creation lose, with its other keys': async ({ store }) => {
    await commit(store, entry(ref('i-1'), 0, { keys: [key('taken')] }));
    const rival = entry(ref('i-2'), 0, { keys: [key('free'), key('taken')], inbox: inbox() });
    equal(await tryCommit(store, rival), { outcome: 'conflict' }, 'the answer to the rival');
    equal((await loadOne(store, byId(ref('i-2')))).instance, null, 'the instance of the rival');
    equal((await loaded(store, byKey(key('taken')))).id, 'i-1', 'the holder of the key');
    await commit(store, entry(ref('i-3'), 0, { keys: [key('free')] }));
  },

  'each entry of a batch wins or loses alone, with one answer each, in order': async ({ store }) => {
    await commit(store, entry(ref('old'), 0, { keys: [key('taken')] }));
    await commit(store, entry(ref('old'), 1));
    await commit(store, entry(ref('dup'), 0, { inbox: inbox('m-dup') }));
    const results = await store.commit(
      [
        entry(ref('new-1'), 0, { keys: [key('k-new-1')], inbox: inbox(), work: [work('w-1')] }),
        entry(ref('old'), 1, { inbox: inbox('m-late'), work: [work('w-lost')] }),
        entry(ref('new-2'), 0, { keys: [key('taken')] }),
        entry(ref('dup'), 0, { inbox: inbox('m-dup') }),
        entry(ref('new-3'), 0, { keys: [key('k-new-3')], inbox: inbox(), work: [work('w-3')] }),
      ],
      by(),
    );
    equal(outcomes(results), ['committed', 'conflict', 'conflict', 'conflict', 'committed'], 'the answers');
    equal(await claimedIds(store, 'node-b', LATER), ['w-1', 'w-3'], 'the work of the winners');
    equal((await loaded(store, byKey(key('k-new-3')))).version, 1, 'the winner behind the losers');
  },

  'a large batch commits as a whole': async ({ store }) => {
    const ids = Array.from({ length: 200 }, (_, n) => `i-${n}`);
    const batch = ids.map((id) => entry(ref(id), 0, { keys: [key(id)], inbox: inbox(), work: [work(id)] }));
    const results = await store.commit(batch, by());
    equal([...new Set(outcomes(results))], ['committed'], 'the answers');
    equal(results.length, ids.length, 'how many answers');
    const found = await store.load(
      ids.map((id) => byKey(key(id), 'm-1')),
      { now: T0 },
    );
    equal(
      found.map(({ instance }) => instance?.id),
      ids,
      'the instances',
    );
    holds(
      found.every(({ seen }) => seen?.outcome === 'applied'),
      'every message is in its inbox',
    );
    equal(await store.commit([], by()), [], 'the answer to an empty batch');
  },

  'of two creations of one key in a batch exactly one wins': async ({ store }) => {
    const rivals = ['i-1', 'i-2'].map((id) => entry(ref(id), 0, { keys: [key('same')] }));
    const results = outcomes(
      await store.commit([...rivals, entry(ref('i-3'), 0, { keys: [key('own')] })], by()),
    );
    equal(results.slice(0, 2).toSorted(), ['committed', 'conflict'], 'the answers to the rivals');
    equal(results[2], 'committed', 'the answer to the one beside them');
    const winner = results[0] === 'committed' ? 'i-1' : 'i-2';
    equal((await loaded(store, byKey(key('same')))).id, winner, 'the holder of the key');
  },

  'a text that the database refuses harms no other entry': async ({ store }) => {
    const odd = entry(ref('odd'), 0, { next: state({ state: 'a\u0000b' }) });
    const results = await store.commit([entry(ref('i-1'), 0), odd, entry(ref('i-2'), 0)], by());
    const [first, middle, last] = outcomes(results);
    equal([first, last], ['committed', 'committed'], 'the answers to its neighbours');
    const { instance } = await loadOne(store, byId(ref('odd')));
    if (middle === 'committed') equal(instance?.state, 'a\u0000b', 'the text, which was taken');
    else equal([middle, instance], ['error', null], 'the refused entry');
    equal((await loaded(store, byId(ref('i-2')))).version, 1, 'the neighbour');
  },
});
