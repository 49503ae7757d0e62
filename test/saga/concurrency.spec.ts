import { afterEach, describe, expect, it } from 'vitest';
import { openCluster, orderSaga, Paid, Placed, storeKinds, type Cluster } from './support.js';

let cluster: Cluster | undefined;
afterEach(async () => cluster?.close());

describe.each(storeKinds)('two nodes, on $kind', (kind) => {
  it('let the same start message, offered to both at once, start one instance with one charge', async () => {
    cluster = await openCluster(kind);
    const { clock, world } = cluster;
    const nodes = [await cluster.node('first'), await cluster.node('second')] as const;
    const ids = Array.from({ length: 20 }, (_, i) => `o${i}`);
    await Promise.all(
      ids.flatMap((orderId) =>
        nodes.map(({ host }) => host.bus.publish(new Placed({ orderId }), { id: `start ${orderId}` })),
      ),
    );
    await clock.settled();
    await clock.advance('1m');
    for (const orderId of ids) {
      const order = await nodes[0].host.repository(orderSaga).findByCorrelation(orderId);
      expect(order).toMatchObject({ state: 'completed', version: 3 });
    }
    expect(new Set(world.charges).size).toBe(ids.length);
  });

  it('let one of two different start messages start, and keep the other for the instance', async () => {
    cluster = await openCluster(kind);
    const { clock, world } = cluster;
    world.silent.add('o1');
    const nodes = [await cluster.node('first'), await cluster.node('second')] as const;
    await Promise.all(
      nodes.map(({ host }, i) => host.bus.publish(new Placed({ orderId: 'o1' }), { id: `m${i}` })),
    );
    await clock.settled();
    await clock.advance('1m');
    const repository = nodes[0].host.repository(orderSaga);
    const order = await repository.findByCorrelation('o1');
    const history = await repository.history(order?.id ?? '');
    expect(history.map(({ kind: line, name }) => `${line} ${name}`)).toEqual([
      'created t.placed',
      'deferred t.placed',
    ]);
    expect(new Set(world.charges).size).toBe(1);
  });

  it('apply an event once, though both are offered it many times', async () => {
    cluster = await openCluster(kind);
    const { clock, world } = cluster;
    world.silent.add('o1');
    const nodes = [await cluster.node('first'), await cluster.node('second')] as const;
    await nodes[0].host.bus.publish(new Placed({ orderId: 'o1' }), { id: 'start' });
    await clock.settled();
    await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        (nodes[i % 2] ?? nodes[0]).host.bus.publish(new Paid({ orderId: 'o1' }), { id: 'paid' }),
      ),
    );
    await clock.settled();
    await clock.advance('1m');
    const repository = nodes[1].host.repository(orderSaga);
    const order = await repository.findByCorrelation('o1');
    expect(order).toMatchObject({ state: 'completed', status: 'completed', version: 3 });
    const history = await repository.history(order?.id ?? '');
    expect(history.map(({ name }) => name)).toEqual(['t.placed', 't.paid', 't.shipped']);
  });

  it('fire a time-out once, though both look for it, and run its compensation', async () => {
    cluster = await openCluster(kind, '10m');
    const { clock, world } = cluster;
    world.silent.add('o1');
    const nodes = [await cluster.node('first'), await cluster.node('second')] as const;
    await nodes[0].host.bus.publish(new Placed({ orderId: 'o1' }), { id: 'start' });
    await clock.settled();
    await clock.advance('9m');
    expect(world.undone).toEqual([]);
    await clock.advance('2m');
    const order = await nodes[1].host.repository(orderSaga).findByCorrelation('o1');
    expect(order).toMatchObject({ state: 'failed', status: 'compensated', version: 3 });
    expect(world.undone.map(({ name }) => name)).toEqual(['refund']);
  });
});
