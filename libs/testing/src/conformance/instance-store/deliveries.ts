import type { DeadLetter, InstanceStore } from '@nestjs-orchestrator/core/ports';
import { equal, has } from '../checks.js';
import {
  by,
  byId,
  byKey,
  commit,
  delivery,
  entry,
  key,
  loaded,
  loadOne,
  parking,
  ref,
  SAGA,
  T0,
  TENANT,
  tryCommit,
  work,
} from './fixtures.js';
import { about } from './scene.js';

const AT = { now: T0 };
const adding = (...ids: string[]) => ({ deliveries: { add: ids.map((id) => delivery(id)), done: [] } });
const finishing = (...done: string[]) => ({ deliveries: { add: [], done } });

async function waiting(store: InstanceStore): Promise<readonly string[]> {
  return (await store.deliveries(ref())).map(({ messageId }) => messageId);
}

function letterIds(letters: readonly DeadLetter[]): readonly string[] {
  return letters.map(({ id }) => id).toSorted();
}

export const deliveries = about('deliveries', {
  'a deferred message waits with all that was said of it, and is counted': async ({ store }) => {
    const deferred = delivery('m-1', { payload: '{"a": 1}', ttlMs: 5_000 });
    await commit(store, entry(ref(), 0));
    await commit(store, entry(ref(), 1, { deliveries: { add: [deferred], done: [] } }));
    equal(await store.deliveries(ref()), [deferred], 'the deliveries');
    equal((await loaded(store, byId(ref()))).openDeliveries, 1, 'openDeliveries');
    equal(await store.deliveries(ref('none')), [], 'the deliveries of an instance that does not exist');
  },

  'parked ones and deferred ones come in one order, oldest first': async ({ store }) => {
    await store.park([parking(key(), delivery('z-first'))], AT);
    await commit(store, entry(ref(), 0, { keys: [key()], ...adding('y-second', 'x-third') }));
    await commit(store, entry(ref(), 1, adding('a-fourth')));
    equal(await waiting(store), ['z-first', 'y-second', 'x-third', 'a-fourth'], 'the messages');
  },

  'done ones are gone, whether parked or deferred; unknown names are ignored': async ({ store }) => {
    await store.park([parking(key(), delivery('parked'))], AT);
    await commit(store, entry(ref(), 0, { keys: [key()], ...adding('deferred', 'rest') }));
    await commit(store, entry(ref(), 1, finishing('parked', 'deferred', 'unknown')));
    equal(await waiting(store), ['rest'], 'the messages');
    equal((await loaded(store, byId(ref()))).openDeliveries, 1, 'openDeliveries');
    equal((await loadOne(store, byId(ref(), 'parked'))).seen, null, 'the done message');
  },

  'one commit may finish one and defer another': async ({ store }) => {
    await commit(store, entry(ref(), 0, adding('m-1')));
    await commit(store, entry(ref(), 1, { deliveries: { add: [delivery('m-2')], done: ['m-1'] } }));
    equal(await waiting(store), ['m-2'], 'the messages');
  },

  'one that a commit finishes and defers waits anew': async ({ store }) => {
    const [old, anew] = [delivery('m-1', { ttlMs: 1_000 }), delivery('m-1', { payload: '"anew"' })];
    await commit(store, entry(ref(), 0, { deliveries: { add: [old], done: [] } }));
    await commit(store, entry(ref(), 1, { deliveries: { add: [anew], done: ['m-1'] } }));
    equal(await store.expireDeliveries({ now: T0 + 1_001 }), 0, 'how many expired');
    equal(await store.deliveries(ref()), [anew], 'what waits');
  },

  'a message that waits already waits once': async ({ store }) => {
    await store.park([parking(key(), delivery('m-1'))], AT);
    await commit(store, entry(ref(), 0, { keys: [key()], ...adding('m-2') }));
    await commit(store, entry(ref(), 1, adding('m-1', 'm-2')));
    equal(await waiting(store), ['m-1', 'm-2'], 'the messages');
    equal((await loaded(store, byId(ref()))).openDeliveries, 2, 'openDeliveries');
  },

  'one that is deferred again does not wait longer': async ({ store }) => {
    await commit(
      store,
      entry(ref(), 0, { deliveries: { add: [delivery('m-1', { ttlMs: 10_000 })], done: [] } }),
    );
    const again = entry(ref(), 1, { deliveries: { add: [delivery('m-1', { ttlMs: 10_000 })], done: [] } });
    await commit(store, again, by('node-a', T0 + 9_000));
    equal(
      await store.expireDeliveries({ now: T0 + 10_001 }),
      1,
      'how many expired when the first time is over',
    );
  },

  'a commit that loses neither adds nor finishes any': async ({ store }) => {
    await commit(store, entry(ref(), 0, adding('m-1')));
    await tryCommit(store, entry(ref(), 0, { deliveries: { add: [delivery('m-2')], done: ['m-1'] } }));
    equal(await waiting(store), ['m-1'], 'the messages');
  },

  'a deferred one that nobody answers in its time becomes a dead letter': async ({ store }) => {
    const add = [delivery('short', { ttlMs: 1_000 }), delivery('long', { ttlMs: 9_000 })];
    await commit(store, entry(ref(), 0, { deliveries: { add, done: [] } }));
    equal(await store.expireDeliveries({ now: T0 + 999 }), 0, 'how many expired before their time');
    equal(await waiting(store), ['short', 'long'], 'the messages before their time');
    equal(await store.expireDeliveries({ now: T0 + 1_001 }), 1, 'how many expired');
    equal(await waiting(store), ['long'], 'the messages that go on waiting');
    equal((await loaded(store, byId(ref()))).openDeliveries, 1, 'openDeliveries');
    const letters = await store.deadLetters({ tenant: TENANT });
    equal(letterIds(letters), ['short'], 'the dead letters');
    const expected = { tenant: TENANT, destination: `saga:${SAGA}`, payload: add[0]?.payload };
    has(letters[0] ?? {}, { ...expected, attempts: 0, at: T0 + 1_001 }, 'the dead letter');
    equal(await store.expireDeliveries({ now: T0 + 1_002 }), 0, 'how many expired once more');
  },

  'a parked one that nobody claims in its time becomes a dead letter': async ({ store }) => {
    await store.park([parking(key(), delivery('m-1', { ttlMs: 1_000 }))], AT);
    await store.park([parking(key('k-2'), delivery('m-2', { ttlMs: 1_000 }))], { now: T0 + 5_000 });
    equal(await store.expireDeliveries({ now: T0 + 1_001 }), 1, 'how many expired');
    equal(letterIds(await store.deadLetters({})), ['m-1'], 'the dead letters');
    equal((await loadOne(store, byKey(key(), 'm-1'))).seen, null, 'the expired message');
    const creation = entry(ref(), 0, { keys: [key()], wakeIfParked: work('wake') });
    has(await commit(store, creation), { woken: false }, 'the creation after the expiry');
    equal(await waiting(store), [], 'the messages');
  },

  'a parked one that expires leaves the others of its key, which the instance then gets': async ({
    store,
  }) => {
    await store.park([parking(key(), delivery('short', { ttlMs: 1_000 }))], AT);
    await store.park([parking(key(), delivery('long'))], AT);
    equal(await store.expireDeliveries({ now: T0 + 1_001 }), 1, 'how many expired');
    const creation = entry(ref(), 0, { keys: [key()], wakeIfParked: work('wake') });
    has(await commit(store, creation), { woken: true }, 'the creation after the expiry');
    equal(await waiting(store), ['long'], 'the messages');
    equal((await loaded(store, byId(ref()))).openDeliveries, 1, 'openDeliveries');
  },

  'time parked counts when the instance comes': async ({ store }) => {
    await store.park([parking(key(), delivery('m-1', { ttlMs: 1_000 }))], AT);
    await commit(store, entry(ref(), 0, { keys: [key()] }), {
      owner: 'node-a',
      leaseMs: 1_000,
      now: T0 + 900,
    });
    equal(await store.expireDeliveries({ now: T0 + 1_001 }), 1, 'how many expired');
    equal((await loaded(store, byId(ref()))).openDeliveries, 0, 'openDeliveries');
  },
});
