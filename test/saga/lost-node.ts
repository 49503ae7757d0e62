import { expect } from 'vitest';
import { orderSaga, Placed, type Cluster } from './support.js';

/**
 * A node is lost at the `nth` coming to a fault point, while an order is made that its carrier refuses. Another node takes it to its end: undone, with no
 * effect under two ids.
 */
export async function anotherFinishes(
  { clock, world, store, node }: Cluster,
  point: string,
  nth: number,
): Promise<void> {
  world.refuse.add('o1');
  const first = await node('first');
  const crash = first.faults.crashAt(point, nth).then(() => first.kill());
  await first.host.bus.publish(new Placed({ orderId: 'o1' }), { id: 'm1' });
  await clock.settled();
  await clock.advance(1_000);
  await crash;

  const second = await node('second');
  await clock.advance('2m');

  const order = await second.host.repository(orderSaga).findByCorrelation('o1');
  expect(order).toMatchObject({ state: 'failed', status: 'compensated', data: { paid: true } });
  expect(order?.undo.map((step) => step.status)).toEqual(['done', 'done']);
  expect(new Set(world.charges).size).toBe(1);
  expect(new Set(world.undone.map((step) => `${step.name} ${step.key}`)).size).toBe(2);
  expect([...new Set(world.undone.map((step) => step.name))]).toEqual(['recall', 'refund']);
  expect(await store.deadLetters({})).toEqual([]);
  const history = await second.host.repository(orderSaga).history(order?.id ?? '');
  expect(history.map((line) => line.kind)).toEqual([
    'created',
    'transition',
    'transition',
    'undo-started',
    'undone',
    'undo-started',
    'undone',
  ]);
}
