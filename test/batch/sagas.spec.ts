import { BatchService, sagaGoal } from '@nestjs-orchestrator/core';
import { countedIds } from '@nestjs-orchestrator/testing';
import { expect, it } from 'vitest';
import { openCluster, orderSaga, Paid, Placed, storeKinds } from '../saga/support.js';

it.each(storeKinds)(
  'a batch on sagas: messages, goals, and all in a state unchanged for a while ($kind)',
  async (kind) => {
    const cluster = await openCluster(kind, '30d');
    const { clock, world } = cluster;
    try {
      const { host } = await cluster.node('one');
      const orders = host.repository(orderSaga);
      const service = new BatchService({ bus: host.bus, clock, ids: countedIds('batch') });
      const ids = Array.from({ length: 250 }, (_, at) => `order-${at}`);
      for (const id of ids) world.silent.add(id);

      const placed = service.fire(
        ids.slice(0, 230).map((orderId) => ({ publish: new Placed({ orderId }) })),
        { maxParallelism: 50 },
      );
      await clock.track(placed.result);
      expect(await placed.result).toMatchObject({ total: 230, succeeded: 230, endedBy: 'done' });
      await clock.advance('40s');
      const late = service.fire(ids.slice(230).map((orderId) => ({ publish: new Placed({ orderId }) })));
      await clock.track(late.result);
      await clock.advance('20s');

      // #region query
      const batch = service.fireSagas(
        orders,
        { state: 'awaitingPayment', unchangedFor: '1m' },
        ({ data: { orderId } }) =>
          orderId === 'order-0'
            ? undefined // passed over
            : {
                publish: new Paid({ orderId }),
                until: sagaGoal(orders, { key: orderId, states: ['completed'] }),
                correlationId: `for-${orderId}`,
              },
        { maxParallelism: 20 },
      );
      // #endregion
      await clock.advance('10s');
      const { results, ...totals } = await batch.result;
      expect(totals).toMatchObject({ total: 229, succeeded: 229, endedBy: 'done' });
      // Orders of one instant come in any order.
      expect(results.find(({ correlationId }) => correlationId === 'for-order-1')).toMatchObject({
        status: 'succeeded',
        value: { state: 'completed', data: { orderId: 'order-1', paid: true } },
      });
      const waiting: string[] = [];
      for await (const { data } of orders.findByState('awaitingPayment')) waiting.push(data.orderId);
      expect(waiting.toSorted()).toEqual(['order-0', ...ids.slice(230)]);
    } finally {
      await cluster.close();
    }
  },
);

it('a query that says nothing is refused', () => {
  const service = new BatchService({});
  expect(() => service.fireSagas({} as never, {}, () => undefined)).toThrow(
    expect.objectContaining({ code: 'BATCH_OPTION', option: 'query' }),
  );
});

it('a goal without states, or for nobody, is refused', () => {
  const repository = { waitUntil: () => Promise.reject(new Error('asked')) };
  for (const [option, wrong] of [
    ['states', { key: 'order-1', states: [] }],
    ['key', { key: '', states: ['completed'] }],
  ] as const) {
    expect(() => sagaGoal(repository, wrong)).toThrow(
      expect.objectContaining({ code: 'BATCH_OPTION', option }),
    );
  }
});
