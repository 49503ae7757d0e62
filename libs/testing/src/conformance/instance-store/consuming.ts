import type { InstanceStore, StoreTransaction, WorkKey } from '@nestjs-orchestrator/core/ports';
import { equal } from '../checks.js';
import { arrives, gate } from '../gates.js';
import { claimedIds, consume, T0, work, workKey } from './fixtures.js';
import { about } from './scene.js';

const AT = { now: T0 };
const MESSAGE: WorkKey = workKey(work('m-1'));

/** A transaction that has consumed the message and then stays open until it is told how to end. */
function holding(store: InstanceStore) {
  const [consumed, end] = [gate(), gate()];
  const error = new Error('rolled back by the test');
  let rollsBack = false;
  const ended = store.transaction(async (tx) => {
    const first = await tx.consume(MESSAGE, 'handled');
    consumed.open();
    await end.passed;
    if (rollsBack) throw error;
    return first;
  }, AT);
  const finish = (how: 'commit' | 'roll back'): void => {
    rollsBack = how === 'roll back';
    end.open();
  };
  return { consumed: consumed.passed, ended, finish };
}

/** A second consumer that meets the open transaction of the first: it must not get its answer before that has ended. */
async function secondConsumer(store: InstanceStore, second: InstanceStore, how: 'commit' | 'roll back') {
  const first = holding(store);
  await first.consumed;
  let answered = false;
  const answer = consume(second, MESSAGE).finally(() => (answered = true));
  // Further calls through both connections give a store that does not wait every chance to show it.
  for (let n = 0; n < 5; n += 1) await Promise.all([store.ping(), second.ping()]);
  const tooEarly = answered;
  first.finish(how);
  const [ended, result] = await Promise.all([
    Promise.allSettled([first.ended]),
    arrives(answer, 'the second'),
  ]);
  equal(tooEarly, false, 'whether the second was answered while the first was open');
  return { first: ended[0], second: result };
}

export const consuming = about('transactions', {
  'consume a message once for each consumer and tenant': async ({ store }) => {
    const others = [
      { ...MESSAGE, destination: 'handler:x' },
      { ...MESSAGE, tenant: 'x' },
      { ...MESSAGE, id: 'm-2' },
    ];
    const twice = await store.transaction(
      async (tx) => [await tx.consume(MESSAGE, 'a'), await tx.consume(MESSAGE, 'b')],
      AT,
    );
    equal(twice, [true, false], 'the answers within one transaction');
    equal(await consume(store, MESSAGE), false, 'the answer to a later transaction');
    for (const other of others)
      equal(await consume(store, other), true, `the answer for ${JSON.stringify(other)}`);
  },

  'that consume a message another one is about to: wait, and are told no when that commits': async (
    scene,
  ) => {
    const answers = await secondConsumer(scene.store, scene.second, 'commit');
    equal(answers, { first: { status: 'fulfilled', value: true }, second: false }, 'the answers');
  },

  'that consume a message another one is about to: wait, and may when that rolls back': async (scene) => {
    const answers = await secondConsumer(scene.store, scene.second, 'roll back');
    equal([answers.first?.status, answers.second], ['rejected', true], 'the answers');
    equal(await consume(scene.store, MESSAGE), false, 'the answer to a third');
  },

  'of many that consume one message exactly one may': async ({ store, second, rounds }) => {
    for (let round = 0; round < rounds; round += 1) {
      const message = { ...MESSAGE, id: `m-${round}` };
      const effect = (n: number) => work(`effect-${round}-${n}`);
      const charge = (n: number) => async (tx: StoreTransaction) => {
        if (!(await tx.consume(message, 'charged'))) return false;
        await tx.enqueue([effect(n)]);
        return true;
      };
      const nodes = [store, second, store, second];
      const answers = await Promise.all(nodes.map((node, n) => node.transaction(charge(n), AT)));
      equal(answers.filter(Boolean).length, 1, `how many consumed message ${round}`);
      equal((await claimedIds(store, 'node-a', T0)).length, 1, `how many effects message ${round} has`);
    }
  },
});
