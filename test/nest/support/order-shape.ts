import { Injectable, Module } from '@nestjs/common';
import {
  defineSaga,
  message,
  OrchestratorModule,
  sagaDecorators,
  type,
  type CompensationContext,
  type ContextOf,
  type StartContextOf,
} from '@nestjs-orchestrator/nest';
import { z } from 'zod';

// The order saga with its module, as the product's design shows it to users; only the two services outside are the test's.

const ref = z.object({ orderId: z.string() });
const refusal = ref.extend({ reason: z.string() });
export class OrderCreated extends message(
  'order.created',
  ref.extend({ customerId: z.string(), cents: z.int() }),
) {}
export class OrderCancelled extends message('order.cancelled', refusal) {}
export class PaymentProcessed extends message(
  'payment.processed',
  ref.extend({ transactionId: z.string() }),
) {}
export class PaymentFailed extends message('payment.failed', refusal) {}
export class StockReserved extends message('stock.reserved', ref) {}
export class StockMissing extends message('stock.missing', refusal) {}
export class CarrierAnswered extends message(
  'carrier.answered',
  ref.extend({ tracking: z.string().optional() }),
) {}
export class ProcessPayment extends message('payment.process', ref.extend({ cents: z.int() })) {}
export class ReserveStock extends message('stock.reserve', ref) {}
export class ShipOrder extends message('order.ship', ref) {}

export interface OrderData {
  orderId: string;
  cents: number;
  transactionId?: string;
  tracking?: string;
  reason?: string;
}

interface Call {
  readonly idempotencyKey: string;
  readonly signal: AbortSignal;
}

@Injectable()
export class PaymentGateway {
  readonly refunds: string[] = [];
  async refundOrVoid(orderId: string, { idempotencyKey }: Call): Promise<void> {
    if (idempotencyKey !== '') this.refunds.push(orderId);
  }
}

@Injectable()
export class Warehouse {
  readonly released: string[] = [];
  async release(orderId: string, { idempotencyKey }: Call): Promise<void> {
    if (idempotencyKey !== '') this.released.push(orderId);
  }
}

export const orderSaga = defineSaga({
  name: 'order',
  version: 1,
  data: type<OrderData>(),
  correlateBy: 'orderId',
  states: ['awaitingPayment', 'awaitingInventory', 'awaitingShipment'],
  ends: { completed: 'success', failed: 'undo' },
  events: [
    OrderCreated,
    OrderCancelled,
    PaymentProcessed,
    PaymentFailed,
    StockReserved,
    StockMissing,
    CarrierAnswered,
  ],
  compensations: { refund: ref, release: ref },
});

const { Saga, StartedBy, On, After, Compensation } = sagaDecorators(orderSaga);
type Ctx<M> = ContextOf<typeof orderSaga, M>;

@Saga()
export class OrderSaga {
  constructor(
    private readonly payments: PaymentGateway,
    private readonly warehouse: Warehouse,
  ) {}

  @StartedBy(OrderCreated, { to: 'awaitingPayment' })
  onCreated(ctx: StartContextOf<typeof orderSaga, OrderCreated>): OrderData {
    const { orderId, cents } = ctx.event;
    ctx.compensateWith('refund', { orderId });
    ctx.send(new ProcessPayment({ orderId, cents }));
    return { orderId, cents };
  }

  @On(PaymentProcessed, { during: 'awaitingPayment', to: 'awaitingInventory' })
  onPaid(ctx: Ctx<PaymentProcessed>) {
    ctx.data.transactionId = ctx.event.transactionId;
    ctx.compensateWith('release', { orderId: ctx.data.orderId });
    ctx.send(new ReserveStock({ orderId: ctx.data.orderId }));
  }

  @On(StockReserved, { during: 'awaitingInventory', to: 'awaitingShipment' })
  onReserved(ctx: Ctx<StockReserved>) {
    ctx.send(new ShipOrder({ orderId: ctx.data.orderId }));
  }

  @On(CarrierAnswered, { during: 'awaitingShipment', to: ['completed', 'failed'] })
  onAnswer(ctx: Ctx<CarrierAnswered>) {
    if (ctx.event.tracking === undefined) return 'failed';
    ctx.data.tracking = ctx.event.tracking;
    return 'completed';
  }

  @On(PaymentFailed, { during: 'awaitingPayment', to: 'failed' })
  @On(StockMissing, { during: 'awaitingInventory', to: 'failed' })
  @On(OrderCancelled, { during: ['awaitingPayment', 'awaitingInventory'], to: 'failed' })
  onRefused(ctx: Ctx<PaymentFailed | StockMissing | OrderCancelled>) {
    ctx.data.reason = ctx.event.reason;
  }

  @After('24h', { during: ['awaitingPayment', 'awaitingShipment'], to: 'failed' })
  onSilence(ctx: Ctx<never>) {
    ctx.data.reason = 'no answer in 24 hours';
  }

  @Compensation('refund')
  refund({ orderId }: { orderId: string }, ctx: CompensationContext) {
    return this.payments.refundOrVoid(orderId, ctx);
  }

  @Compensation('release')
  release({ orderId }: { orderId: string }, ctx: CompensationContext) {
    return this.warehouse.release(orderId, ctx);
  }
}

@Module({
  imports: [OrchestratorModule.forFeature([orderSaga])],
  providers: [OrderSaga, PaymentGateway, Warehouse],
})
export class OrderModule {}
