import type { InstanceStore, TimerRecord } from '@nestjs-orchestrator/core/ports';
import { equal, has } from '../checks.js';
import { repeated } from '../gates.js';
import { asking, by, commit, entry, LEASE_MS, ref, SAGA, T0, timer, tryCommit } from './fixtures.js';
import { about } from './scene.js';

const arming = (...arm: readonly TimerRecord[]) => ({ timers: { arm, disarm: [] } });
const FOR = { destinations: [SAGA] };

async function due(store: InstanceStore, now: number, limit = 100) {
  return store.claimTimers(asking('node-a', now, { ...FOR, limit }));
}

async function dueTokens(store: InstanceStore, now: number, limit = 100): Promise<readonly string[]> {
  return (await due(store, now, limit)).items.map(({ token }) => token);
}

export const timers = about('timers', {
  'come when they are due, as they were armed': async ({ store }) => {
    const armed = timer('timeout', { delayMs: 86_400_000, payload: '{"node":"a.b", "epoch":2}' });
    await commit(store, entry(ref(), 0, arming(armed)));
    const early = await due(store, T0 + 86_399_999);
    equal(early, { items: [], nextDueMs: 1 }, 'the answer a millisecond early');
    const { items } = await due(store, T0 + 86_400_000);
    const { delayMs: _, ...expected } = armed;
    equal(items.length, 1, 'how many are due');
    has(items[0] ?? {}, { ...expected, attempts: 1, dueAt: T0 + 86_400_000 }, 'the timer');
  },

  'of more than 25 days keep their time': async ({ store }) => {
    const year = 365 * 86_400_000;
    await commit(store, entry(ref(), 0, arming(timer('renewal', { delayMs: year }))));
    equal((await due(store, T0)).nextDueMs, year, 'nextDueMs');
    equal(await dueTokens(store, T0 + year - 1), [], 'what is due a millisecond early');
    equal(await dueTokens(store, T0 + year), ['renewal#1'], 'what is due in time');
  },

  'say when the next one is due': async ({ store }) => {
    equal(await due(store, T0), { items: [], nextDueMs: null }, 'the answer without timers');
    await commit(
      store,
      entry(ref(), 0, arming(timer('b', { delayMs: 9_000 }), timer('a', { delayMs: 4_000 }))),
    );
    equal((await due(store, T0 + 1_000)).nextDueMs, 3_000, 'nextDueMs');
    await commit(store, entry(ref(), 1, { timers: { arm: [], disarm: ['a'] } }));
    equal((await due(store, T0 + 1_000)).nextDueMs, 8_000, 'nextDueMs after disarming the earlier one');
  },

  'armed again have the new token and time only': async ({ store }) => {
    await commit(store, entry(ref(), 0, arming(timer('t', { token: 'old', delayMs: 1_000, payload: '1' }))));
    await commit(store, entry(ref(), 1, arming(timer('t', { token: 'new', delayMs: 5_000, payload: '2' }))));
    equal(await dueTokens(store, T0 + 4_999), [], 'what is due when the old one would have been');
    const { items } = await due(store, T0 + 5_000);
    equal(
      items.map(({ token, payload }) => [token, payload]),
      [['new', '2']],
      'what is due',
    );
  },

  'armed again under a lease are free when they are due anew': async ({ store }) => {
    await commit(store, entry(ref(), 0, arming(timer('t', { token: 'old' }))));
    equal(await dueTokens(store, T0 + 1_000), ['old'], 'what is due first');
    await commit(store, entry(ref(), 1, arming(timer('t', { token: 'new', delayMs: 2_000 }))));
    const { items } = await due(store, T0 + 2_000);
    equal(
      items.map(({ token, attempts, suspect }) => [token, attempts, suspect]),
      [['new', 1, false]],
      'what is due while the lease on the old one runs, as if nobody had ever had it',
    );
  },

  'that are disarmed never come; names that are not armed are ignored': async ({ store }) => {
    await commit(store, entry(ref(), 0, arming(timer('a'), timer('b'))));
    await commit(store, entry(ref(), 1, { timers: { arm: [timer('c')], disarm: ['a', 'unknown'] } }));
    equal((await dueTokens(store, T0 + 99_999)).toSorted(), ['b#1', 'c#1'], 'what is due');
  },

  'come earliest first, no more than the limit': async ({ store }) => {
    const delays = { late: 3_000, early: 1_000, middle: 2_000 };
    const armed = Object.entries(delays).map(([name, delayMs]) => timer(name, { delayMs }));
    await commit(store, entry(ref(), 0, arming(...armed)));
    const first = await due(store, T0 + 10_000, 2);
    equal(
      first.items.map(({ name }) => name),
      ['early', 'middle'],
      'the first two',
    );
    equal(first.nextDueMs, 0, 'nextDueMs while more is due');
    equal(await dueTokens(store, T0 + 10_000, 2), ['late#1'], 'the rest');
  },

  'come again, as suspects, when a lease is over': async ({ store }) => {
    await commit(store, entry(ref(), 0, arming(timer())));
    await due(store, T0 + 1_000);
    const early = await due(store, T0 + 1_000 + LEASE_MS - 1);
    equal(early, { items: [], nextDueMs: 1 }, 'the answer a millisecond early');
    const { items } = await due(store, T0 + 1_000 + LEASE_MS);
    equal(
      items.map((each) => [each.attempts, each.suspect, each.dueAt]),
      [[1, true, T0 + 1_000]],
      'attempts and time of the second',
    );
    equal(await store.beginTimer(timer(), by('node-b')), null, 'the count for another node');
    equal(
      await store.beginTimer(timer('timeout', { token: 'old' }), by()),
      null,
      'the count of another arming',
    );
    equal(await store.beginTimer(timer(), by()), 2, 'the count for its holder');
  },

  'are dropped by their token, not by an old one': async ({ store }) => {
    await commit(store, entry(ref(), 0, arming(timer('t', { token: 'old' }), timer('gone'))));
    await commit(store, entry(ref(), 1, arming(timer('t', { token: 'new' }))));
    await store.dropTimer({ ...ref(), name: 't', token: 'old' });
    await store.dropTimer({ ...ref(), name: 'gone', token: 'gone#1' });
    await store.dropTimer({ ...ref(), name: 'unknown', token: 'x' });
    equal(await dueTokens(store, T0 + 99_999), ['new'], 'what is due');
  },

  'that are given back come after the delay, but not for an old token': async ({ store }) => {
    await commit(store, entry(ref(), 0, arming(timer('t'))));
    await due(store, T0 + 1_000);
    await store.releaseTimer({ ...ref(), name: 't', token: 'old' }, 0, { now: T0 + 1_000 });
    equal(await dueTokens(store, T0 + 1_001), [], 'what an old token frees');
    await store.releaseTimer({ ...ref(), name: 't', token: 't#1' }, 2_000, { now: T0 + 1_500 });
    equal(await due(store, T0 + 3_499), { items: [], nextDueMs: 1 }, 'the answer a millisecond early');
    const { items } = await due(store, T0 + 3_500);
    equal(
      items.map(({ token, attempts, suspect }) => [token, attempts, suspect]),
      [['t#1', 2, false]],
      'what is due after the delay',
    );
    await store.releaseTimer({ ...ref(), name: 't', token: 't#1' }, 0, { now: T0 + 3_500 }, false);
    equal(
      (await due(store, T0 + 3_500)).items[0]?.attempts,
      2,
      'its attempts when the last one is taken back',
    );
  },

  'come only for the sagas asked for, and name their instance': async ({ store }) => {
    const sagas = ['order', 'orders', 'refund'].map((saga) => ref('i-1', { saga }));
    for (const each of sagas)
      await commit(store, entry(each, 0, arming(timer('t', { ...each, token: each.saga }))));
    const asked = asking('node-a', T0 + 1_000, { destinations: ['refund', 'order'] });
    const { items } = await store.claimTimers(asked);
    equal(
      items.map(({ saga, token }) => `${saga} ${token}`).toSorted(),
      ['order order', 'refund refund'],
      'the timers',
    );
    equal((await store.claimTimers(asking('a', T0 + 1_000, { destinations: [] }))).items, [], 'for no saga');
  },

  'of one name in two instances are two': async ({ store }) => {
    for (const id of ['i-1', 'i-2']) {
      await commit(store, entry(ref(id), 0, arming(timer('t', { ...ref(id), token: id }))));
    }
    await commit(store, entry(ref('i-1'), 1, { timers: { arm: [], disarm: ['t'] } }));
    equal(await dueTokens(store, T0 + 1_000), ['i-2'], 'what is due');
  },

  'of a commit that loses are neither armed nor disarmed': async ({ store }) => {
    await commit(store, entry(ref(), 0, arming(timer('kept'), timer('same', { token: 'kept' }))));
    const lost = [timer('new'), timer('same', { token: 'lost' })];
    await tryCommit(store, entry(ref(), 0, { timers: { arm: lost, disarm: ['kept'] } }));
    equal((await dueTokens(store, T0 + 99_999)).toSorted(), ['kept', 'kept#1'], 'what is due');
  },

  'are never given to two nodes': async ({ store, second }) => {
    const tokens = Array.from({ length: 90 }, (_, n) => `t-${String(n).padStart(3, '0')}`);
    await commit(store, entry(ref(), 0, arming(...tokens.map((token) => timer(token, { token })))));
    const got: string[] = [];
    const drain = (node: InstanceStore, owner: string) =>
      repeated(`${owner} drains the timers`, async () => {
        const { items } = await node.claimTimers(asking(owner, T0 + 1_000, { ...FOR, limit: 7 }));
        got.push(...items.map(({ token }) => token));
        return items.length === 0 || undefined;
      });
    await Promise.all([drain(store, 'a'), drain(second, 'b'), drain(store, 'c')]);
    await drain(store, 'd');
    equal(got.toSorted(), tokens, 'all timers that were handed out');
  },
});
