import { equal } from '../checks.js';
import { by, commit, entry, line, ref, T0, tryCommit } from './fixtures.js';
import { about } from './scene.js';

export const histories = about('history', {
  'is read as it was written, oldest first, with version and instant': async ({ store }) => {
    const first = [line('z-created', { to: 'a' }), line('a-sent', { detail: '{"to": "b"}' })];
    const second = [line('m-moved', { name: 'paid', messageId: 'm-2', from: 'a', to: 'b' })];
    await commit(store, entry(ref(), 0, { history: first }));
    await commit(store, entry(ref(), 1));
    await commit(store, entry(ref(), 2, { history: second }), by('node-b', T0 + 5));
    const expected = [
      ...first.map((each) => ({ ...each, version: 1, at: T0 })),
      ...second.map((each) => ({ ...each, version: 3, at: T0 + 5 })),
    ];
    equal(await store.history(ref()), expected, 'the history');
  },

  'of many lines of one commit keeps their order': async ({ store }) => {
    const history = Array.from({ length: 40 }, (_, n) => line(`kind-${(n * 7) % 40}`));
    await commit(store, entry(ref(), 0, { history }));
    const kinds = (await store.history(ref())).map(({ kind }) => kind);
    equal(
      kinds,
      history.map(({ kind }) => kind),
      'the kinds',
    );
  },

  'is one for each instance, and empty for one that does not exist': async ({ store }) => {
    await commit(store, entry(ref('i-1'), 0, { history: [line('one')] }));
    await commit(store, entry(ref('i-2'), 0, { history: [line('two')] }));
    equal(
      (await store.history(ref('i-2'))).map(({ kind }) => kind),
      ['two'],
      'the history of the second',
    );
    equal(await store.history(ref('none')), [], 'the history of one that does not exist');
  },

  'has nothing of a commit that lost': async ({ store }) => {
    await commit(store, entry(ref(), 0, { history: [line('won')] }));
    await tryCommit(store, entry(ref(), 0, { history: [line('lost')] }));
    equal(
      (await store.history(ref())).map(({ kind }) => kind),
      ['won'],
      'the kinds',
    );
  },
});
