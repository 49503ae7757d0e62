import {
  Handles,
  sagaDecorators,
  type ContextOf,
  type MessageContext,
  type SagaRepository,
  type StartContextOf,
} from '@nestjs-orchestrator/nest';
import {
  CarrierAnswered,
  OrderCreated,
  PaymentFailed,
  PaymentProcessed,
  ProcessPayment,
  ReserveStock,
  StockMissing,
  orderSaga,
} from '../nest/support/order-shape.js';

const { Saga, StartedBy, On, After, Compensation } = sagaDecorators(orderSaga);
type Ctx<M> = ContextOf<typeof orderSaga, M>;
type Start<M> = StartContextOf<typeof orderSaga, M>;

/** Each line marked with an expected error must not compile; the lines beside them must. */
@Saga()
export class Sources {
  // @ts-expect-error misspelt source state
  @On(PaymentProcessed, { during: 'awaitingPaymnt', to: 'awaitingInventory' })
  a(_ctx: Ctx<PaymentProcessed>) {}

  // @ts-expect-error one misspelt source state in a list
  @On(PaymentProcessed, { during: ['awaitingPayment', 'awaitingInventry'] })
  b(_ctx: Ctx<PaymentProcessed>) {}

  // @ts-expect-error nothing leaves an end
  @On(CarrierAnswered, { during: 'completed' })
  c(_ctx: Ctx<CarrierAnswered>) {}

  // @ts-expect-error the source states are missing
  @On(CarrierAnswered, { to: 'completed' })
  d(_ctx: Ctx<CarrierAnswered>) {}

  @On(CarrierAnswered, { during: ['awaitingPayment', 'awaitingShipment'] })
  ok(_ctx: Ctx<CarrierAnswered>) {}
}

@Saga()
export class Targets {
  // @ts-expect-error misspelt target
  @On(PaymentProcessed, { during: 'awaitingPayment', to: 'awaitingInventry' })
  a(_ctx: Ctx<PaymentProcessed>) {}

  // @ts-expect-error returns a target that is not listed
  @On(CarrierAnswered, { during: 'awaitingShipment', to: ['completed', 'failed'] })
  b(_ctx: Ctx<CarrierAnswered>) {
    return 'awaitingPayment' as const;
  }

  // @ts-expect-error forgets to return the target
  @On(CarrierAnswered, { during: 'awaitingShipment', to: ['completed', 'failed'] })
  c(_ctx: Ctx<CarrierAnswered>) {}

  // @ts-expect-error returns a state where the target is fixed
  @On(CarrierAnswered, { during: 'awaitingShipment', to: 'completed' })
  d(_ctx: Ctx<CarrierAnswered>) {
    return 'failed' as const;
  }

  // @ts-expect-error returns a state where the saga stays
  @On(CarrierAnswered, { during: 'awaitingShipment' })
  e(_ctx: Ctx<CarrierAnswered>) {
    return 'failed' as const;
  }

  // @ts-expect-error misspelt target of a start
  @StartedBy(OrderCreated, { to: 'awaitngPayment' })
  f(ctx: Start<OrderCreated>) {
    return { orderId: ctx.event.orderId, cents: 1 };
  }

  @On(CarrierAnswered, { during: 'awaitingShipment', to: ['completed', 'failed'] })
  async ok(_ctx: Ctx<CarrierAnswered>) {
    return (await Promise.resolve(1)) > 0 ? 'completed' : 'failed';
  }
}

@Saga()
export class Events {
  // @ts-expect-error takes another event of equal shape
  @On(PaymentFailed, { during: 'awaitingPayment', to: 'failed' })
  a(_ctx: Ctx<StockMissing>) {}

  // @ts-expect-error a command that the saga sends is no event of it
  @On(ProcessPayment, { during: 'awaitingPayment' })
  b(_ctx: Ctx<ProcessPayment>) {}

  // @ts-expect-error a stacked decorator that the method's parameter does not cover
  @On(StockMissing, { during: 'awaitingInventory', to: 'failed' })
  @On(PaymentFailed, { during: 'awaitingPayment', to: 'failed' })
  c(_ctx: Ctx<PaymentFailed>) {}

  // @ts-expect-error a timer has no event
  @After('1h', { during: 'awaitingPayment', to: 'failed' })
  d(ctx: Ctx<PaymentFailed>) {
    ctx.data.reason = ctx.event.reason;
  }

  @On(StockMissing, { during: 'awaitingInventory', to: 'failed' })
  @On(PaymentFailed, { during: 'awaitingPayment', to: 'failed' })
  ok(_ctx: Ctx<PaymentFailed | StockMissing>) {}
}

@Saga()
export class Starts {
  // @ts-expect-error the data is incomplete
  @StartedBy(OrderCreated, { to: 'awaitingPayment' })
  a(_ctx: Start<OrderCreated>) {
    return { orderId: '' };
  }

  // @ts-expect-error there is no data yet
  @StartedBy(OrderCreated, { to: 'awaitingPayment' })
  b(ctx: Ctx<OrderCreated>) {
    return ctx.data;
  }

  // @ts-expect-error the data has a field of another type
  @StartedBy(OrderCreated, { to: 'awaitingPayment' })
  c(ctx: Start<OrderCreated>) {
    return { orderId: ctx.event.orderId, cents: '100' };
  }

  @StartedBy(OrderCreated, { to: 'awaitingPayment' })
  async ok(ctx: Start<OrderCreated>) {
    return { orderId: ctx.event.orderId, cents: ctx.event.cents };
  }
}

@Saga()
export class Timers {
  // @ts-expect-error not a duration
  @After('24 hours', { during: 'awaitingPayment', to: 'failed' })
  a(_ctx: Ctx<never>) {}

  // @ts-expect-error a number without a unit
  @After('24', { during: 'awaitingPayment', to: 'failed' })
  b(_ctx: Ctx<never>) {}

  // @ts-expect-error misspelt state
  @After('24h', { during: 'awaitingPaymnt', to: 'failed' })
  c(_ctx: Ctx<never>) {}

  @After('24h', { during: 'awaitingPayment', to: 'failed' })
  ok(_ctx: Ctx<never>) {}

  @After('24h', { during: 'awaitingPayment', to: ['completed', 'failed'] })
  @On(PaymentFailed, { during: 'awaitingInventory', to: ['completed', 'failed'] })
  both(ctx: Ctx<PaymentFailed | undefined>) {
    return ctx.event === undefined ? 'failed' : 'completed';
  }

  @After('24h', { during: 'awaitingShipment' })
  bare() {}
}

@Saga()
export class Bodies {
  @On(PaymentProcessed, { during: 'awaitingPayment' })
  a(ctx: Ctx<PaymentProcessed>) {
    // @ts-expect-error unknown field of the data
    ctx.data.transactionID = 'x';
    // @ts-expect-error a field of the data of another type
    ctx.data.cents = '1';
    // @ts-expect-error unknown field of the event
    void ctx.event.reason;
    // @ts-expect-error a closure is no compensation
    ctx.compensateWith(async () => {}, { orderId: '' });
    // @ts-expect-error unknown compensation
    ctx.compensateWith('refnd', { orderId: '' });
    // @ts-expect-error wrong input of a compensation
    ctx.compensateWith('refund', { order: '' });
    // @ts-expect-error not a duration
    ctx.send(new ReserveStock({ orderId: '' }), { delay: '1 day' });
    ctx.compensateWith('refund', { orderId: '' });
  }
}

@Saga()
export class Guards {
  @On(PaymentFailed, {
    during: 'awaitingPayment',
    // @ts-expect-error unknown field of the event
    if: ({ event }) => event.transactionId === 'x',
  })
  a(_ctx: Ctx<PaymentFailed>) {}

  @On(PaymentFailed, {
    during: 'awaitingPayment',
    // @ts-expect-error unknown field of the data
    if: ({ data }) => data.amount > 0,
  })
  b(_ctx: Ctx<PaymentFailed>) {}

  @On(PaymentFailed, {
    during: 'awaitingPayment',
    if: ({ data }) => {
      // @ts-expect-error a guard changes nothing
      data.cents = 0;
      return true;
    },
  })
  c(_ctx: Ctx<PaymentFailed>) {}

  // @ts-expect-error a guard decides at once
  @On(PaymentFailed, { during: 'awaitingPayment', if: async () => true })
  d(_ctx: Ctx<PaymentFailed>) {}

  @On(PaymentFailed, {
    during: 'awaitingPayment',
    if: ({ data, event }) => data.cents > 0 && event.reason === 'x',
  })
  async ok(_ctx: Ctx<PaymentFailed>) {}
}

@Saga()
export class Compensations {
  // @ts-expect-error unknown compensation
  @Compensation('refnd')
  async a(_input: { orderId: string }) {}

  // @ts-expect-error wrong input
  @Compensation('refund')
  async b(_input: { transactionId: string }) {}

  // @ts-expect-error its promise tells when it is done
  @Compensation('refund')
  c(_input: { orderId: string }) {}

  @Compensation('refund')
  async ok(_input: { orderId: string }) {}
}

export class PaymentHandlers {
  // @ts-expect-error takes another message
  @Handles(ReserveStock)
  async a(_ctx: MessageContext<ProcessPayment>) {}

  // @ts-expect-error a class that is no message
  @Handles(PaymentHandlers)
  async b(_ctx: MessageContext<never>) {}

  // @ts-expect-error answers go through the context
  @Handles(ProcessPayment)
  async c(ctx: MessageContext<ProcessPayment>) {
    return new PaymentFailed({ orderId: ctx.message.orderId, reason: '' });
  }

  @Handles(ProcessPayment, { name: 'payments.charge' })
  async ok(ctx: MessageContext<ProcessPayment>) {
    ctx.publish(new PaymentProcessed({ orderId: ctx.message.orderId, transactionId: 't' }));
  }
}

export async function queries(orders: SagaRepository<typeof orderSaga>): Promise<void> {
  // @ts-expect-error misspelt state
  orders.findByState('awaitingPaymnt');
  // @ts-expect-error not a duration
  orders.findStale('2 hours');
  const found = await orders.findByCorrelation('1');
  // @ts-expect-error a copy can't be changed
  if (found !== undefined) found.data.cents = 0;
  // @ts-expect-error unknown field of the data
  void found?.data.amount;
  // @ts-expect-error a state that is none
  if (found?.state === 'awaitingPaymnt') return;
  orders.findByState('completed');
}
