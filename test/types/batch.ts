import { sagaGoal, type SagaRepository } from '@nestjs-orchestrator/nest';
import type { orderSaga } from '../nest/support/order-shape.js';

declare const orders: SagaRepository<typeof orderSaga>;

/** Each line marked with an expected error must not compile; the lines beside them must. */
export const goals = [
  sagaGoal(orders, { key: 'o1', states: ['completed', 'awaitingPayment'], timeout: '5s' }),
  // @ts-expect-error misspelt state
  sagaGoal(orders, { key: 'o1', states: ['complete'] }),
  // @ts-expect-error a duration without a unit
  sagaGoal(orders, { key: 'o1', states: ['completed'], timeout: '5' }),
];
