// #region saga
import { message, type } from '@nestjs-orchestrator/core';
import { defineSaga } from '@nestjs-orchestrator/core/saga';
import { z } from 'zod';

export class OrderCreated extends message('order.created', z.object({ orderId: z.string() })) {}

export const orderSaga = defineSaga({
  name: 'order',
  version: 1,
  data: type<{ orderId: string }>(),
  correlateBy: 'orderId',
  states: ['awaitingPayment'],
  ends: { completed: 'success', failed: 'undo' },
  events: [OrderCreated],
});
// #endregion
