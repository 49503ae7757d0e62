import { equal } from '../checks.js';
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
  LEASE_MS,
  line,
  loaded,
  loadOne,
  parking,
  ref,
  SAGA,
  state,
  T0,
  timer,
  work,
  workKey,
} from './fixtures.js';
import type { Scene } from './scene.js';
import { about } from './scene.js';

/** What databases that read JSON would tidy up: white space, order and repetition of fields, numbers, escapes. */
const UNTIDY =
  ' { "b" : 1.0, "a":1e2 ,"b": "\\u0000 \\ud83d\\ude00 \\/ \\u00e9", "big": 12345678901234567890 }\n';
const UNICODE = JSON.stringify(
  `Grüße, 你好, שלום, e\u0301, 👩‍👩‍👧‍👦, \u2028, \ufeff, '; drop table x; -- $1 %s \\ "`,
);
const LARGE = JSON.stringify(Array.from({ length: 1 << 16 }, (_, n) => `text number ${n}`)).slice(0, 1 << 20);

/** Writes `text` wherever the store keeps JSON, and reads it back. */
async function verbatim({ store }: Scene, text: string): Promise<void> {
  const next = state({ data: text, machine: text, undo: text });
  await store.park([parking(key(), delivery('parked', { payload: text }))], { now: T0 });
  await commit(
    store,
    entry(ref(), 0, {
      next,
      keys: [key()],
      inbox: inbox('m-1', 'applied', text),
      history: [line('created', { detail: text })],
      work: [work('w-1', { payload: text })],
      timers: { arm: [timer('t', { payload: text })], disarm: [] },
      deliveries: { add: [delivery('deferred', { payload: text })], done: [] },
    }),
  );
  const { instance, seen } = await loadOne(store, byId(ref(), 'm-1'));
  const { items: claimed } = await store.claimWork(asking('node-b', T0 + LEASE_MS));
  const due = await store.claimTimers(asking('node-b', T0 + LEASE_MS, { destinations: [SAGA] }));
  await store.buryWork(workKey(work('w-1')), 'broken', { now: T0 });
  const found = {
    data: instance?.data,
    machine: instance?.machine,
    undo: instance?.undo,
    reply: seen?.reply,
    work: claimed[0]?.payload,
    timer: due.items[0]?.payload,
    deliveries: (await store.deliveries(ref())).map(({ payload }) => payload),
    history: (await store.history(ref()))[0]?.detail,
    letter: (await store.deadLetters({}))[0]?.payload,
  };
  for (const [name, value] of Object.entries(found)) {
    equal(
      [value].flat().every((each) => each === text),
      true,
      `${name} is read back to the letter`,
    );
  }
}

export const texts = about('texts', {
  'are kept to the letter, however untidy': (scene) => verbatim(scene, UNTIDY),
  'are kept to the letter in every script': (scene) => verbatim(scene, UNICODE),
  'of a megabyte are kept to the letter': (scene) => verbatim(scene, LARGE),
  'may be empty': (scene) => verbatim(scene, ''),

  'of names may be in every script, and long': async ({ store }) => {
    const odd = `ключ ' " \\ % _ / : # 👍 ${'x'.repeat(300)}`;
    const of = ref(odd, { tenant: odd, saga: odd });
    const message = inbox(odd, odd);
    const row = work(odd, { tenant: odd, destination: odd, lane: odd });
    const armed = timer(odd, { ...of, token: odd });
    await commit(
      store,
      entry(of, 0, {
        next: state({ state: odd }),
        keys: [key(odd, odd)],
        inbox: message,
        work: [row],
        timers: { arm: [armed], disarm: [] },
      }),
    );
    const found = await loadOne(store, byKey(key(odd, odd), odd, { tenant: odd, saga: odd }));
    equal([found.instance?.id, found.instance?.state], [odd, odd], 'the instance');
    equal(found.seen, message, 'the message');
    const asked = asking('node-b', T0 + LEASE_MS, { destinations: [odd] });
    equal(
      (await store.claimWork(asked)).items.map(({ id, lane }) => [id, lane]),
      [[odd, odd]],
      'the work',
    );
    equal(
      (await store.claimTimers(asked)).items.map(({ token }) => token),
      [odd],
      'the timer',
    );
  },

  'of keys are compared to the letter': async ({ store }) => {
    const values = ['a', 'A', 'a ', ' a', 'á', 'a\u0301', ''];
    const batch = values.map((value, n) => entry(ref(`i-${n}`), 0, { keys: [key(value)] }));
    await store.commit(batch, by());
    for (const [n, value] of values.entries()) {
      equal((await loaded(store, byKey(key(value)))).id, `i-${n}`, `the instance of key "${value}"`);
    }
  },
});
