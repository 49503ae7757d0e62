import { defineSaga, type } from '@nestjs-orchestrator/nest';
import { OrderCreated } from './activities-guide.js';

// #region migrate
export const trip = defineSaga({
  name: 'trip',
  version: 2,
  data: type<{ orderId: string; stops: string[] }>(),
  correlateBy: 'orderId',
  states: ['underway'],
  ends: { arrived: 'success' },
  events: [OrderCreated],
  migrate: {
    // What an instance of version 1 becomes: its data, and where its states are found now.
    1: {
      data: (old: { orderId: string; steps: number }) => ({
        orderId: old.orderId,
        stops: Array.from({ length: old.steps }, (_, at) => `stop ${at + 1}`),
      }),
      states: { waiting: 'underway' },
    },
  },
});
// #endregion
