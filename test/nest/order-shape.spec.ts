import { Injectable, Module } from '@nestjs/common';
import { Handles, type MessageContext } from '@nestjs-orchestrator/nest';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import {
  createOrchestratorTestingModule,
  type OrchestratorTestingModule,
} from '@nestjs-orchestrator/testing/nest';
import { afterEach, describe, expect, it } from 'vitest';
import { storeKinds } from '../saga/support.js';
import {
  CarrierAnswered,
  OrderCreated,
  OrderModule,
  orderSaga,
  PaymentFailed,
  PaymentGateway,
  PaymentProcessed,
  ProcessPayment,
  ReserveStock,
  ShipOrder,
  StockMissing,
  StockReserved,
  Warehouse,
} from './support/order-shape.js';

/** What the world outside answers, by the customer's wish. */
const wishes = new Map<string, 'declined' | 'silent' | 'missing' | 'refused'>();

@Injectable()
class Outside {
  @Handles(ProcessPayment)
  pay({ message: { orderId }, publish }: MessageContext<ProcessPayment>) {
    if (wishes.get(orderId) === 'declined') publish(new PaymentFailed({ orderId, reason: 'declined' }));
    else if (wishes.get(orderId) !== 'silent') publish(new PaymentProcessed({ orderId, transactionId: 't' }));
  }

  @Handles(ReserveStock)
  reserve({ message: { orderId }, publish }: MessageContext<ReserveStock>) {
    if (wishes.get(orderId) === 'missing') publish(new StockMissing({ orderId, reason: 'sold out' }));
    else publish(new StockReserved({ orderId }));
  }

  @Handles(ShipOrder)
  ship({ message: { orderId }, publish }: MessageContext<ShipOrder>) {
    publish(
      new CarrierAnswered(wishes.get(orderId) === 'refused' ? { orderId } : { orderId, tracking: 'p1' }),
    );
  }
}

@Module({ imports: [OrderModule], providers: [Outside] })
class ShopModule {}

let app: OrchestratorTestingModule | undefined;
let closeStore: (() => Promise<void>) | undefined;
afterEach(async () => {
  await app?.close();
  await closeStore?.();
  app = closeStore = undefined;
  wishes.clear();
});

describe.each(storeKinds)('the order saga as the design shows it, on $kind', (kind) => {
  it('runs in an application: to its end, refused at each step, and after a day of silence', async () => {
    const clock = new VirtualClock();
    const { connect, close } = await kind.open();
    closeStore = close;
    const store = clock.tracked((await connect()).store, 'store');
    const { bus } = (app = await createOrchestratorTestingModule(
      { imports: [ShopModule] },
      // Nothing is deferred: a day of looking for what has expired would be nearly all that the servers are asked.
      { store, clock, sweepIntervalMs: 3_600_000 },
    ));
    for (const wish of ['declined', 'silent', 'missing', 'refused'] as const) wishes.set(wish, wish);
    for (const orderId of ['good', ...wishes.keys()])
      await bus.publish(new OrderCreated({ orderId, customerId: 'ada', cents: 700 }));
    await app.settled();
    const orders = app.sagas(orderSaga);
    const order = (orderId: string) => orders.findByCorrelation(orderId);
    expect(await order('silent')).toMatchObject({ state: 'awaitingPayment', status: 'running' });
    await app.advance('24h');
    expect(await order('good')).toMatchObject({
      state: 'completed',
      status: 'completed',
      data: { orderId: 'good', cents: 700, transactionId: 't', tracking: 'p1' },
    });
    const failed = { state: 'failed', status: 'compensated' };
    expect(await order('declined')).toMatchObject({ ...failed, data: { reason: 'declined' } });
    expect(await order('missing')).toMatchObject({ ...failed, data: { reason: 'sold out' } });
    expect(await order('refused')).toMatchObject(failed);
    expect(await order('silent')).toMatchObject({ ...failed, data: { reason: 'no answer in 24 hours' } });
    expect([...app.get(PaymentGateway).refunds].sort()).toEqual([...wishes.keys()].sort());
    expect([...app.get(Warehouse).released].sort()).toEqual(['missing', 'refused']);
  });
});
