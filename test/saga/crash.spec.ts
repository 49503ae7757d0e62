import { afterEach, describe, expect, it } from 'vitest';
import { openCluster, orderSaga, Placed, storeKinds, type Cluster } from './support.js';

/** Every point at which a node can be lost while an order is made, shipped or undone. */
const POINTS = [
  ['saga.commit.before', 5],
  ['saga.commit.after', 5],
  ['participant.before', 2],
  ['participant.commit.before', 2],
  ['participant.commit.after', 2],
  ['undo.before', 2],
  ['undo.done', 2],
] as const;
const CRASHES = POINTS.flatMap(([point, times]) =>
  Array.from({ length: times }, (_, i) => [point, i + 1] as const),
);

let cluster: Cluster | undefined;
afterEach(async () => cluster?.close());

describe.each(storeKinds)('a node that is lost, on $kind', (kind) => {
  const crashes = CRASHES.filter(([point]) => kind.losesConnections || point !== 'participant.commit.before');

  it.each(crashes)(
    'at %s, coming %i: another one finishes the order, with no effect twice',
    async (point, nth) => {
      cluster = await openCluster(kind);
      const { clock, world, store } = cluster;
      world.refuse.add('o1');
      const first = await cluster.node('first');
      const crash = Promise.resolve(first.faults.crashAt(point, nth)).then(() => first.kill());
      await first.host.bus.publish(new Placed({ orderId: 'o1' }), { id: 'm1' });
      await clock.settled();
      await clock.advance(1_000);
      await crash;

      const second = await cluster.node('second');
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
    },
  );
});
