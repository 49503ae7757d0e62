import type {
  Finish,
  FinishResult,
  InstanceStore,
  WorkKey,
  WorkRecord,
} from '@nestjs-orchestrator/core/ports';
import { equal } from '../checks.js';
import { arrives, gate } from '../gates.js';
import { asking, by, claimedIds, consume, LEASE_MS, missing, T0, work, workKey } from './fixtures.js';
import { about } from './scene.js';

const MESSAGE: WorkKey = workKey(work('m-1'));
const LEASE_OVER = T0 + LEASE_MS;

function item(message: WorkKey, ...effects: readonly WorkRecord[]): Finish {
  return { message, outcome: 'handled', work: effects };
}

async function finish(store: InstanceStore, given: Finish, options = by()): Promise<FinishResult> {
  const [result] = await store.finish([given], options);
  if (result instanceof Error) throw result;
  return result ?? missing('an answer to finish');
}

const FINISHED: FinishResult = { outcome: 'finished', leased: true };
const REPEATED: FinishResult = { outcome: 'repeated' };

export const finishing = about('finish', {
  'consumes the message, removes its row and writes its work, leased to the writer': async ({ store }) => {
    await store.enqueue([work('m-1'), work('other')], by());
    equal(await finish(store, item(MESSAGE, work('effect'))), FINISHED, 'the answer');
    equal(await consume(store, MESSAGE), false, 'the answer to a later consumer');
    equal(await claimedIds(store, 'node-b', LEASE_OVER - 1), [], 'what another node gets during the lease');
    const { items } = await store.claimWork(asking('node-b', LEASE_OVER));
    equal(
      items.map(({ id, attempts }) => [id, attempts]),
      [
        ['other', 1],
        ['effect', 1],
      ],
      'the work that is left',
    );
  },

  'of a message that was consumed before writes no work, but removes the row': async ({ store }) => {
    await consume(store, MESSAGE);
    await store.enqueue([work('m-1')], by());
    equal(await finish(store, item(MESSAGE, work('effect'))), REPEATED, 'the answer');
    equal(await claimedIds(store, 'node-b', LEASE_OVER), [], 'the work that is left');
  },

  'decides each item alone': async ({ store }) => {
    await consume(store, workKey(work('m-2')));
    const items = ['m-1', 'm-2', 'm-3'].map((id) => item(workKey(work(id)), work(`effect of ${id}`)));
    equal(await store.finish(items, by()), [FINISHED, REPEATED, FINISHED], 'the answers');
    equal(await claimedIds(store, 'node-b', LEASE_OVER), ['effect of m-1', 'effect of m-3'], 'the work');
  },

  'of one message twice in one call writes the work of the first': async ({ store }) => {
    const items = [item(MESSAGE, work('first')), item(MESSAGE, work('second'))];
    equal(await store.finish(items, by()), [FINISHED, REPEATED], 'the answers');
    equal(await claimedIds(store, 'node-b', LEASE_OVER), ['first'], 'the work');
  },

  'knows consumers and tenants apart': async ({ store }) => {
    await finish(store, item(MESSAGE));
    const others = [
      { ...MESSAGE, destination: 'handler:x' },
      { ...MESSAGE, tenant: 'x' },
      { ...MESSAGE, id: 'm-2' },
    ];
    for (const other of others) equal(await finish(store, item(other)), FINISHED, JSON.stringify(other));
  },

  'leases each item’s work on its own': async ({ store }) => {
    await store.enqueue([work('first', { lane: 'busy' })], by('node-a'));
    const items = ['busy', 'free'].map((lane) => item(workKey(work(`m-${lane}`)), work(lane, { lane })));
    const results = await store.finish(items, by('node-b'));
    equal(results, [{ outcome: 'finished', leased: false }, FINISHED], 'the answers');
  },

  'writes delayed work that is leased to nobody': async ({ store }) => {
    await finish(store, item(MESSAGE, work('later', { delayMs: 1_000 })));
    equal(await claimedIds(store, 'node-b', T0 + 999), [], 'what can be claimed a millisecond early');
    equal(await claimedIds(store, 'node-b', T0 + 1_000), ['later'], 'what can be claimed in time');
  },

  'leases a row behind the one that it removes': async ({ store }) => {
    await store.enqueue([work('m-1', { lane: 'i-1' })], by('node-a'));
    equal(await finish(store, item(MESSAGE, work('effect', { lane: 'i-1' }))), FINISHED, 'the answer');
  },

  'hands the lane of the removed row on': async ({ store }) => {
    await store.enqueue([work('m-1', { lane: 'i-1' })], by('node-a'));
    await store.enqueue([work('behind', { lane: 'i-1' })], by('node-a'));
    await finish(store, item(MESSAGE));
    equal(await claimedIds(store, 'node-b', T0), ['behind'], 'what can be claimed');
  },

  'waits for a transaction that is about to consume the message': async ({ store, second }) => {
    const [consumed, end] = [gate(), gate()];
    const first = store.transaction(
      async (tx) => {
        await tx.consume(MESSAGE, 'handled');
        consumed.open();
        await end.passed;
      },
      { now: T0 },
    );
    await consumed.passed;
    let answered = false;
    const answer = finish(second, item(MESSAGE, work('effect'))).finally(() => (answered = true));
    for (let n = 0; n < 5; n += 1) await Promise.all([store.ping(), second.ping()]);
    const tooEarly = answered;
    end.open();
    await first;
    equal(tooEarly, false, 'whether it was answered while the transaction was open');
    equal(await arrives(answer, 'finish'), REPEATED, 'the answer');
  },

  'of many of one message exactly one writes its work': async ({ store, second, rounds }) => {
    for (let round = 0; round < rounds; round += 1) {
      const message = { ...MESSAGE, id: `m-${round}` };
      const nodes = [store, second, store, second];
      const answers = await Promise.all(
        nodes.map((node, n) => finish(node, item(message, work(`effect-${round}-${n}`)))),
      );
      equal(answers.filter(({ outcome }) => outcome === 'finished').length, 1, `winners of round ${round}`);
      equal((await claimedIds(store, 'node-b', LEASE_OVER)).length, 1, `effects of round ${round}`);
    }
  },

  'in opposite orders on two nodes ends for both': async ({ store, second, rounds }) => {
    for (let round = 0; round < rounds; round += 1) {
      const items = Array.from({ length: 8 }, (_, n) => item({ ...MESSAGE, id: `m-${round}-${n}` }));
      const [there, back] = await Promise.all([
        store.finish(items, by('node-a')),
        second.finish(items.toReversed(), by('node-b')),
      ]);
      const winners = items.map(
        (_, n) => [there[n], back[items.length - 1 - n]].filter((each) => each && 'leased' in each).length,
      );
      equal(
        winners,
        items.map(() => 1),
        `how often each message of round ${round} was finished`,
      );
    }
  },

  'is known to consumed, with its outcome': async ({ store, second }) => {
    await finish(store, item(MESSAGE));
    const asked = [MESSAGE, workKey(work('m-2')), { ...MESSAGE, tenant: 'x' }];
    equal(await second.consumed(asked), ['handled', null, null], 'the answers');
    equal(await store.consumed([]), [], 'the answers to nothing');
  },
});
