import {
  buildSaga,
  defineSaga,
  message,
  sagaDecorators,
  type,
  type ActivityFailure,
  type ContextOf,
  type SagaActivityContext,
  type StartContextOf,
} from '@nestjs-orchestrator/nest';
import { z } from 'zod';

const ref = z.object({ orderId: z.string() });
class Placed extends message('types.placed', ref) {}

const saga = defineSaga({
  name: 'types-activities',
  version: 1,
  data: type<{ orderId: string; receipt: string }>(),
  correlateBy: 'orderId',
  states: ['charging'],
  ends: { done: 'success', failed: 'undo' },
  events: [Placed],
  compensations: { refund: ref },
  activities: { charge: { input: ref, output: z.object({ receipt: z.string() }), timeout: '10s' } },
});

type Ctx<E> = ContextOf<typeof saga, E>;
const { Saga, StartedBy, Activity, OnDone, OnFailed } = sagaDecorators(saga);

@Saga()
export class ChargeSaga {
  @StartedBy(Placed, { to: 'charging' })
  onPlaced(ctx: StartContextOf<typeof saga, Placed>) {
    const { orderId } = ctx.event;
    ctx.invoke('charge', { orderId }, { undo: { name: 'refund', input: { orderId } } });
    // @ts-expect-error -- no activity of that name
    ctx.invoke('chrage', { orderId });
    // @ts-expect-error -- its input has no such field
    ctx.invoke('charge', { order: orderId });
    // @ts-expect-error -- no compensation of that name
    ctx.invoke('charge', { orderId }, { undo: { name: 'refnud', input: { orderId } } });
    return { orderId, receipt: '' };
  }

  @Activity('charge')
  async charge(input: { orderId: string }, ctx: SagaActivityContext) {
    ctx.heartbeat();
    return { receipt: `${input.orderId} ${ctx.idempotencyKey}` };
  }

  // @ts-expect-error -- its output lacks the receipt
  @Activity('charge')
  async chargeBadly(_input: { orderId: string }) {
    return {};
  }

  @OnDone('charge', { during: 'charging', to: 'done', if: ({ event }) => event.receipt !== '' })
  onCharged(ctx: Ctx<{ receipt: string }>) {
    ctx.data.receipt = ctx.event.receipt;
  }

  // @ts-expect-error -- the output is no number
  @OnDone('charge', { during: 'charging', to: 'done' })
  onChargedBadly(ctx: Ctx<{ receipt: number }>) {
    ctx.data.receipt = String(ctx.event.receipt);
  }

  @OnFailed('charge', { during: 'charging', to: 'failed' })
  onRefused(ctx: Ctx<ActivityFailure>) {
    ctx.data.receipt = `${ctx.event.message} after ${ctx.event.attempts}`;
  }
}

export const built = buildSaga(saga, (build) => {
  build.activity('charge', async ({ orderId }) => ({ receipt: orderId }));
  // @ts-expect-error -- no activity of that name
  build.activity('chrage', async () => ({ receipt: '' }));
  // @ts-expect-error -- its output lacks the receipt
  build.activity('charge', async () => ({}));
  build
    .during('charging')
    .onDone('charge')
    .then((ctx) => void (ctx.data.receipt = ctx.event.receipt))
    .transitionTo('done')
    .onFailed('charge')
    .then((ctx) => void (ctx.data.receipt = ctx.event.message))
    .transitionTo('failed');
  // @ts-expect-error -- no activity of that name
  build.during('charging').onDone('chrage').transitionTo('done');
});
