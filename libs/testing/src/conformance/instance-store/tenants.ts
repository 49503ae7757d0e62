import { equal } from '../checks.js';
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
  LEASE_MS,
  line,
  loaded,
  loadOne,
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

const ROOMS = [
  { tenant: 'acme', saga: 'order' },
  { tenant: 'umbrella', saga: 'order' },
  { tenant: 'acme', saga: 'refund' },
] as const;

const nameOf = (room: (typeof ROOMS)[number]) => `${room.tenant}/${room.saga}`;

const NOTHING = { instance: null, seen: null, tombstone: null };

export const tenants = about('tenants and sagas', {
  'keep instances, keys, inboxes and history of equal names apart': async ({ store }) => {
    for (const room of ROOMS) {
      const next = state({ state: nameOf(room) });
      const messages = { inbox: inbox('m-1', nameOf(room)), history: [line(nameOf(room))] };
      await commit(store, entry(ref('i-1', room), 0, { next, keys: [key()], ...messages }));
    }
    for (const room of ROOMS) {
      const found = await loadOne(store, byKey(key(), 'm-1', room));
      equal(found.instance?.state, nameOf(room), 'the instance by key');
      equal(found.seen?.outcome, nameOf(room), 'the outcome of the message');
      equal((await loaded(store, byId(ref('i-1', room)))).state, nameOf(room), 'the instance by id');
      equal(
        (await store.history(ref('i-1', room))).map(({ kind }) => kind),
        [nameOf(room)],
        'the history',
      );
      const page = await store.query({ ...room }, { now: T0 });
      equal(
        page.items.map((item) => item.state),
        [nameOf(room)],
        'the query',
      );
    }
  },

  'lead one key to the instance of each, whatever their ids': async ({ store }) => {
    for (const [n, room] of ROOMS.entries())
      await commit(store, entry(ref(`i-${n}`, room), 0, { keys: [key()] }));
    for (const [n, room] of ROOMS.entries())
      equal((await loaded(store, byKey(key(), 'm-1', room))).id, `i-${n}`, `the holder in ${nameOf(room)}`);
  },

  'have messages of their own, also where nobody has looked for them': async ({ store }) => {
    for (const room of ROOMS) await commit(store, entry(ref('i-1', room), 0));
    for (const room of ROOMS) {
      const messages = { inboxBefore: [inbox('m-1')], inbox: inbox('m-2'), ifUnseen: true };
      const { outcome } = await tryCommit(store, entry(ref('i-1', room), 1, messages));
      equal(outcome, 'committed', `the messages in ${nameOf(room)}`);
    }
  },

  'have tombstones of their own': async ({ store }) => {
    const [first, ...others] = ROOMS;
    await commit(store, entry(ref('i-1', first), 0, { keys: [key()], inbox: inbox() }));
    const gone = { ref: ref('i-1', first), expectedVersion: 1, archive: true, now: T0 };
    equal(await store.remove(gone), 'removed', 'the removal');
    for (const room of others) {
      equal(await loadOne(store, byKey(key(), 'm-1', room)), NOTHING, `the key in ${nameOf(room)}`);
      equal(await store.archived(ref('i-1', room)), null, `the archive of ${nameOf(room)}`);
      const anew = entry(ref('i-1', room), 0, { keys: [key()], inbox: inbox(), ifUnseen: true });
      equal((await tryCommit(store, anew)).outcome, 'committed', `a creation in ${nameOf(room)}`);
    }
  },

  'do not see each other': async ({ store }) => {
    await commit(store, entry(ref(), 0, { keys: [key()], inbox: inbox(), history: [line('x')] }));
    for (const room of ROOMS.slice(1)) {
      equal(await loadOne(store, byKey(key(), 'm-1', room)), NOTHING, 'by key');
      equal(await loadOne(store, byId(ref('i-1', room), 'm-1')), NOTHING, 'by id');
      equal(await store.history(ref('i-1', room)), [], 'the history');
      equal((await store.query({ ...room }, { now: T0 })).items, [], 'the query');
      equal((await tryCommit(store, entry(ref('i-1', room), 1))).outcome, 'conflict', 'a change');
    }
  },

  'keep parked and deferred messages of equal names apart': async ({ store }) => {
    for (const room of ROOMS) {
      await store.park(
        [{ ...room, key: key(), delivery: delivery('m-1', { payload: `"${nameOf(room)}"` }), done: [] }],
        { now: T0 },
      );
    }
    for (const room of ROOMS) {
      const add = [delivery('m-2', { payload: `"${nameOf(room)}"` })];
      await commit(store, entry(ref('i-1', room), 0, { keys: [key()], deliveries: { add, done: [] } }));
    }
    await commit(store, entry(ref('i-1', ROOMS[0]), 1, { deliveries: { add: [], done: ['m-1', 'm-2'] } }));
    equal(await store.deliveries(ref('i-1', ROOMS[0])), [], 'the deliveries that were done');
    for (const room of ROOMS.slice(1)) {
      const payloads = (await store.deliveries(ref('i-1', room))).map(({ payload }) => payload);
      equal(payloads, [`"${nameOf(room)}"`, `"${nameOf(room)}"`], 'the deliveries of another room');
    }
  },

  'keep timers of equal names apart': async ({ store }) => {
    for (const room of ROOMS) {
      const arm = [timer('t', { ...ref('i-1', room), token: nameOf(room) })];
      await commit(store, entry(ref('i-1', room), 0, { timers: { arm, disarm: [] } }));
    }
    await commit(store, entry(ref('i-1', ROOMS[1]), 1, { timers: { arm: [], disarm: ['t'] } }));
    await store.dropTimer({ ...ref('i-1', ROOMS[1]), name: 't', token: nameOf(ROOMS[0]) });
    const asked = asking('node-a', T0 + 1_000, { destinations: [SAGA, 'refund'] });
    const { items } = await store.claimTimers(asked);
    equal(
      items.map(({ tenant, saga, token }) => `${tenant}/${saga} ${token}`).toSorted(),
      ['acme/order acme/order', 'acme/refund acme/refund'],
      'the timers that are due',
    );
  },

  'keep work of equal names apart, and its lanes': async ({ store }) => {
    const rows = ['acme', 'umbrella'].flatMap((tenant) =>
      ['w-1', 'w-2'].map((id) => work(id, { tenant, lane: 'i-1', delayMs: 1 })),
    );
    await store.enqueue(rows, by());
    const { items } = await store.claimWork(asking('node-a', T0 + 1));
    equal(
      items.map(({ tenant, id }) => [tenant, id]),
      [
        ['acme', 'w-1'],
        ['umbrella', 'w-1'],
      ],
      'the heads of the lanes',
    );
    await store.completeWork([workKey(work('w-1', { tenant: 'acme' }))]);
    const next = await store.claimWork(asking('node-a', T0 + 1));
    equal(
      next.items.map(({ tenant, id }) => [tenant, id]),
      [['acme', 'w-2']],
      'what is next',
    );
    await store.buryWork(workKey(work('w-1', { tenant: 'umbrella' })), 'broken', { now: T0 });
    equal((await store.deadLetters({ tenant: 'acme' })).length, 0, 'the dead letters of the other tenant');
    equal(await claimedIds(store, 'node-a', T0 + 1 + LEASE_MS), ['w-2'], 'what the other tenant still has');
  },

  'have what is done with work done to their own': async ({ store }) => {
    const names = ['begun', 'renewed', 'released', 'buried', 'completed'];
    const row = (id: string, tenant: string) => work(id, { tenant });
    await store.enqueue(
      ['acme', 'umbrella'].flatMap((tenant) => names.map((id) => row(id, tenant))),
      by(),
    );
    const of = (id: string) => workKey(row(id, 'acme'));
    equal(await store.beginWork(of('begun'), by()), 2, 'the count of an attempt');
    await store.renewWork([of('renewed')], by('node-a', T0 + 1_000));
    await store.releaseWork(of('released'), 5_000_000, 'later', { now: T0 });
    await store.buryWork(of('buried'), 'broken', { now: T0 });
    await store.completeWork([of('completed')]);
    const { items } = await store.claimWork(asking('node-b', T0 + LEASE_MS));
    const found = (tenant: string) =>
      items.filter((item) => item.tenant === tenant).map(({ id, attempts }) => [id, attempts]);
    equal(found('acme'), [['begun', 2]], 'what is left to the one');
    equal(
      found('umbrella'),
      names.map((id) => [id, 1]),
      'what is left to the other',
    );
  },
});
