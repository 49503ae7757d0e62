import { equal, has } from '../checks.js';
import { by, byId, byKey, commit, entry, key, loaded, loadOne, ref, state, T0 } from './fixtures.js';
import { about } from './scene.js';

export const instances = about('instances', {
  'a new one is read back as it was written, by id and by key': async ({ store }) => {
    const next = state({ definitionVersion: 3, state: 'a.b', status: 'compensating', undo: '[{"n":1}]' });
    const result = await commit(store, entry(ref(), 0, { next, keys: [key()] }));
    equal(result.version, 1, 'the version of the first commit');
    const expected = {
      ...ref(),
      ...next,
      version: 1,
      openDeliveries: 0,
      createdAt: T0,
      updatedAt: T0,
      endedAt: null,
    };
    equal(await loaded(store, byId(ref())), expected, 'the instance by id');
    equal(await loaded(store, byKey(key())), expected, 'the instance by key');
  },

  'each commit raises the version by one and replaces the state': async ({ store }) => {
    await commit(store, entry(ref(), 0));
    const next = state({ state: 'awaitingStock', status: 'held', data: '{}', machine: '2', undo: '[1]' });
    equal((await commit(store, entry(ref(), 1, { next }))).version, 2, 'the version of the second commit');
    equal((await commit(store, entry(ref(), 2, { next }))).version, 3, 'the version of the third commit');
    has(await loaded(store, byId(ref())), { ...next, version: 3 }, 'the instance after three commits');
  },

  'creation is remembered, change is dated anew': async ({ store }) => {
    await commit(store, entry(ref(), 0));
    await commit(store, entry(ref(), 1), by('node-a', T0 + 7_000));
    has(await loaded(store, byId(ref())), { createdAt: T0, updatedAt: T0 + 7_000 }, 'the dates');
  },

  'the end is dated when it is first reached': async ({ store }) => {
    const ended = state({ state: 'completed', ended: true });
    await commit(store, entry(ref(), 0));
    equal((await loaded(store, byId(ref()))).endedAt, null, 'endedAt of a living instance');
    await commit(store, entry(ref(), 1, { next: ended }), by('node-a', T0 + 1_000));
    await commit(store, entry(ref(), 2, { next: ended }), by('node-a', T0 + 2_000));
    has(
      await loaded(store, byId(ref())),
      { endedAt: T0 + 1_000, updatedAt: T0 + 2_000, ended: true },
      'the dates of an ended instance',
    );
  },

  'one that is created ended is dated at once': async ({ store }) => {
    await commit(store, entry(ref(), 0, { next: state({ status: 'completed', ended: true }) }));
    equal((await loaded(store, byId(ref()))).endedAt, T0, 'endedAt');
  },

  'load answers every request, in order': async ({ store }) => {
    await commit(store, entry(ref('i-1'), 0, { keys: [key('k-1')] }));
    await commit(store, entry(ref('i-2'), 0, { keys: [key('k-2')] }));
    const requests = [
      byKey(key('k-2')),
      byId(ref('none')),
      byId(ref('i-1')),
      byKey(key('none')),
      byId(ref('i-1')),
    ];
    const results = await store.load(requests, { now: T0 });
    const ids = results.map(({ instance }) => instance?.id ?? null);
    equal(ids, ['i-2', null, 'i-1', null, 'i-1'], 'the ids of the answers');
    equal(await store.load([], { now: T0 }), [], 'the answer to no request');
  },

  'several keys lead to one instance, told apart by name and value': async ({ store }) => {
    const keys = [key('7', 'orderId'), key('8', 'consignment')];
    await commit(store, entry(ref(), 0, { keys }));
    for (const each of keys)
      equal((await loaded(store, byKey(each))).id, 'i-1', `the instance of ${each.name}`);
    equal((await loadOne(store, byKey(key('8', 'orderId')))).instance, null, 'a value under the other name');
  },

  'names with separators in them stay apart': async ({ store }) => {
    await commit(store, entry(ref('i-1'), 0, { keys: [key('b:c', 'a')] }));
    await commit(store, entry(ref('i-2'), 0, { keys: [key('c', 'a:b')] }));
    equal((await loaded(store, byKey(key('b:c', 'a')))).id, 'i-1', 'the instance of (a, b:c)');
    equal((await loaded(store, byKey(key('c', 'a:b')))).id, 'i-2', 'the instance of (a:b, c)');
  },

  'what is read is a copy': async ({ store }) => {
    await commit(store, entry(ref(), 0));
    Object.assign(await loaded(store, byId(ref())), { state: 'tampered', version: 99 });
    has(
      await loaded(store, byId(ref())),
      { state: 'awaitingPayment', version: 1 },
      'the instance read again',
    );
  },

  'what was written is a copy': async ({ store }) => {
    const next = { ...state() };
    await commit(store, entry(ref(), 0, { next }));
    next.data = '"tampered"';
    equal((await loaded(store, byId(ref()))).data, state().data, 'the data read back');
  },
});
