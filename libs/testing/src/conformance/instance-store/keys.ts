import type { InstanceStore, KeyClaim } from '@nestjs-orchestrator/core/ports';
import { equal, holds } from '../checks.js';
import {
  by,
  byKey,
  commit,
  delivery,
  entry,
  key,
  loaded,
  loadOne,
  parking,
  ref,
  state,
  T0,
  tryCommit,
  work,
  TENANT,
  SAGA,
} from './fixtures.js';
import { about } from './scene.js';

const CUSTOMER = key('c-1', 'customer');
const shared = (value = 'c-1', name = 'customer'): KeyClaim => ({ name, value, many: true });

async function sharing(store: InstanceStore, of = CUSTOMER, room = { tenant: TENANT, saga: SAGA }) {
  const { items } = await store.query({ ...room, key: of, order: 'oldest' }, { now: T0 });
  return items.map(({ id }) => id);
}

export const keys = about('keys', {
  'may be claimed by a later commit, and lead to the instance from then on': async ({ store }) => {
    await commit(store, entry(ref(), 0, { keys: [key()] }));
    await commit(store, entry(ref(), 1, { keys: [key('t-1', 'tracking')] }));
    equal((await loaded(store, byKey(key('t-1', 'tracking')))).id, 'i-1', 'the instance of the later key');
    equal((await loaded(store, byKey(key()))).version, 2, 'the version by the first key');
  },

  'that another holds make a later commit lose, and nothing of it is written': async ({ store }) => {
    await commit(store, entry(ref('i-1'), 0, { keys: [key('t-1', 'tracking')] }));
    await commit(store, entry(ref('i-2'), 0, { keys: [key('k-2')] }));
    const rival = entry(ref('i-2'), 1, { keys: [key('t-1', 'tracking')], next: state({ state: 'lost' }) });
    equal((await tryCommit(store, rival)).outcome, 'conflict', 'the answer');
    equal((await loaded(store, byKey(key('k-2')))).state, 'awaitingPayment', 'the state of the loser');
    equal((await loaded(store, byKey(key('t-1', 'tracking')))).id, 'i-1', 'the holder of the key');
  },

  'claimed again by their holder change nothing': async ({ store }) => {
    await commit(store, entry(ref(), 0, { keys: [key(), shared()] }));
    await commit(store, entry(ref(), 1, { keys: [key(), shared()] }));
    equal((await loaded(store, byKey(key()))).version, 2, 'the version');
    equal(await sharing(store), ['i-1'], 'the instances of the shared key');
  },

  'claimed later hand over what was parked on them': async ({ store }) => {
    const tracking = key('t-1', 'tracking');
    equal(await store.park([parking(tracking, delivery('m-9'))], { now: T0 }), ['parked'], 'parking');
    await commit(store, entry(ref(), 0, { keys: [key()] }));
    const wake = work('wake');
    const result = await commit(store, entry(ref(), 1, { keys: [tracking], wakeIfParked: wake }));
    equal(result.woken, true, 'whether the wake-up was written');
    const open = await store.deliveries(ref());
    equal(
      open.map(({ messageId }) => messageId),
      ['m-9'],
      'the deliveries of the instance',
    );
  },

  'claimed later put what was parked on them in one line with what waits, each message once': async ({
    store,
  }) => {
    const waiting = async () => (await store.deliveries(ref())).map(({ messageId }) => messageId);
    const [one, two] = [key('t-1', 'tracking'), key('t-2', 'tracking')];
    await store.park([parking(one, delivery('first'))], { now: T0 });
    const add = [delivery('second')];
    await commit(store, entry(ref(), 0, { keys: [key()], deliveries: { add, done: [] } }));
    const parked = ['third', 'second'].map((id) => parking(two, delivery(id)));
    await store.park(parked, { now: T0 });
    await commit(store, entry(ref(), 1, { keys: [two, one] }));
    equal(await waiting(), ['first', 'second', 'third'], 'what waits');
    await commit(store, entry(ref(), 2, { deliveries: { add: [], done: ['second'] } }));
    equal(await waiting(), ['first', 'third'], 'what waits when one of them is done');
    equal((await loaded(store, byKey(key()))).openDeliveries, 2, 'openDeliveries');
  },

  'of many find all their instances, and lead to none': async ({ store }) => {
    await store.commit(
      [
        entry(ref('i-1'), 0, { keys: [key('k-1'), shared()] }),
        entry(ref('i-2'), 0, { keys: [key('k-2'), shared()] }),
        entry(ref('i-3'), 0, { keys: [key('k-3'), shared('c-2')] }),
        entry(ref('i-4'), 0, { keys: [key('k-4'), shared('c-1', 'carrier')] }),
      ],
      by(),
    );
    equal((await sharing(store)).toSorted(), ['i-1', 'i-2'], 'the instances of the key');
    equal((await loadOne(store, byKey(CUSTOMER))).instance, null, 'the instance by key');
  },

  'of many may be the key of one elsewhere': async ({ store }) => {
    await commit(store, entry(ref('i-1'), 0, { keys: [CUSTOMER] }));
    await commit(store, entry(ref('i-2'), 0, { keys: [shared()] }));
    equal(await sharing(store), ['i-2'], 'those that share it');
    equal((await loaded(store, byKey(CUSTOMER))).id, 'i-1', 'the one that holds it');
  },

  'of many are claimed by later commits too, and not by those that lose': async ({ store }) => {
    await commit(store, entry(ref('i-1'), 0));
    equal(
      (await tryCommit(store, entry(ref('i-1'), 0, { keys: [shared()] }))).outcome,
      'conflict',
      'a loser',
    );
    equal(await sharing(store), [], 'after the loser');
    await commit(store, entry(ref('i-1'), 1, { keys: [shared()] }));
    equal(await sharing(store), ['i-1'], 'after the winner');
  },

  'of many are told apart by tenant and saga': async ({ store }) => {
    const elsewhere = { tenant: 'umbrella', saga: SAGA };
    await commit(store, entry(ref('i-1'), 0, { keys: [shared()] }));
    await commit(store, entry(ref('i-2', elsewhere), 0, { keys: [shared()] }));
    equal(await sharing(store), ['i-1'], 'at home');
    equal(await sharing(store, CUSTOMER, elsewhere), ['i-2'], 'elsewhere');
  },

  'of many are paged through, with or without those that have ended': async ({ store }) => {
    const given = Array.from({ length: 7 }, (_, n) => `i-${n}`);
    await store.commit(
      given.map((id, n) => entry(ref(id), 0, { keys: [shared()], next: state({ ended: n % 2 === 1 }) })),
      by(),
    );
    const filter = { tenant: TENANT, saga: SAGA, key: CUSTOMER, ended: false, limit: 3 } as const;
    const first = await store.query(filter, { now: T0 });
    holds(first.next !== null, 'there is a second page');
    const rest = await store.query({ ...filter, cursor: first.next }, { now: T0 });
    const found = [...first.items, ...rest.items].map(({ id }) => id);
    equal(found.toSorted(), ['i-0', 'i-2', 'i-4', 'i-6'], 'those that have not ended');
    equal((await sharing(store)).toSorted(), given, 'all of them');
  },
});
