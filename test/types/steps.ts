import { steps } from '@nestjs-orchestrator/nest';
import {
  CarrierAnswered,
  OrderCancelled,
  OrderCreated,
  PaymentFailed,
  PaymentProcessed,
  ProcessPayment,
  ReserveStock,
  StockMissing,
  StockReserved,
  orderSaga,
} from '../nest/support/order-shape.js';

const compensations = { refund: async () => {}, release: async () => {} };

/** The order saga as a row of steps; everything here must compile. */
export const stepped = steps(orderSaga, { compensations })
  .startedBy(OrderCreated, async ({ event }) => ({ orderId: event.orderId, cents: event.cents }))
  .failsOn(OrderCancelled, (ctx) => void (ctx.data.reason = ctx.event.reason))
  .step('awaitingPayment', {
    do: async ({ data }) => new ProcessPayment({ orderId: data.orderId, cents: data.cents }),
    undo: { refund: ({ data }) => ({ orderId: data.orderId }) },
    answer: PaymentProcessed,
    onAnswer: (ctx) => void (ctx.data.transactionId = ctx.event.transactionId),
    failure: [PaymentFailed, StockMissing],
    onFailure: (ctx) => void (ctx.data.reason = ctx.event.reason),
    timeout: '24h',
  })
  .parallel('awaitingInventory', (all) =>
    all
      .branch({ do: ({ data }) => [new ReserveStock({ orderId: data.orderId })], answer: StockReserved })
      .branch({
        answer: CarrierAnswered,
        onAnswer: (ctx) => void (ctx.data.tracking = ctx.event.tracking ?? ''),
      }),
  )
  .pivot()
  .step('awaitingShipment', { answer: CarrierAnswered })
  .finalize('completed');

// @ts-expect-error compensations are missing
steps(orderSaga);
// @ts-expect-error a compensation is missing
steps(orderSaga, { compensations: { refund: async () => {} } });

const started = steps(orderSaga, { compensations }).startedBy(OrderCreated, ({ event }) => ({
  orderId: event.orderId,
  cents: event.cents,
}));
// @ts-expect-error misspelt state
started.step('awaitingPaymnt', { answer: PaymentProcessed });
// @ts-expect-error a command is no answer
started.step('awaitingPayment', { answer: ProcessPayment });
// @ts-expect-error no answer
started.step('awaitingPayment', {});
// @ts-expect-error no end
started.finalize('awaitingPayment');
// @ts-expect-error not a duration
started.step('awaitingPayment', { answer: PaymentProcessed, timeout: 'soon' });
// @ts-expect-error unknown compensation
started.step('awaitingPayment', { answer: PaymentProcessed, undo: { refnd: () => ({ orderId: '' }) } });
// @ts-expect-error wrong input of a compensation
started.step('awaitingPayment', { answer: PaymentProcessed, undo: { refund: () => ({ order: '' }) } });
// @ts-expect-error unknown field of the answer
started.step('awaitingPayment', { answer: PaymentProcessed, onAnswer: (ctx) => void ctx.event.reason });
const behind = started.pivot();
// @ts-expect-error nothing is undone after the point of no return
behind.step('awaitingPayment', { answer: PaymentProcessed, undo: {} });
// @ts-expect-error the data is incomplete
steps(orderSaga, { compensations }).startedBy(OrderCreated, () => ({ orderId: '' }));
// @ts-expect-error a step before the start
steps(orderSaga, { compensations }).step('awaitingPayment', { answer: PaymentProcessed });
