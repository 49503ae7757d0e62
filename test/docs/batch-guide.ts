import { message, type BatchService } from '@nestjs-orchestrator/core';
import { sagaGoal, type MachineRef, type SagaRepository } from '@nestjs-orchestrator/nest';
import { z } from 'zod';
import type { orderSaga } from './activities-guide.js';
import type { door } from './nest-machines.js';

const ref = z.object({ orderId: z.string() });
class OrderCancelled extends message('order.cancelled', ref) {}
class Refund extends message('refund', ref) {}
class Quote extends message('quote', ref) {}
class Quoted extends message('quoted', ref.extend({ cents: z.int() })) {}

export async function settle(
  batches: BatchService,
  orders: SagaRepository<typeof orderSaga>,
  front: MachineRef<typeof door>,
  orderId: string,
  signal: AbortSignal,
) {
  // #region fire
  const batch = batches.fire(
    [
      { machine: front, event: { type: 'OPEN' } }, // a MachineRef, or the id it was spawned with
      { publish: new OrderCancelled({ orderId }) }, // done when it is durable
      { send: new Refund({ orderId }), until: sagaGoal(orders, { key: orderId, states: ['failed'] }) }, // done when the saga is there
      { ask: new Quote({ orderId }), options: { reply: Quoted } }, // done when the reply is there
    ],
    { maxParallelism: 10, onFailure: 'continue', timeout: '5m', signal },
  );
  for await (const { item, succeeded, total } of batch.progress()) console.log(item.status, succeeded, total);
  const { results, endedBy, durationMs } = await batch.result;
  // #endregion
  return { results, endedBy, durationMs };
}
