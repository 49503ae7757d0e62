import {
  defineSaga,
  message,
  sagaDecorators,
  type,
  type CompensationContext,
  type ContextOf,
  type StartContextOf,
} from '@nestjs-orchestrator/nest';
import { z } from 'zod';

const ref = z.object({ orderId: z.string() });
export class OrderCreated extends message('order.created', ref.extend({ cents: z.int() })) {}
export class ProcessPayment extends message('payment.process', ref.extend({ cents: z.int() })) {}
export class PaymentProcessed extends message(
  'payment.processed',
  ref.extend({ transactionId: z.string() }),
) {}
export class PaymentFailed extends message('payment.failed', ref) {}
interface OrderData {
  orderId: string;
  cents: number;
  transactionId?: string;
}
export abstract class Payments {
  abstract refundOrVoid(orderId: string, idempotencyKey: string): Promise<void>;
}

export const orderSaga = defineSaga({
  name: 'order',
  version: 1,
  data: type<OrderData>(),
  correlateBy: 'orderId',
  states: ['awaitingPayment'],
  ends: { completed: 'success', failed: 'undo' },
  events: [OrderCreated, PaymentProcessed, PaymentFailed],
  compensations: { refund: ref },
});
type Ctx<M> = ContextOf<typeof orderSaga, M>;

const { Saga, StartedBy, On, After, Compensation } = sagaDecorators(orderSaga);

// #region saga
@Saga()
export class OrderSaga {
  constructor(private readonly payments: Payments) {}

  @StartedBy(OrderCreated, { to: 'awaitingPayment' })
  onCreated(ctx: StartContextOf<typeof orderSaga, OrderCreated>): OrderData {
    const { orderId, cents } = ctx.event;
    ctx.compensateWith('refund', { orderId }); // recorded with the command: an answer that comes too late is undone, too
    ctx.send(new ProcessPayment({ orderId, cents })); // leaves when this step is committed
    return { orderId, cents };
  }

  @On(PaymentProcessed, { during: 'awaitingPayment', to: 'completed' })
  onPaid(ctx: Ctx<PaymentProcessed>) {
    ctx.data.transactionId = ctx.event.transactionId;
  }

  @On(PaymentFailed, { during: 'awaitingPayment', to: 'failed' }) // `failed` undoes what was recorded, last first
  @After('24h', { during: 'awaitingPayment', to: 'failed' })
  onRefused() {}
  @Compensation('refund')
  refund(input: { orderId: string }, ctx: CompensationContext) {
    return this.payments.refundOrVoid(input.orderId, ctx.idempotencyKey);
  }
}
// #endregion
