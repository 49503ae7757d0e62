import { buildSaga } from '@nestjs-orchestrator/nest';
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

/** The order saga by the builder; everything here must compile. */
export const built = buildSaga(orderSaga, (saga) => {
  saga
    .initially()
    .when(OrderCreated)
    .then((ctx) => {
      ctx.compensateWith('refund', { orderId: ctx.event.orderId });
      ctx.send(new ProcessPayment({ orderId: ctx.event.orderId, cents: ctx.event.cents }));
      return { orderId: ctx.event.orderId, cents: ctx.event.cents };
    })
    .transitionTo('awaitingPayment');
  saga
    .during('awaitingPayment')
    .when(PaymentProcessed)
    .if(({ data, event }) => data.cents > 0 && event.transactionId !== '')
    .then(async (ctx) => {
      ctx.data.transactionId = ctx.event.transactionId;
      ctx.send(new ReserveStock({ orderId: ctx.data.orderId }));
    })
    .transitionTo('awaitingInventory')
    .elseIf(({ data }) => data.cents < 0)
    .finalize('failed')
    .else()
    .ignore()
    .when(PaymentFailed)
    .then((ctx) => {
      ctx.data.reason = ctx.event.reason;
    })
    .finalize('failed');
  saga.during('awaitingInventory').when(StockReserved).transitionTo('awaitingShipment');
  saga
    .during('awaitingInventory', 'awaitingShipment')
    .when(StockMissing)
    .then((ctx) => {
      ctx.data.reason = ctx.event.reason;
    });
  saga
    .during('awaitingShipment')
    .when(CarrierAnswered)
    .then(async (ctx) => (ctx.event.tracking === undefined ? 'failed' : 'completed'))
    .transitionToOneOf('completed', 'failed')
    .after('24h')
    .then((ctx) => {
      ctx.data.reason = 'no answer';
    })
    .finalize('failed');
  saga.duringAny().when(OrderCancelled).finalize('failed').after('7d').finalize('failed');
  saga.compensate('refund', async ({ orderId }, ctx) => void `${orderId} ${ctx.idempotencyKey}`);
  saga.compensate('release', async () => {});
});

buildSaga(orderSaga, (saga) => {
  // @ts-expect-error misspelt source state
  saga.during('awaitingPaymnt');
  // @ts-expect-error nothing leaves an end
  saga.during('completed');
  // @ts-expect-error no source state
  saga.during();
  // @ts-expect-error a command that the saga sends is no event of it
  saga.duringAny().when(ProcessPayment);
  // @ts-expect-error misspelt target
  saga.duringAny().when(PaymentFailed).transitionTo('faild');
  // @ts-expect-error a state is no end
  saga.duringAny().when(PaymentFailed).finalize('awaitingPayment');
  // @ts-expect-error not a duration
  saga.duringAny().after('1 day').finalize('failed');
});

buildSaga(orderSaga, (saga) => {
  const failed = saga.during('awaitingPayment').when(PaymentFailed);
  // @ts-expect-error unknown field of the event
  failed.if(({ event }) => event.transactionId === '');
  // @ts-expect-error unknown field of the data
  failed.if(({ data }) => data.amount > 0);
  // @ts-expect-error a guard decides at once
  failed.if(async () => true);
  // @ts-expect-error unknown field of the data
  failed.then((ctx) => void (ctx.data.amount = 1));
  // @ts-expect-error unknown compensation
  failed.then((ctx) => ctx.compensateWith('refnd', { orderId: '' }));
  // @ts-expect-error wrong input of a compensation
  failed.then((ctx) => ctx.compensateWith('refund', { order: '' }));
  // @ts-expect-error no state of the saga
  failed.then(() => 'faild').transitionToOneOf('failed');
  // @ts-expect-error a handler may return a target that is not listed
  failed.then((ctx) => (ctx.data.cents > 0 ? 'failed' : 'completed')).transitionToOneOf('failed');
  // @ts-expect-error the handler decides the target, so none is fixed
  failed.then(() => 'failed').transitionTo('failed');
  // @ts-expect-error the handler returns no target
  failed.then(() => {}).transitionToOneOf('failed');
  // @ts-expect-error an event that is ignored moves nothing
  failed.ignore().transitionTo('failed');
  // @ts-expect-error an else without an if
  failed.transitionTo('failed').else();
  // @ts-expect-error an if without an answer
  failed.if(() => true).else();
  // @ts-expect-error a when without an answer
  failed.when(PaymentFailed);
});

buildSaga(orderSaga, (saga) => {
  const created = saga.initially().when(OrderCreated);
  // @ts-expect-error the data is incomplete
  created.then(() => ({ orderId: '' })).transitionTo('awaitingPayment');
  // @ts-expect-error there is no data yet
  created.then((ctx) => ctx.data).transitionTo('awaitingPayment');
  // @ts-expect-error misspelt target
  created.then((ctx) => ({ orderId: ctx.event.orderId, cents: 1 })).transitionTo('awaitingPaymnt');
  // @ts-expect-error a start makes the data before it moves
  created.transitionTo('awaitingPayment');
  // @ts-expect-error unknown compensation
  saga.compensate('refnd', async () => {});
  // @ts-expect-error wrong input
  saga.compensate('refund', async (_input: { transactionId: string }) => {});
  // @ts-expect-error its promise tells when it is done
  saga.compensate('refund', () => {});
});
