import { StoreTransactionError } from '@nestjs-orchestrator/core';
import type { WorkKey } from '@nestjs-orchestrator/core/ports';
import { equal, holds, rejection } from '../checks.js';
import { arrives, gate } from '../gates.js';
import { asking, by, claimedIds, consume, DESTINATION, LEASE_MS, T0, work, workKey } from './fixtures.js';
import { about } from './scene.js';

const AT = { now: T0 };
const MESSAGE: WorkKey = workKey(work('m-1'));

export const transactions = about('transactions', {
  'do all that was asked of them when they commit, and hand on their result': async ({ store }) => {
    await store.enqueue([work('cause'), work('other')], by());
    const result = await store.transaction(async (tx) => {
      equal(await tx.consume(MESSAGE, 'handled'), true, 'the answer to the first consumer');
      await tx.enqueue([work('effect')]);
      await tx.complete([workKey(work('cause'))]);
      return 'result';
    }, AT);
    equal(result, 'result', 'the result');
    equal(await consume(store, MESSAGE), false, 'the answer to the second consumer');
    equal(await claimedIds(store, 'node-b', T0 + LEASE_MS), ['other', 'effect'], 'the work that is left');
  },

  'leave nothing behind when they are rolled back, and reject with the very error': async ({ store }) => {
    await store.enqueue([work('cause')], by());
    const error = new Error('no');
    const rolledBack = store.transaction(async (tx) => {
      await tx.consume(MESSAGE, 'handled');
      await tx.enqueue([work('effect')]);
      await tx.complete([workKey(work('cause'))]);
      throw error;
    }, AT);
    holds(
      (await rejection(() => rolledBack, 'the transaction')) === error,
      'it rejects with the error of its work',
    );
    equal(await claimedIds(store, 'node-b', T0 + LEASE_MS), ['cause'], 'the work that is left');
    equal(await consume(store, MESSAGE), true, 'the answer to the next consumer');
  },

  'show nothing before they commit': async ({ store, second }) => {
    await store.enqueue([work('cause')], by());
    const [written, end] = [gate(), gate()];
    const running = store.transaction(async (tx) => {
      await tx.enqueue([work('effect')]);
      await tx.complete([workKey(work('cause'))]);
      written.open();
      await end.passed;
    }, AT);
    await written.passed;
    const before = await claimedIds(second, 'node-b', T0);
    end.open();
    await running;
    equal(before, [], 'what can be claimed before');
    equal(await claimedIds(second, 'node-b', T0), ['effect'], 'what can be claimed after');
    equal(await claimedIds(second, 'node-c', T0 + LEASE_MS), ['effect'], 'what can be claimed later');
  },

  'write work that is leased to nobody, and leave existing keys as they are': async ({ store }) => {
    await store.enqueue([work('old', { payload: '"old"', delayMs: 1_000 })], by());
    const rows = [work('old', { payload: '"new"' }), work('fresh'), work('later', { delayMs: 2_000 })];
    await store.transaction((tx) => tx.enqueue(rows), AT);
    const { items } = await store.claimWork(asking('node-b', T0));
    equal(
      items.map((row) => [row.id, row.attempts]),
      [['fresh', 1]],
      'what is claimed at once',
    );
    const { items: old } = await store.claimWork(asking('node-b', T0 + 1_000));
    equal(
      old.map((row) => [row.id, row.payload]),
      [['old', '"old"']],
      'what is claimed after a second',
    );
    equal(await claimedIds(store, 'node-b', T0 + 2_000), ['later'], 'what is claimed after two');
  },

  'hand work over: the rows are gone and what follows is there when they commit, once': async ({ store }) => {
    await store.enqueue([work('cause'), work('other')], by());
    const handOver = async (fail: boolean): Promise<boolean> =>
      store.transaction(async (tx) => {
        const leased = await tx.handOver([workKey(work('cause'))], [work('effect')], by());
        if (fail) throw new Error('no');
        return leased;
      }, AT);
    await rejection(() => handOver(true), 'the transaction that fails');
    equal(await claimedIds(store, 'node-b', T0 + LEASE_MS), ['cause', 'other'], 'the work after a rollback');
    const leased = await handOver(false);
    equal(await claimedIds(store, 'node-c', T0), leased ? [] : ['effect'], 'what another node gets at once');
    equal(
      await claimedIds(store, 'node-c', T0 + 2 * LEASE_MS),
      ['other', 'effect'],
      'what it gets when leases are over',
    );
  },

  'are joined through their manager': async ({ store }) => {
    await store.transaction(async ({ manager }) => {
      const joined = store.within(manager, AT);
      equal(await joined.consume(MESSAGE, 'handled'), true, 'the answer to the joined consumer');
      await joined.enqueue([work('effect', { destination: DESTINATION })]);
    }, AT);
    equal(await consume(store, MESSAGE), false, 'the answer to a later consumer');
    equal(await claimedIds(store, 'node-b', T0), ['effect'], 'the work that is left');
  },

  'take what joined them along when they roll back': async ({ store }) => {
    const rolledBack = store.transaction(async ({ manager }) => {
      const joined = store.within(manager, AT);
      await joined.consume(MESSAGE, 'handled');
      await joined.enqueue([work('effect')]);
      throw new Error('no');
    }, AT);
    await rejection(() => rolledBack, 'the transaction');
    equal(await consume(store, MESSAGE), true, 'the answer to a later consumer');
    equal(await claimedIds(store, 'node-b', T0 + LEASE_MS), [], 'the work that is left');
  },

  'cannot be joined through anything else': async ({ store }) => {
    const others: readonly unknown[] = [undefined, null, {}, 'manager', 7, () => {}];
    for (const [n, manager] of others.entries()) {
      const error = await rejection(() => store.within(manager, AT), `joining thing ${n}`);
      holds(error instanceof StoreTransactionError, `joining thing ${n} is a StoreTransactionError`);
    }
  },

  'tell every node of their work': async ({ store, second }) => {
    const hints = [store, second].map((node) => {
      const heard = gate();
      return { heard: heard.passed, stop: node.onWork(heard.open) };
    });
    await store.transaction((tx) => tx.enqueue([work('effect')]), AT);
    for (const { heard } of hints) await arrives(heard, 'the hint of work');
    for (const { stop } of hints) stop();
    equal(await claimedIds(second, 'node-b', T0), ['effect'], 'what can be claimed after the hint');
  },
});
