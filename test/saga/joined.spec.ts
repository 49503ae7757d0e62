import { type StoreTransaction } from '@nestjs-orchestrator/core/ports';
import { SagaConflictError } from '@nestjs-orchestrator/core/saga';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import { buildSaga } from '@nestjs-orchestrator/core/saga';
import { twoNodes } from '../typeorm/support.js';
import {
  openCluster,
  orderSaga,
  Paid,
  Placed,
  Shipped,
  storeKinds,
  type Cluster,
  type Node,
} from './support.js';

const ROLLED_BACK = new Error('rolled back');
/** Over only where a test lets it be: a node that hears of nothing looks each 20 s. */
const TIMEOUT = '5m';

describe.each(storeKinds)('a saga in a transaction of the caller, on $kind', (kind) => {
  let cluster: Cluster;
  let a: Node;
  let b: Node;
  beforeEach(async () => {
    cluster = await openCluster(kind, TIMEOUT);
    a = await cluster.node('a');
    b = await cluster.node('b');
  });
  afterEach(() => cluster.close());

  const at = () => ({ now: cluster.clock.storeNow() });
  const within = <T>(node: Node, work: (tx: StoreTransaction) => Promise<T>): Promise<T> =>
    node.store.transaction(work, at());
  const placed = (orderId: string) => new Placed({ orderId });
  const paid = (orderId: string) => new Paid({ orderId });
  const standing = async (orderId: string): Promise<string> => {
    const order = await b.host.repository(orderSaga).findByCorrelation(orderId);
    return order === undefined ? 'absent' : `${order.state} ${order.status}`;
  };
  /** Lets time go on for as long as it takes. */
  const completed = async (orderId: string): Promise<void> => {
    for (let second = 0; second < 30; second++) await cluster.clock.advance('1s');
    expect(await standing(orderId)).toBe('completed completed');
  };
  /** Places an order whose payment never answers. */
  const waiting = async (orderId: string): Promise<void> => {
    cluster.world.silent.add(orderId);
    await a.host.bus.publish(placed(orderId));
    await cluster.clock.settled();
    expect(await standing(orderId)).toBe('awaitingPayment running');
  };

  it('is started when it commits: nobody sees it before, and then it goes on', async () => {
    await within(a, async ({ manager }) => {
      const { sagas } = await a.host.bus.within(manager).handle(placed('o1'));
      expect(sagas).toMatchObject([
        { saga: 'order', outcome: 'applied', state: 'awaitingPayment', status: 'running' },
      ]);
      expect(await standing('o1')).toBe('absent');
      expect(cluster.world.charges).toEqual([]);
    });
    expect(await standing('o1')).toBe('awaitingPayment running');
    await completed('o1');
    expect(cluster.world.charges).toHaveLength(1);
  });

  it('leaves nothing when it is rolled back', async () => {
    await waiting('o2');
    const rolledBack = within(a, async ({ manager }) => {
      const bus = a.host.bus.within(manager);
      await bus.handle(placed('o1'), { id: 'm1' });
      await bus.handle(paid('o2'));
      throw ROLLED_BACK;
    });
    await expect(rolledBack).rejects.toBe(ROLLED_BACK);
    await cluster.clock.advance('10s');
    expect([await standing('o1'), await standing('o2')]).toEqual(['absent', 'awaitingPayment running']);
    const handled = cluster.world.charges.length;
    await a.host.bus.publish(placed('o1'), { id: 'm1' });
    await completed('o1');
    expect(cluster.world.charges).toHaveLength(handled + 1);
  });

  it('goes on when it commits, step after step', async () => {
    await waiting('o1');
    await within(a, async ({ manager }) => {
      const { sagas } = await a.host.bus.within(manager).handle(paid('o1'));
      expect(sagas).toMatchObject([{ outcome: 'applied', state: 'awaitingShipment' }]);
    });
    await completed('o1');
  });

  it('starts and goes on in one transaction', async () => {
    cluster.world.silent.add('o1');
    await within(a, async ({ manager }) => {
      const bus = a.host.bus.within(manager);
      await bus.handle(placed('o1'));
      expect((await bus.handle(paid('o1'))).sagas).toMatchObject([{ state: 'awaitingShipment' }]);
    });
    await completed('o1');
  });

  it('handles what waits for the instance before a newcomer, also if it began to wait in the same transaction', async () => {
    await waiting('o1');
    await within(a, async ({ manager }) => {
      const bus = a.host.bus.within(manager);
      const early = await bus.handle(new Shipped({ orderId: 'o1', ok: true }));
      expect(early.sagas).toMatchObject([{ outcome: 'deferred', state: 'awaitingPayment' }]);
      expect((await bus.handle(paid('o1'))).sagas).toMatchObject([{ state: 'awaitingShipment' }]);
      expect((await bus.handle(paid('o1'))).sagas).toMatchObject([{ outcome: 'late', state: 'completed' }]);
    });
    await completed('o1');
  });

  it('fires its timers, like any other', async () => {
    cluster.world.silent.add('o1');
    await within(a, ({ manager }) => a.host.bus.within(manager).handle(placed('o1')));
    await cluster.clock.settled();
    await cluster.clock.advance(TIMEOUT);
    expect(await standing('o1')).toBe('failed compensated');
  });

  it('handles a message once, also if it is offered again', async () => {
    await waiting('o1');
    await within(a, async ({ manager }) => {
      const bus = a.host.bus.within(manager);
      const [first, second] = [
        await bus.handle(paid('o1'), { id: 'm1' }),
        await bus.handle(paid('o1'), { id: 'm1' }),
      ];
      expect([first.sagas[0]?.outcome, second.sagas[0]?.outcome]).toEqual(['applied', 'applied']);
    });
    await b.host.bus.publish(paid('o1'), { id: 'm1' });
    await completed('o1');
    await cluster.clock.settled();
    const order = await b.host.repository(orderSaga).findByCorrelation('o1');
    const history = await b.host.repository(orderSaga).history(order?.id ?? '');
    expect(history.filter(({ name }) => name === 't.paid')).toHaveLength(1);
  });

  it('parks a message that comes before its instance', async () => {
    await within(a, async ({ manager }) => {
      const { sagas } = await a.host.bus.within(manager).handle(paid('o1'));
      expect(sagas).toMatchObject([{ id: null, outcome: 'parked' }]);
    });
    cluster.world.silent.add('o1');
    await b.host.bus.publish(placed('o1'));
    await completed('o1');
  });

  it('is a conflict where another transaction has the instance, and its handlers run once', async () => {
    await waiting('o1');
    await within(a, async ({ manager }) => {
      await a.host.bus.within(manager).handle(paid('o1'));
      const rival = within(b, (tx) => b.host.bus.within(tx.manager).handle(paid('o1')));
      const error = await rival.catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(SagaConflictError);
      expect(String(error)).toContain('Roll this transaction back');
    });
    await completed('o1');
  });

  it('is a conflict where two of them start the same', async () => {
    await within(a, async ({ manager }) => {
      await a.host.bus.within(manager).handle(placed('o1'));
      const rival = within(b, (tx) => b.host.bus.within(tx.manager).handle(placed('o1')));
      await expect(rival).rejects.toBeInstanceOf(SagaConflictError);
    });
    await completed('o1');
    expect(cluster.world.charges).toHaveLength(1);
  });

  it('makes others back off while it is open, and they come back after it', async () => {
    await waiting('o1');
    await within(a, async ({ manager }) => {
      await a.host.bus.within(manager).handle(paid('o1'), { id: 'm1' });
      await b.host.bus.publish(paid('o1'), { id: 'm2' });
      // Long enough for all its tries, of which none may hang.
      for (let second = 0; second < 15; second++) await cluster.clock.advance('1s');
      expect(await standing('o1')).toBe('awaitingPayment running');
    });
    for (let second = 0; second < 60; second++) await cluster.clock.advance('1s');
    expect(await standing('o1')).toBe('completed completed');
    const order = await b.host.repository(orderSaga).findByCorrelation('o1');
    const lines = await b.host.repository(orderSaga).history(order?.id ?? '');
    const [first, second] = ['m1', 'm2'].map((id) =>
      lines.filter(({ messageId }) => messageId === id).map(({ kind: line }) => line),
    );
    expect(first).toEqual(['transition']);
    // Where it comes back before the order has ended, it waits for that: no state between answers a payment.
    expect(second?.filter((line) => line !== 'deferred')).toEqual(['late']);
  });

  it('is carried on by another node if this one dies after the commit', async () => {
    await within(a, ({ manager }) => a.host.bus.within(manager).handle(placed('o1')));
    await a.kill();
    for (let second = 0; second < 60; second++) await cluster.clock.advance('1s');
    expect(await standing('o1')).toBe('completed completed');
    expect(cluster.world.undone).toEqual([]);
  });

  it('tells what handlers throw, and nothing has happened', async () => {
    const broken = within(a, ({ manager }) => a.host.bus.within(manager).handle(new Placed({ orderId: '' })));
    await expect(broken).rejects.toMatchObject({ code: 'SAGA_CORRELATION' });
    expect(await standing('')).toBe('absent');
  });
});

describe('with rows of the caller’s own', () => {
  it.each([false, true])('both are there after the commit, or neither is; rolled back: %s', async (fails) => {
    const nodes = await twoNodes();
    const [source] = nodes.sources;
    await source.query('CREATE TABLE note (text text)');
    const host = new OrchestratorHost({ store: nodes.stores[0] });
    host.register(
      buildSaga(orderSaga, (saga) => {
        saga
          .initially()
          .when(Placed)
          .then((ctx) => ({ orderId: ctx.event.orderId, paid: false }))
          .transitionTo('awaitingPayment');
        saga.during('awaitingPayment').when(Paid).transitionTo('awaitingShipment');
        saga
          .during('awaitingShipment')
          .when(Shipped)
          .then(() => 'completed')
          .transitionToOneOf('completed', 'failed');
        saga.compensate('refund', async () => {}).compensate('recall', async () => {});
      }),
    );
    await host.start();
    const orders = host.repository(orderSaga);
    const written = source.transaction(async (manager) => {
      await manager.query("INSERT INTO note VALUES ('placed')");
      await host.bus.within(manager).handle(new Placed({ orderId: 'o1' }));
      if (fails) throw ROLLED_BACK;
    });
    const error = await written.catch((thrown: unknown) => thrown);
    expect(error).toBe(fails ? ROLLED_BACK : undefined);
    if (!fails) await orders.waitUntil({ key: 'o1' }, 'awaitingPayment');
    const notes: unknown[] = await source.query('SELECT text FROM note');
    const order = await orders.findByCorrelation('o1');
    expect([notes.length, order === undefined]).toEqual(fails ? [0, true] : [1, false]);
    await host.close();
    await nodes.close();
  });
});
