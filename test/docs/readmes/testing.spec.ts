import type { InstanceStore } from '@nestjs-orchestrator/core/ports';
import { faultPoints, instanceStoreConformance, VirtualClock } from '@nestjs-orchestrator/testing';
import { createOrchestratorTestingModule, testSaga } from '@nestjs-orchestrator/testing/nest';
import { typeormStore } from '@nestjs-orchestrator/typeorm';
// oxlint-disable vitest/expect-expect -- what is quoted fails by itself
import type { DataSource } from 'typeorm';
import { expect, it } from 'vitest';
import { DoorModule, door } from '../nest-machines.js';
import { OrderCreated, OrderSaga, Payments, ProcessPayment } from '../readme-saga.js';

declare const myStoreOnEmptyData: () => Promise<InstanceStore>;
declare const myDatabase: { drop(): Promise<void> };

/** Compiled, not run: what it shows runs in `test/conformance`. */
export function ownStore() {
  // #region conformance
  const cases = instanceStoreConformance({
    async createStore() {
      const store = await myStoreOnEmptyData();
      return { store, close: () => myDatabase.drop() };
    },
  });
  it.each(cases)('$name', ({ run }) => run());
  // #endregion
}

it('a saga on a bench', async () => {
  const refunded: string[] = [];
  const payments: Payments = { refundOrVoid: async (orderId) => void refunded.push(orderId) };
  const orderId = 'o1';
  // #region saga
  const t = await testSaga(OrderSaga, { providers: [{ provide: Payments, useValue: payments }] });
  await t.when(new OrderCreated({ orderId, cents: 500 })); // `given` does the same and forgets what was sent
  t.expectState('awaitingPayment');
  t.expectSent(ProcessPayment, { cents: 500 });
  await t.advance('24h');
  t.expectState('failed');
  t.expectUndone('refund'); // also expectStatus, expectData, expectNotSent, instance()
  await t.close();
  // #endregion
  expect(refunded).toEqual(['o1']);
});

it('an application under test', async () => {
  // #region application
  const t = await createOrchestratorTestingModule({ imports: [DoorModule] });
  const front = await t.machines(door).spawn({ id: 'front' });
  await front.send({ type: 'OPEN' });
  await t.advance('5s'); // also advanceTo, runAll, settled
  t.recorder.expectPath('front', ['shut', 'open', 'shut']); // also expectTransition, expectEffect, expectFailure, describe()
  await t.close();
  // #endregion
  expect(front.id).toBe('front');
});

it('a node that crashes where the test says', async () => {
  // #region faults
  const faults = faultPoints();
  const crashed = faults.crashAt('saga.commit.after'); // also failAt, pauseAt, whenReached
  // #endregion
  void faults.reach('saga.commit.after');
  await crashed;
});

export async function time(dataSource: DataSource) {
  // #region clock
  const clock = new VirtualClock();
  const store = clock.tracked(typeormStore(dataSource), 'store', ['transaction']);
  await clock.advance('24h');
  // #endregion
  return store;
}
