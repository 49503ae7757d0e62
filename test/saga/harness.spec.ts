import { message, type, type MessageContext } from '@nestjs-orchestrator/core';
import { buildSaga, defineSaga } from '@nestjs-orchestrator/core/saga';
import {
  SagaExpectationError,
  SagaTestFailure,
  testSaga,
  type SagaTestOptions,
} from '@nestjs-orchestrator/testing';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const ref = z.object({ orderId: z.string() });
class OrderCreated extends message('h.created', ref.extend({ cents: z.int() })) {}
class ProcessPayment extends message('h.pay', ref.extend({ cents: z.int() })) {}
class PaymentProcessed extends message('h.paid', ref.extend({ transactionId: z.string() })) {}
class ReserveStock extends message('h.reserve', ref) {}
class Reminder extends message('h.reminder', ref) {}
class StockReserved extends message('h.reserved', ref) {}

const definition = defineSaga({
  name: 'order',
  version: 1,
  data: type<{ orderId: string; cents: number; transactionId?: string }>(),
  correlateBy: 'orderId',
  states: ['awaitingPayment', 'awaitingInventory'],
  ends: { completed: 'success', failed: 'undo' },
  events: [OrderCreated, PaymentProcessed, StockReserved],
  compensations: { refund: ref, release: ref },
});

/** Whether the bank takes part. */
const bank = { isOpen: true };

const behaviour = buildSaga(definition, (saga) => {
  saga
    .initially()
    .when(OrderCreated)
    .then((ctx) => {
      const { orderId, cents } = ctx.event;
      ctx.compensateWith('refund', { orderId });
      ctx.send(new ProcessPayment({ orderId, cents }));
      return { orderId, cents };
    })
    .transitionTo('awaitingPayment');
  saga
    .during('awaitingPayment')
    .when(PaymentProcessed)
    .then((ctx) => {
      const { orderId } = ctx.data;
      if (!bank.isOpen) throw new Error('the bank is closed');
      ctx.data.transactionId = ctx.event.transactionId;
      ctx.compensateWith('release', { orderId });
      ctx.send(new ReserveStock({ orderId }));
      ctx.publish(new Reminder({ orderId }), { delay: '1h' });
    })
    .transitionTo('awaitingInventory');
  saga
    .during('awaitingInventory')
    .when(StockReserved)
    .transitionTo('completed')
    .after('24h')
    .transitionTo('failed');
  saga.compensate('refund', async () => undefined);
  saga.compensate('release', async () => undefined);
});

const created = new OrderCreated({ orderId: 'o1', cents: 500 });
const paid = new PaymentProcessed({ orderId: 'o1', transactionId: 'tx-1' });

async function ordered(options?: SagaTestOptions) {
  bank.isOpen = true;
  const t = await testSaga(behaviour, options);
  await t.given(created);
  return t;
}

/** What an expectation that is not met says. */
function complaint(expectation: () => void): string {
  try {
    expectation();
  } catch (error) {
    if (error instanceof SagaExpectationError) return error.message;
    throw error;
  }
  throw new Error('the expectation was met');
}

describe('testSaga', () => {
  it('runs a saga through given, when and advance', async () => {
    const t = await ordered();
    t.expectState('awaitingPayment');
    t.expectNotSent(ProcessPayment);
    await t.when(paid);
    t.expectState('awaitingInventory');
    t.expectData({ transactionId: 'tx-1' });
    t.expectSent(ReserveStock, { orderId: 'o1' });
    t.expectUndone();
    await t.advance('24h');
    t.expectState('failed');
    t.expectStatus('compensated');
    t.expectUndone('release', 'refund');
    expect(t.instance()).toMatchObject({ state: 'failed', status: 'compensated' });
    await t.close();
  });

  it('knows what was sent, also for later, and forgets what was sent for the past', async () => {
    const t = await ordered();
    expect(t.sent).toEqual([]);
    await t.when(paid);
    expect(t.sent.map(({ name, delayMs }) => [name, delayMs])).toEqual([
      ['h.reserve', 0],
      ['h.reminder', 3_600_000],
    ]);
  });

  it('runs the handlers that it is given', async () => {
    const charged: number[] = [];
    const t = await ordered({
      handlers: [
        {
          message: ProcessPayment,
          name: 'payments',
          handle: ({ message: { orderId, cents }, publish }: MessageContext<ProcessPayment>) => {
            charged.push(cents);
            publish(new PaymentProcessed({ orderId, transactionId: 'of the handler' }));
          },
        },
      ],
    });
    expect(charged).toEqual([500]);
    t.expectState('awaitingInventory');
    t.expectData({ transactionId: 'of the handler' });
  });

  it('says what has happened where something else was expected', async () => {
    const t = await ordered();
    const message = complaint(() => t.expectState('completed'));
    expect(message).toContain(`Expected state 'completed', found 'awaitingPayment' (running).`);
    expect(message).toContain('created h.created → awaitingPayment');
    await t.when(paid);
    expect(complaint(() => t.expectSent(ReserveStock, { orderId: 'o2' }))).toContain(
      'h.reserve {"orderId":"o1"}',
    );
    expect(complaint(() => t.expectNotSent(ReserveStock))).toContain('it was');
    expect(complaint(() => t.expectUndone('refund'))).toContain('found nothing');
    expect(complaint(() => t.expectData({ cents: 1 }))).toContain('"cents":500');
    expect(complaint(() => t.expectStatus('completed'))).toContain("found 'running'");
  });

  it('tells of a handler that fails in the call that caused it', async () => {
    const t = await ordered();
    bank.isOpen = false;
    const failure: unknown = await t.when(paid).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(SagaTestFailure);
    expect(String(failure)).toContain('the bank is closed');
    t.expectState('awaitingPayment');
  });

  it('tries again as often as it is told to', async () => {
    const t = await ordered({ maxAttempts: 3 });
    bank.isOpen = false;
    await t.when(paid);
    expect(t.instance().state).toBe('awaitingPayment');
    bank.isOpen = true;
    await t.advance('1m');
    expect(t.instance().state).toBe('awaitingInventory');
  });

  it('tells several instances apart by their key', async () => {
    const t = await ordered();
    await t.when(new OrderCreated({ orderId: 'o2', cents: 1 }), paid);
    t.expectState('awaitingInventory', 'o1');
    t.expectState('awaitingPayment', 'o2');
    expect(complaint(() => t.expectState('completed'))).toContain(
      'found 2. Name the one that is meant by its key.',
    );
    expect(complaint(() => t.expectState('completed', 'o3'))).toContain("orderId 'o3', found 0");
  });

  it('refuses a message that nobody would get', async () => {
    const t = await ordered();
    await expect(t.when(new ReserveStock({ orderId: 'o1' }))).rejects.toThrow(
      "Nobody here answers 'h.reserve'",
    );
  });
});
