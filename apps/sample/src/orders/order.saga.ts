import { defineSaga, sagaDecorators, type } from '@nestjs-orchestrator/nest';
import type { CompensationContext, ContextOf, StartContextOf } from '@nestjs-orchestrator/nest';
import { settings } from '../config/settings.js';
import { Warehouse } from '../inventory/warehouse.js';
import { Shipments } from '../shipping/shipments.js';
import {
  CarrierAnswered,
  OrderCancelled,
  OrderCreated,
  orderRef,
  PaymentFailed,
  PaymentProcessed,
  PaymentRefunded,
  ProcessPayment,
  RefundPayment,
  ReserveStock,
  ShipOrder,
  StockMissing,
  StockReserved,
} from './order.messages.js';
import type { NewOrder } from './order.schemas.js';

export interface OrderData extends NewOrder {
  orderId: string;
  cents: number;
  transactionId?: string;
  tracking?: string;
  /** Why it failed. */
  reason?: string;
}

/** The vocabulary: where an order can be, what it answers, what can be undone. */
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
    PaymentRefunded,
    StockReserved,
    StockMissing,
    CarrierAnswered,
  ],
  compensations: { refund: orderRef, release: orderRef, cancelShipment: orderRef },
  // Payment may be another process: the step is done when that says so.
  undo: { refund: { answeredBy: PaymentRefunded, answerTimeout: '1m', attempts: 100 } },
});

const { Saga, StartedBy, On, After, Compensation } = sagaDecorators(orderSaga);
type Ctx<M> = ContextOf<typeof orderSaga, M>;
type OrderRef = { orderId: string };

/**
 * An order from acceptance to its end. Each step records its undo in the commit that sends the command, so that an answer
 * that comes too late, or never, is undone as well.
 */
@Saga()
export class OrderSaga {
  constructor(
    private readonly warehouse: Warehouse,
    private readonly shipments: Shipments,
  ) {}

  @StartedBy(OrderCreated, { to: 'awaitingPayment' })
  onCreated(ctx: StartContextOf<typeof orderSaga, OrderCreated>): OrderData {
    const { orderId, customerId, items, cents, simulate } = ctx.event;
    ctx.compensateWith('refund', { orderId });
    ctx.send(new ProcessPayment({ orderId, cents, behaviour: simulate.payment }));
    return { orderId, customerId, items, cents, simulate };
  }

  @On(PaymentProcessed, { during: 'awaitingPayment', to: 'awaitingInventory' })
  onPaid(ctx: Ctx<PaymentProcessed>) {
    const { orderId, items, simulate } = ctx.data;
    ctx.data.transactionId = ctx.event.transactionId;
    ctx.compensateWith('release', { orderId });
    ctx.send(new ReserveStock({ orderId, items, behaviour: simulate.stock }));
  }

  @On(StockReserved, { during: 'awaitingInventory', to: 'awaitingShipment' })
  onReserved(ctx: Ctx<StockReserved>) {
    const { orderId, simulate } = ctx.data;
    ctx.compensateWith('cancelShipment', { orderId });
    ctx.send(new ShipOrder({ orderId, behaviour: simulate.carrier }));
  }

  @On(CarrierAnswered, { during: 'awaitingShipment', to: ['completed', 'failed'] })
  onAnswer(ctx: Ctx<CarrierAnswered>) {
    const { tracking, reason } = ctx.event;
    if (tracking === undefined) {
      ctx.data.reason = reason ?? 'the carrier refused';
      return 'failed';
    }
    ctx.data.tracking = tracking;
    return 'completed';
  }

  @On(PaymentFailed, { during: 'awaitingPayment', to: 'failed' })
  @On(StockMissing, { during: 'awaitingInventory', to: 'failed' })
  @On(OrderCancelled, { during: ['awaitingPayment', 'awaitingInventory'], to: 'failed' })
  onRefused(ctx: Ctx<PaymentFailed | StockMissing | OrderCancelled>) {
    ctx.data.reason = ctx.event.reason;
  }

  /** The parcel is with the carrier already: the wish is on record, and changes nothing. */
  @On(OrderCancelled, { during: 'awaitingShipment' })
  onCancelledTooLate() {}

  @After(settings.paymentTimeout, { during: 'awaitingPayment', to: 'failed' })
  onPaymentSilence(ctx: Ctx<never>) {
    ctx.data.reason = `no answer to the payment in ${settings.paymentTimeout}`;
  }

  @After(settings.stockTimeout, { during: 'awaitingInventory', to: 'failed' })
  onWarehouseSilence(ctx: Ctx<never>) {
    ctx.data.reason = `no answer from the warehouse in ${settings.stockTimeout}`;
  }

  @After(settings.carrierTimeout, { during: 'awaitingShipment', to: 'failed' })
  onCarrierSilence(ctx: Ctx<never>) {
    ctx.data.reason = `no answer from the carrier in ${settings.carrierTimeout}`;
  }

  @Compensation('refund')
  async refund({ orderId }: OrderRef, ctx: CompensationContext) {
    ctx.send(new RefundPayment({ orderId, key: ctx.idempotencyKey }));
  }

  @Compensation('release')
  release({ orderId }: OrderRef) {
    return this.warehouse.release(orderId);
  }

  @Compensation('cancelShipment')
  cancelShipment({ orderId }: OrderRef) {
    return this.shipments.cancel(orderId);
  }
}
