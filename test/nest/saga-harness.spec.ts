import { readFile } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { message, type } from '@nestjs-orchestrator/core';
import { SagaDefinitionError } from '@nestjs-orchestrator/core/saga';
import {
  defineSaga,
  sagaDecorators,
  type CompensationContext,
  type ContextOf,
  type StartContextOf,
} from '@nestjs-orchestrator/nest';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import { testSaga } from '@nestjs-orchestrator/testing/nest';
import { expect, it } from 'vitest';
import { z } from 'zod';

const ref = z.object({ orderId: z.string() });
class OrderCreated extends message('n.created', ref) {}
class PaymentProcessed extends message('n.paid', ref) {}
class ReserveStock extends message('n.reserve', ref) {}

const orderSaga = defineSaga({
  name: 'order',
  version: 1,
  data: type<{ orderId: string }>(),
  correlateBy: 'orderId',
  states: ['awaitingPayment', 'awaitingInventory'],
  ends: { failed: 'undo' },
  events: [OrderCreated, PaymentProcessed],
  compensations: { refund: ref },
});
const { Saga, StartedBy, On, After, Compensation } = sagaDecorators(orderSaga);

@Injectable()
class PaymentGateway {
  async refund(_orderId: string, _key: string): Promise<void> {
    throw new Error('the bank is not to be asked in a test');
  }
}

@Saga()
class OrderSaga {
  constructor(private readonly payments: PaymentGateway) {}

  @StartedBy(OrderCreated, { to: 'awaitingPayment' })
  onCreated(ctx: StartContextOf<typeof orderSaga, OrderCreated>): { orderId: string } {
    ctx.compensateWith('refund', { orderId: ctx.event.orderId });
    return { orderId: ctx.event.orderId };
  }

  @On(PaymentProcessed, { during: 'awaitingPayment', to: 'awaitingInventory' })
  onPaid(ctx: ContextOf<typeof orderSaga, PaymentProcessed>): void {
    ctx.send(new ReserveStock({ orderId: ctx.data.orderId }));
  }

  @After('24h', { during: 'awaitingInventory', to: 'failed' })
  onSilence(): void {}

  @Compensation('refund')
  refund(input: { orderId: string }, ctx: CompensationContext): Promise<void> {
    return this.payments.refund(input.orderId, ctx.idempotencyKey);
  }
}

it('a saga class is tested with the providers that it is given', async () => {
  const refunded: string[] = [];
  const gateway: PaymentGateway = { refund: async (orderId) => void refunded.push(orderId) };
  const t = await testSaga(OrderSaga, { providers: [{ provide: PaymentGateway, useValue: gateway }] });
  await t.given(new OrderCreated({ orderId: 'o1' }));
  t.expectState('awaitingPayment');
  await t.when(new PaymentProcessed({ orderId: 'o1' }));
  t.expectSent(ReserveStock, { orderId: 'o1' });
  await t.advance('24h');
  t.expectState('failed');
  t.expectUndone('refund');
  expect(refunded).toEqual(['o1']);
});

it('what a provider does that takes real time is waited for where the clock knows of it', async () => {
  const refunded: string[] = [];
  const gateway: PaymentGateway = {
    refund: async (orderId) => {
      await readFile(new URL(import.meta.url));
      for (let turn = 0; turn < 100; turn += 1) await setImmediate();
      refunded.push(orderId);
    },
  };
  const clock = new VirtualClock();
  const useValue = clock.tracked(gateway, 'the gateway');
  const t = await testSaga(OrderSaga, { clock, providers: [{ provide: PaymentGateway, useValue }] });
  await t.given(new OrderCreated({ orderId: 'o1' }), new PaymentProcessed({ orderId: 'o1' }));
  await t.advance('24h');
  expect(refunded).toEqual(['o1']);
  t.expectStatus('compensated');
  t.expectUndone('refund');
});

it('a class that is no saga, or lacks a provider, is refused', async () => {
  await expect(testSaga(OrderSaga)).rejects.toThrow(/PaymentGateway/);
  await expect(testSaga(PaymentGateway)).rejects.toBeInstanceOf(SagaDefinitionError);
});
