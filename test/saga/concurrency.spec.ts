import { afterEach, describe, expect, it } from 'vitest';
import { openCluster, orderSaga, Placed, storeKinds, type Cluster } from './support.js';

let cluster: Cluster | undefined;
afterEach(async () => cluster?.close());

describe.each(storeKinds)('two nodes, on $kind', (kind) => {
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
