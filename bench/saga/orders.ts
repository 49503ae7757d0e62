import { message, type, type MessageContext } from '@nestjs-orchestrator/core';
import { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import type { InstanceStore } from '@nestjs-orchestrator/core/ports';
import { buildSaga, defineSaga } from '@nestjs-orchestrator/core/saga';
import { z } from 'zod';
import { counted, type Counts } from './counted-store.js';

const ref = z.object({ orderId: z.string() });
class Placed extends message('bench.placed', ref) {}
class Charge extends message('bench.charge', ref) {}
class Charged extends message('bench.charged', ref) {}
class Reserve extends message('bench.reserve', ref) {}
class Reserved extends message('bench.reserved', ref) {}
class Ship extends message('bench.ship', ref) {}
class Shipped extends message('bench.shipped', ref) {}

interface Order {
  orderId: string;
  paid: boolean;
  reserved: boolean;
}

/** Three commands to participants and their three answers: seven messages, four commits of the saga. */
const orderSaga = defineSaga({
  name: 'order',
  version: 1,
  data: type<Order>(),
  correlateBy: 'orderId',
  states: ['awaitingPayment', 'awaitingInventory', 'awaitingShipment'],
  ends: { completed: 'success', failed: 'undo' },
  events: [Placed, Charged, Reserved, Shipped],
  compensations: { refund: ref, release: ref },
});

const behaviour = buildSaga(orderSaga, (saga) => {
  saga
    .initially()
    .when(Placed)
    .then((ctx) => {
      const { orderId } = ctx.event;
      ctx.compensateWith('refund', { orderId });
      ctx.send(new Charge({ orderId }));
      return { orderId, paid: false, reserved: false };
    })
    .transitionTo('awaitingPayment');
  saga
    .during('awaitingPayment')
    .when(Charged)
    .then((ctx) => {
      ctx.data.paid = true;
      ctx.compensateWith('release', { orderId: ctx.data.orderId });
      ctx.send(new Reserve({ orderId: ctx.data.orderId }));
    })
    .transitionTo('awaitingInventory')
    .after('24h')
    .transitionTo('failed');
  saga
    .during('awaitingInventory')
    .when(Reserved)
    .then((ctx) => {
      ctx.data.reserved = true;
      ctx.send(new Ship({ orderId: ctx.data.orderId }));
    })
    .transitionTo('awaitingShipment');
  saga.during('awaitingShipment').when(Shipped).transitionTo('completed');
  saga.compensate('refund', async () => undefined);
  saga.compensate('release', async () => undefined);
});

/** One node that runs orders. */
export interface Orders {
  readonly counts: Counts;
  /** Places an order; settles when its last commit is durable. */
  place(orderId: string): Promise<void>;
  close(): Promise<void>;
}

/** Starts a node on the store; `handleOnPublish`: the message that places an order is handled in the commit that makes it durable. */
export async function startOrders(store: InstanceStore, handleOnPublish = false): Promise<Orders> {
  const waiting = new Map<string, () => void>();
  const { store: watched, counts } = counted(store, ({ next }) => {
    if (!next.ended) return;
    const { orderId } = JSON.parse(next.data) as Order;
    waiting.get(orderId)?.();
    waiting.delete(orderId);
  });
  const host = new OrchestratorHost({ store: watched, handleOnPublish });
  host.register(behaviour);
  host.registerHandler({
    message: Charge,
    name: 'payments.charge',
    handle: ({ message: { orderId }, publish }: MessageContext<Charge>) => publish(new Charged({ orderId })),
  });
  host.registerHandler({
    message: Reserve,
    name: 'stock.reserve',
    handle: ({ message: { orderId }, publish }: MessageContext<Reserve>) =>
      publish(new Reserved({ orderId })),
  });
  host.registerHandler({
    message: Ship,
    name: 'shipping.ship',
    handle: ({ message: { orderId }, publish }: MessageContext<Ship>) => publish(new Shipped({ orderId })),
  });
  await host.start();
  return {
    counts,
    place: async (orderId) => {
      const done = new Promise<void>((resolve) => void waiting.set(orderId, resolve));
      await host.bus.publish(new Placed({ orderId }));
      await done;
    },
    close: () => host.close(),
  };
}
