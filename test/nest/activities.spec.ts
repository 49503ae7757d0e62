import { Inject, Injectable, Module } from '@nestjs/common';
import {
  InjectSagaRepository,
  MessageBus,
  OrchestratorModule,
  defineSaga,
  message,
  sagaDecorators,
  type,
  type ContextOf,
  type SagaActivityContext,
  type SagaRepository,
  type StartContextOf,
} from '@nestjs-orchestrator/nest';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { boot } from './support/application.js';

const ref = z.object({ orderId: z.string() });
class Placed extends message('activity.placed', ref) {}

const saga = defineSaga({
  name: 'activity',
  version: 1,
  data: type<{ orderId: string; receipt: string }>(),
  correlateBy: 'orderId',
  states: ['charging'],
  ends: { done: 'success', failed: 'undo' },
  events: [Placed],
  activities: { charge: { input: ref, output: z.object({ receipt: z.string() }), retry: { attempts: 1 } } },
});
const { Saga, StartedBy, Activity, OnDone, OnFailed } = sagaDecorators(saga);
type Ctx<E> = ContextOf<typeof saga, E>;

@Injectable()
class Card {
  async charge(orderId: string): Promise<string> {
    if (orderId === 'o2') throw new Error('declined');
    return `receipt of ${orderId}`;
  }
}

@Saga()
class ChargeSaga {
  constructor(@Inject(Card) private readonly card: Card) {}

  @StartedBy(Placed, { to: 'charging' })
  onPlaced(ctx: StartContextOf<typeof saga, Placed>) {
    ctx.invoke('charge', { orderId: ctx.event.orderId });
    return { orderId: ctx.event.orderId, receipt: '' };
  }

  @Activity('charge')
  async charge({ orderId }: { orderId: string }, _ctx: SagaActivityContext) {
    return { receipt: await this.card.charge(orderId) };
  }

  @OnDone('charge', { during: 'charging', to: 'done' })
  onCharged(ctx: Ctx<{ receipt: string }>) {
    ctx.data.receipt = ctx.event.receipt;
  }

  @OnFailed('charge', { during: 'charging', to: 'failed' })
  onRefused(ctx: Ctx<{ name: string; message: string; attempts: number }>) {
    ctx.data.receipt = ctx.event.message;
  }
}

@Injectable()
class Shop {
  constructor(
    @Inject(MessageBus) readonly bus: MessageBus,
    @InjectSagaRepository(saga) readonly orders: SagaRepository<typeof saga>,
  ) {}
}

@Module({ imports: [OrchestratorModule.forFeature([saga])], providers: [ChargeSaga, Card, Shop] })
class ShopModule {}

it('runs the activities of a saga class with what is injected into it, and waits for its ends', async () => {
  const { module } = await boot([ShopModule]);
  onTestFinished(() => module.close());
  const { bus, orders } = module.get(Shop, { strict: false });
  for (const orderId of ['o1', 'o2']) await bus.publish(new Placed({ orderId }));
  const ends = ['done', 'failed'] as const;
  const wait = (key: string) => orders.waitUntil({ key }, [...ends]);
  expect(await wait('o1')).toMatchObject({ state: 'done', data: { receipt: 'receipt of o1' } });
  expect(await wait('o2')).toMatchObject({ state: 'failed', data: { receipt: 'declined' } });
});
