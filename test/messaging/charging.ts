import { message, type } from '@nestjs-orchestrator/core';
import type { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import { buildSaga, defineSaga, type SagaActivityContext } from '@nestjs-orchestrator/core/saga';
import { z } from 'zod';

export const ref = z.object({ orderId: z.string() });
export class Placed extends message('t.placed', ref) {}
export class Moved extends message('t.moved', ref) {}
export class Cancelled extends message('t.cancelled', ref) {}
export class Checked extends message('t.checked', ref) {}

export const definition = (version: number, migrates: boolean) =>
  defineSaga({
    name: 'charged',
    version,
    ...(migrates ? { migrate: { 1: {} } } : {}),
    data: type<{ orderId: string; receipt: string; error: string }>(),
    correlateBy: 'orderId',
    states: ['charging', 'elsewhere', 'charged'],
    ends: { done: 'success', failed: 'undo' },
    events: [Placed, Moved, Cancelled, Checked],
    compensations: { refund: ref },
    activities: {
      charge: {
        input: ref,
        output: z.object({ receipt: z.string() }),
        retry: { attempts: 3, firstDelay: '10s' },
        timeout: '30s',
        heartbeat: '8s',
      },
    },
  });
export const orderSaga = definition(1, false);

/** The service outside, and what it was asked. */
export class Card {
  readonly charges: { readonly key: string; readonly attempt: number }[] = [];
  readonly refunds: string[] = [];
  readonly aborted: string[] = [];
  onDone: () => void = () => {};
  onChecked: () => void = () => {};
  charge: (ctx: SagaActivityContext) => Promise<{ receipt: string }> = async () => ({ receipt: 'r1' });

  constructor(
    private readonly version = 1,
    private readonly migrates = false,
  ) {}

  readonly register = (host: OrchestratorHost): void =>
    host.register(
      buildSaga(definition(this.version, this.migrates), (saga) => {
        saga
          .initially()
          .when(Placed)
          .then((ctx) => {
            const { orderId } = ctx.event;
            ctx.invoke('charge', { orderId }, { undo: { name: 'refund', input: { orderId } } });
            return { orderId, receipt: '', error: '' };
          })
          .transitionTo('charging');
        saga
          .during('charging')
          .onDone('charge')
          .then((ctx) => {
            this.onDone();
            ctx.data.receipt = ctx.event.receipt;
          })
          .transitionTo('charged')
          .onFailed('charge')
          .then((ctx) => void (ctx.data.error = `${ctx.event.message} (${ctx.event.attempts})`))
          .transitionTo('failed')
          .when(Moved)
          .transitionTo('elsewhere')
          .when(Cancelled)
          .transitionTo('failed')
          .when(Checked)
          .then(() => this.onChecked());
        saga
          .during('elsewhere', 'charged')
          .when(Moved)
          .transitionTo('done')
          .when(Cancelled)
          .transitionTo('failed');
        saga.activity('charge', (_, ctx) => {
          this.charges.push({ key: ctx.idempotencyKey, attempt: ctx.attempt });
          ctx.signal.addEventListener('abort', () => this.aborted.push((ctx.signal.reason as Error).name));
          return this.charge(ctx);
        });
        saga.compensate('refund', async (_, { idempotencyKey }) => void this.refunds.push(idempotencyKey));
      }),
    );
}
