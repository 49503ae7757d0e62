import {
  defineSaga,
  message,
  sagaDecorators,
  type,
  type ActivityFailure,
  type CompensationContext,
  type ContextOf,
  type SagaActivityContext,
  type StartContextOf,
} from '@nestjs-orchestrator/nest';
import { z } from 'zod';

const ref = z.object({ orderId: z.string() });
const receipt = z.object({ receipt: z.string() });
export class OrderCreated extends message('order.created', ref) {}
export class ProcessPayment extends message('payment.process', ref) {}

abstract class Card {
  abstract charge(orderId: string, key: string, signal: AbortSignal): Promise<{ receipt: string }>;
  abstract refund(orderId: string, key: string): Promise<void>;
}

// #region activities
interface OrderData {
  orderId: string;
  receipt?: string;
  reason?: string;
}

export const orderSaga = defineSaga({
  name: 'order',
  version: 1,
  data: type<OrderData>(),
  correlateBy: 'orderId',
  states: ['charging'],
  ends: { charged: 'success', failed: 'undo' },
  events: [OrderCreated],
  activities: { charge: { input: ref, output: receipt, timeout: '30s', retry: { attempts: 5 } } },
  compensations: { refund: ref },
});
const { Saga, StartedBy, Activity, OnDone, OnFailed, Compensation } = sagaDecorators(orderSaga);
type Ctx<E> = ContextOf<typeof orderSaga, E>;

@Saga()
export class OrderSaga {
  constructor(private readonly card: Card) {}

  @StartedBy(OrderCreated, { to: 'charging' })
  onCreated(ctx: StartContextOf<typeof orderSaga, OrderCreated>): OrderData {
    const { orderId } = ctx.event;
    ctx.invoke('charge', { orderId }, { undo: { name: 'refund', input: { orderId } } });
    return { orderId };
  }

  @Activity('charge') // outside of any commit; may take its time
  charge({ orderId }: { orderId: string }, ctx: SagaActivityContext) {
    return this.card.charge(orderId, ctx.idempotencyKey, ctx.signal);
  }

  @OnDone('charge', { during: 'charging', to: 'charged' })
  onCharged(ctx: Ctx<{ receipt: string }>) {
    ctx.data.receipt = ctx.event.receipt;
  }

  @OnFailed('charge', { during: 'charging', to: 'failed' })
  onRefused(ctx: Ctx<ActivityFailure>) {
    ctx.data.reason = ctx.event.message;
  }

  @Compensation('refund')
  refund({ orderId }: { orderId: string }, ctx: CompensationContext) {
    return this.card.refund(orderId, ctx.idempotencyKey);
  }
}
// #endregion
