import { equal, has } from '../checks.js';
import {
  by,
  byId,
  byKey,
  claimedIds,
  commit,
  delivery,
  entry,
  key,
  LEASE_MS,
  loaded,
  loadOne,
  parking,
  ref,
  state,
  T0,
  tryCommit,
  work,
  workKey,
} from './fixtures.js';
import { about } from './scene.js';

const AT = { now: T0 };
const WAKE = work('wake');
const EXPIRED = T0 + LEASE_MS;

export const parked = about('parking', {
  'the commit that claims the key finds the message and writes its wake-up': async ({ store }) => {
    equal(await store.park([parking(key(), delivery())], AT), ['parked'], 'the answer to the parking');
    const result = await commit(store, entry(ref(), 0, { keys: [key()], wakeIfParked: WAKE }));
    has(result, { woken: true, leased: true }, 'the answer to the creation');
    equal((await loaded(store, byId(ref()))).openDeliveries, 1, 'openDeliveries');
    equal(await store.deliveries(ref()), [delivery()], 'the deliveries');
    equal(
      await claimedIds(store, 'node-b', T0 + 1),
      [],
      'what another node gets while the creator has the wake-up',
    );
    equal(
      await claimedIds(store, 'node-b', EXPIRED),
      ['wake'],
      'what another node gets when the creator is gone',
    );
  },

  'with nothing parked there is no wake-up': async ({ store }) => {
    const given = entry(ref(), 0, { keys: [key()], wakeIfParked: WAKE, work: [work('w-1')] });
    has(await commit(store, given), { woken: false }, 'the answer to the creation');
    equal(await claimedIds(store, 'node-b', EXPIRED), ['w-1'], 'the work');
  },

  'with nobody to wake the message waits all the same': async ({ store }) => {
    await store.park([parking(key(), delivery())], AT);
    has(
      await commit(store, entry(ref(), 0, { keys: [key()] })),
      { woken: false },
      'the answer to the creation',
    );
    equal(await store.deliveries(ref()), [delivery()], 'the deliveries');
  },

  'a message for a key with an instance is not parked, and its source keeps it': async ({ store }) => {
    await store.enqueue([work('source')], by());
    await commit(store, entry(ref(), 0, { keys: [key()] }));
    const results = await store.park([parking(key(), delivery(), [workKey(work('source'))])], AT);
    equal(results, ['present'], 'the answer');
    equal(await store.deliveries(ref()), [], 'the deliveries');
    equal((await loadOne(store, byKey(key(), 'm-1'))).seen, null, 'the message');
    equal(await claimedIds(store, 'node-b', EXPIRED), ['source'], 'the source');
  },

  'an ended instance still has its key': async ({ store }) => {
    await commit(store, entry(ref(), 0, { keys: [key()], next: state({ ended: true }) }));
    equal(await store.park([parking(key(), delivery())], AT), ['present'], 'the answer');
  },

  'parking takes the message from its source': async ({ store }) => {
    await store.enqueue([work('source'), work('other')], by());
    await store.park([parking(key(), delivery(), [workKey(work('source'))])], AT);
    equal(await claimedIds(store, 'node-b', EXPIRED), ['other'], 'the work that is left');
  },

  'a message that waits already waits once': async ({ store }) => {
    const twice = [parking(key(), delivery()), parking(key(), delivery())];
    equal(await store.park(twice, AT), ['parked', 'parked'], 'the answers to one call');
    equal(await store.park([parking(key(), delivery())], AT), ['parked'], 'the answer to a later one');
    await commit(store, entry(ref(), 0, { keys: [key()] }));
    equal(await store.deliveries(ref()), [delivery()], 'the deliveries');
  },

  'a message that comes again does not wait longer, nor change': async ({ store }) => {
    const first = delivery('m-1', { ttlMs: 10_000 });
    await store.park([parking(key(), first)], AT);
    await store.park([parking(key(), delivery('m-1', { ttlMs: 10_000, payload: '"other"' }))], {
      now: T0 + 9_000,
    });
    await commit(store, entry(ref(), 0, { keys: [key()] }));
    equal(await store.deliveries(ref()), [first], 'the deliveries');
    equal(
      await store.expireDeliveries({ now: T0 + 10_001 }),
      1,
      'how many expired when the first time is over',
    );
  },

  'every request is answered alone, in order': async ({ store }) => {
    await commit(store, entry(ref(), 0, { keys: [key('has')] }));
    const requests = ['new-1', 'has', 'new-2'].map((value) => parking(key(value), delivery(`m-${value}`)));
    equal(await store.park(requests, AT), ['parked', 'present', 'parked'], 'the answers');
    equal(await store.park([], AT), [], 'the answer to no request');
    await commit(store, entry(ref('i-2'), 0, { keys: [key('new-2')] }));
    equal(
      await store.deliveries(ref('i-2')),
      [delivery('m-new-2')],
      'what was parked behind the one refused',
    );
  },

  'keys that become one instance share one mailbox, oldest first': async ({ store }) => {
    for (const [value, message] of [
      ['a', '1'],
      ['b', '2'],
      ['other', 'x'],
      ['a', '3'],
      ['b', '4'],
    ] as const) {
      await store.park([parking(key(value), delivery(message))], AT);
    }
    await commit(store, entry(ref(), 0, { keys: [key('b'), key('a')] }));
    const ids = (await store.deliveries(ref())).map(({ messageId }) => messageId);
    equal(ids, ['1', '2', '3', '4'], 'the messages');
    equal((await loaded(store, byId(ref()))).openDeliveries, 4, 'openDeliveries');
  },

  'many messages of one call keep their order': async ({ store }) => {
    const ids = Array.from({ length: 30 }, (_, n) => `m-${(n * 7) % 30}`);
    await store.park(
      ids.map((id) => parking(key(), delivery(id))),
      AT,
    );
    await commit(store, entry(ref(), 0, { keys: [key()] }));
    equal(
      (await store.deliveries(ref())).map(({ messageId }) => messageId),
      ids,
      'the messages',
    );
  },

  'a creation that loses leaves parked messages where they are': async ({ store }) => {
    await commit(store, entry(ref('i-1'), 0, { keys: [key('taken')] }));
    await store.park([parking(key('free'), delivery())], AT);
    const loser = entry(ref('i-2'), 0, { keys: [key('free'), key('taken')], wakeIfParked: WAKE });
    equal(await tryCommit(store, loser), { outcome: 'conflict' }, 'the answer to the loser');
    equal(await claimedIds(store, 'node-b', EXPIRED), [], 'the wake-up of the loser');
    const winner = entry(ref('i-3'), 0, { keys: [key('free')], wakeIfParked: WAKE });
    has(await commit(store, winner), { woken: true }, 'the answer to the next creation');
    equal(await store.deliveries(ref('i-3')), [delivery()], 'the deliveries');
  },
});
