import {
  buildSaga,
  defineSaga,
  event,
  keyed,
  message,
  sagaDecorators,
  steps,
  type,
  type CompensationContext,
  type ContextOf,
  type StartContextOf,
} from '@nestjs-orchestrator/nest';
import { z } from 'zod';

const ref = z.object({ orderId: z.string() });
class OrderPlaced extends message('order.placed', ref.extend({ customerId: z.string(), cents: z.int() })) {}
class OrderCancelled extends message('order.cancelled', ref) {}
class PaymentProcessed extends message('payment.processed', ref) {}
class PaymentFailed extends message('payment.failed', ref) {}
class StockReserved extends message('stock.reserved', ref) {}
class StockMissing extends message('stock.missing', ref) {}
class ParcelShipped extends message('parcel.shipped', ref.extend({ consignment: z.string() })) {}
class ParcelDelivered extends message('parcel.delivered', z.object({ consignment: z.string() })) {}
class CustomerBlocked extends message('customer.blocked', z.object({ customerId: z.string() })) {}
class ProcessPayment extends message('payment.process', ref.extend({ cents: z.int() })) {}
class ReserveStock extends message('stock.reserve', ref) {}
class ShipParcel extends message('parcel.ship', ref) {}
class RemindCustomer extends message('customer.remind', ref) {}

abstract class Payments {
  abstract refundOrVoid(orderId: string, idempotencyKey: string): Promise<void>;
}
abstract class Warehouse {
  abstract release(orderId: string, idempotencyKey: string): Promise<void>;
}
declare const payments: Payments;
declare const warehouse: Warehouse;

// #region vocabulary
interface OrderData {
  orderId: string;
  cents: number;
  reminded: boolean;
}

export const orderSaga = defineSaga({
  name: 'order',
  version: 1,
  data: type<OrderData>(), // or a schema: zod, valibot, classSchema(Dto)
  correlateBy: 'orderId', // the field of every event that tells the instance …
  keys: { consignment: 'at most one', customer: 'many' }, // … and further keys
  states: ['preparing', 'shipping', 'underway'],
  ends: { completed: 'success', failed: 'undo' },
  events: [
    OrderPlaced,
    PaymentProcessed,
    PaymentFailed,
    StockReserved,
    StockMissing,
    ParcelShipped,
    event(OrderCancelled, { absent: 'discard', unanswered: 'ignore' }),
    keyed(ParcelDelivered, (m) => m.consignment, { key: 'consignment' }),
    keyed(CustomerBlocked, (m) => m.customerId, { key: 'customer' }),
  ],
  compensations: { refund: ref, release: ref },
  compositeEvents: { ready: { of: [PaymentProcessed, StockReserved], during: 'preparing' } },
  schedules: ['reminder'],
  sends: [ProcessPayment, ReserveStock, ShipParcel, RemindCustomer],
});
// #endregion

const { Saga, StartedBy, On, After, Scheduled, OnEntry, Compensation } = sagaDecorators(orderSaga);
type Ctx<M> = ContextOf<typeof orderSaga, M>;

// #region class
@Saga()
export class OrderSaga {
  constructor(
    private readonly payments: Payments,
    private readonly warehouse: Warehouse,
  ) {}

  @StartedBy(OrderPlaced, { to: 'preparing' })
  onPlaced(ctx: StartContextOf<typeof orderSaga, OrderPlaced>): OrderData {
    const { orderId, customerId, cents } = ctx.event;
    ctx.correlateWith('customer', customerId);
    ctx.compensateWith('refund', { orderId });
    ctx.send(new ProcessPayment({ orderId, cents }));
    ctx.compensateWith('release', { orderId });
    ctx.send(new ReserveStock({ orderId }));
    ctx.schedule('reminder', '2h');
    return { orderId, cents, reminded: false };
  }

  @Scheduled('reminder', { during: 'preparing', if: ({ data }) => !data.reminded })
  onReminder(ctx: Ctx<never>) {
    ctx.data.reminded = true;
    ctx.send(new RemindCustomer({ orderId: ctx.data.orderId }));
    ctx.schedule('reminder', '8h'); // the same name again: this one counts
  }

  @On('ready', { during: 'preparing', to: 'shipping' }) // payment and stock, in whatever order
  onReady() {}

  @OnEntry('shipping')
  onShipping(ctx: Ctx<never>) {
    ctx.send(new ShipParcel({ orderId: ctx.data.orderId }));
  }

  @On(ParcelShipped, { during: 'shipping', to: 'underway' })
  onShipped(ctx: Ctx<ParcelShipped>) {
    ctx.pivot(); // from here on nothing is undone
    ctx.correlateWith('consignment', ctx.event.consignment); // known from here on: the carrier speaks of nothing else
  }

  @On(ParcelDelivered, { during: 'underway', to: 'completed' })
  @After('30d', { during: 'underway', to: 'completed' })
  onDelivered() {}

  @On(PaymentFailed, { during: 'preparing', to: 'failed' })
  @On(StockMissing, { during: 'preparing', to: 'failed' })
  @On(OrderCancelled, { during: ['preparing', 'shipping'], to: 'failed' })
  @On(CustomerBlocked, { during: ['preparing', 'shipping'], to: 'failed' })
  @After('24h', { during: ['preparing', 'shipping'], to: 'failed' })
  onRefused() {}

  @On(StockReserved, { during: ['compensating', 'ended'] }) // the answer that came too late
  onLateStock(ctx: Ctx<StockReserved>) {
    ctx.compensateWith('release', { orderId: ctx.data.orderId });
  }

  @Compensation('refund')
  refund(input: { orderId: string }, ctx: CompensationContext) {
    return this.payments.refundOrVoid(input.orderId, ctx.idempotencyKey);
  }

  @Compensation('release')
  release(input: { orderId: string }, ctx: CompensationContext) {
    return this.warehouse.release(input.orderId, ctx.idempotencyKey);
  }
}
// #endregion

const claimSaga = defineSaga({
  name: 'claim',
  version: 1,
  data: type<{ orderId: string; cents: number; approved: boolean }>(),
  correlateBy: 'orderId',
  states: ['waiting', 'deciding', 'paying'],
  ends: { paid: 'success', rejected: 'success' },
  events: [OrderPlaced, PaymentProcessed, PaymentFailed, OrderCancelled],
});

// #region builder
export const claim = buildSaga(claimSaga, (saga) => {
  saga
    .initially()
    .when(OrderPlaced)
    .then(({ event }) => ({ orderId: event.orderId, cents: event.cents, approved: false }))
    .transitionTo('waiting');
  saga
    .during('waiting')
    .when(PaymentProcessed)
    .if(({ data }) => data.cents > 0) // asked once
    .then((ctx) => void (ctx.data.approved = ctx.data.cents < 10_000))
    .transitionTo('deciding')
    .else()
    .ignore();
  saga
    .during('deciding') // no event needed: looked at with what the handler has left
    .always()
    .if(({ data }) => data.approved)
    .transitionTo('paying')
    .else()
    .finalize('rejected');
  saga
    .during('paying')
    .when(PaymentProcessed)
    .then((ctx) => (ctx.data.cents > 0 ? 'paid' : 'rejected')) // the handler decides …
    .transitionToOneOf('paid', 'rejected') // … between these
    .after('7d')
    .finalize('rejected');
  saga.duringAny().when(OrderCancelled).finalize('rejected').when(PaymentFailed).ignore();
});
// #endregion

const purchaseSaga = defineSaga({
  name: 'purchase',
  version: 1,
  data: type<{ orderId: string; cents: number }>(),
  correlateBy: 'orderId',
  states: ['preparing', 'shipping'],
  ends: { completed: 'success', failed: 'undo', stuck: 'success' },
  events: [
    OrderPlaced,
    OrderCancelled,
    PaymentProcessed,
    PaymentFailed,
    StockReserved,
    StockMissing,
    ParcelShipped,
  ],
  compensations: { refund: ref, release: ref },
  sends: [ProcessPayment, ReserveStock, ShipParcel],
});

// #region steps
export const purchase = steps(purchaseSaga, {
  compensations: {
    refund: ({ orderId }, ctx) => payments.refundOrVoid(orderId, ctx.idempotencyKey),
    release: ({ orderId }, ctx) => warehouse.release(orderId, ctx.idempotencyKey),
  },
})
  .startedBy(OrderPlaced, ({ event }) => ({ orderId: event.orderId, cents: event.cents }))
  .failsOn(OrderCancelled)
  .parallel(
    'preparing',
    (all) =>
      all
        .branch({
          do: ({ data }) => new ProcessPayment({ orderId: data.orderId, cents: data.cents }),
          undo: { refund: ({ data }) => ({ orderId: data.orderId }) },
          answer: PaymentProcessed,
          failure: PaymentFailed,
        })
        .branch({
          do: ({ data }) => new ReserveStock({ orderId: data.orderId }),
          undo: { release: ({ data }) => ({ orderId: data.orderId }) },
          answer: StockReserved,
          failure: StockMissing,
        }),
    { timeout: '24h' },
  )
  .pivot({ failure: 'stuck' })
  .step('shipping', {
    do: ({ data }) => new ShipParcel({ orderId: data.orderId }),
    answer: ParcelShipped,
    timeout: '7d',
  })
  .finalize('completed');
// #endregion

// #region nested
export const packingSaga = defineSaga({
  name: 'packing',
  version: 1,
  data: type<{ orderId: string }>(),
  correlateBy: 'orderId',
  states: {
    preparing: {
      type: 'parallel',
      states: {
        payment: { initial: 'waiting', states: { waiting: {}, done: { type: 'final' } } },
        stock: { initial: 'waiting', states: { waiting: {}, done: { type: 'final' } } },
      },
    },
    shipping: {},
  },
  ends: { completed: 'success', failed: 'success' },
  events: [OrderPlaced, PaymentProcessed, StockReserved, ParcelShipped],
});

export const packing = buildSaga(packingSaga, (saga) => {
  saga
    .initially()
    .when(OrderPlaced)
    .then(({ event }) => ({ orderId: event.orderId }))
    .transitionTo('preparing');
  saga
    .during('preparing.payment.waiting')
    .when(PaymentProcessed)
    .transitionTo('preparing.payment.done')
    .after('1h') // goes on whatever the other region does
    .finalize('failed');
  saga.during('preparing.stock.waiting').when(StockReserved).transitionTo('preparing.stock.done');
  saga.during('preparing').done().transitionTo('shipping'); // both regions have come to their end
  saga.during('shipping').when(ParcelShipped).finalize('completed');
});
// #endregion
