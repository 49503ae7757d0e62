import { message, type } from '@nestjs-orchestrator/core';
import type { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import {
  buildSaga,
  defineSaga,
  type CompensationContext,
  type UndoPolicy,
} from '@nestjs-orchestrator/core/saga';
import { afterEach, describe, expect, it } from 'vitest';
import { CALM, storeKinds } from '../saga/support.js';
import { openPlainCluster, type PlainCluster } from './support.js';

interface Ref {
  id: string;
}
class Began extends message('au.began', type<Ref>()) {}
class Moved extends message('au.moved', type<Ref>()) {}
class Cancelled extends message('au.cancelled', type<Ref>()) {}
class Refund extends message('au.refund', type<Ref>()) {}
class Refunded extends message('au.refunded', type<Ref>()) {}

const ADA = { by: 'ada', reason: 'seen with the bank' };
const id = 'x';

/** Where the charge is asked for, its outcome comes when nobody waits for it any more, and is undone while the saga goes on. */
const definition = (refund: UndoPolicy) =>
  defineSaga({
    name: 'left',
    version: 1,
    data: type<Ref>(),
    correlateBy: 'id',
    states: ['charging', 'elsewhere'],
    ends: { done: 'success', failed: 'undo' },
    events: [Began, Moved, Cancelled, Refunded],
    compensations: { refund: type<Ref>(), other: type<Ref>() },
    undo: { refund },
    activities: { charge: { input: type<Ref>(), output: type<{ receipt: string }>() } },
  });

let cluster: PlainCluster | undefined;
afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});

describe.each(storeKinds)('what an activity did that nobody waits for any more, on $kind', (kind) => {
  const undone: string[] = [];
  const refunds: object[] = [];

  async function left(refund: (ctx: CompensationContext) => void, policy: UndoPolicy = { attempts: 1 }) {
    undone.length = 0;
    refunds.length = 0;
    const saga = definition(policy);
    let finish = (): void => {};
    const charged = new Promise<void>((resolve) => (finish = resolve));
    cluster = await openPlainCluster(kind);
    const { clock } = cluster;
    const register = (host: OrchestratorHost): void => {
      host.register(
        buildSaga(saga, (build) => {
          build
            .initially()
            .when(Began)
            .then((ctx) => {
              ctx.compensateWith('other', { id });
              ctx.invoke('charge', { id }, { undo: { name: 'refund', input: { id } } });
              return { id };
            })
            .transitionTo('charging');
          build
            .during('charging')
            .onDone('charge')
            .finalize('done')
            .onFailed('charge')
            .finalize('failed')
            .when(Moved)
            .transitionTo('elsewhere');
          build.during('elsewhere').when(Moved).finalize('done').when(Cancelled).finalize('failed');
          build.activity('charge', async () => {
            await charged;
            return { receipt: 'r' };
          });
          build.compensate('refund', async (_, ctx) => {
            undone.push('refund');
            refund(ctx);
          });
          build.compensate('other', async () => void undone.push('other'));
        }),
      );
      host.registerHandler({
        message: Refund,
        name: 'bank.refund',
        handle: (ctx) => void refunds.push({ ...(ctx.message as object) }),
      });
    };
    const { host } = await cluster.node('only', register, CALM);
    const play = async (...events: object[]) => {
      for (const event of events) {
        await host.bus.publish(event);
        await clock.settled();
      }
    };
    await play(new Began({ id }), new Moved({ id }));
    finish();
    await clock.advance('1s');
    const orders = host.repository(saga);
    const found = async () => {
      const { state, status, undo = [] } = (await orders.findByCorrelation(id)) ?? {};
      return [`${state} ${status}`, ...undo.map((step) => `${step.name} ${step.status}`)];
    };
    const target = async () => ({ saga, id: (await orders.findByCorrelation(id))?.id ?? '' });
    return { host, clock, play, found, target };
  }

  const down = (): never => {
    throw new Error('the bank is away');
  };

  it('is undone by the command that its undo step sends', async () => {
    const { found } = await left((ctx) => ctx.send(new Refund({ id })));
    expect(refunds).toEqual([{ id }]);
    expect(await found()).toEqual(['elsewhere running', 'other recorded', 'refund done']);
  });

  it('is undone when the command is answered, where the policy says so, and the saga goes on meanwhile', async () => {
    const { found, play, clock } = await left((ctx) => ctx.send(new Refund({ id })), {
      answeredBy: Refunded,
      answerTimeout: '1m',
    });
    expect(await found()).toEqual(['elsewhere running', 'other recorded', 'refund awaiting']);
    await clock.advance('61s');
    expect(refunds).toHaveLength(2);
    await play(new Refunded({ id }));
    expect(await found()).toEqual(['elsewhere running', 'other recorded', 'refund done']);
    await play(new Moved({ id }));
    expect(await found()).toEqual(['done completed', 'other recorded', 'refund done']);
  });

  it('stays with an operator where its undo fails; the saga is not undone for that', async () => {
    let away = true;
    const { host, clock, found, target, play } = await left(() => (away ? down() : undefined));
    expect(await found()).toEqual(['elsewhere running', 'other recorded', 'refund failed']);
    await host.operator.retry(await target(), ADA);
    await clock.settled();
    expect(undone).toEqual(['refund', 'refund']);
    expect(await found()).toEqual(['elsewhere running', 'other recorded', 'refund failed']);
    away = false;
    await host.operator.retry(await target(), ADA);
    await clock.settled();
    expect(undone).toEqual(['refund', 'refund', 'refund']);
    expect(await found()).toEqual(['elsewhere running', 'other recorded', 'refund done']);
    await play(new Moved({ id }));
    expect(await found()).toEqual(['done completed', 'other recorded', 'refund done']);
  });

  it.each(['skip', 'resolve'] as const)(
    'may be settled by an operator (%s) while the saga goes on',
    async (verb) => {
      const { host, clock, found, target, play } = await left(down);
      await host.operator[verb](await target(), ADA);
      await clock.settled();
      const settled = `refund ${verb === 'skip' ? 'skipped' : 'resolved'}`;
      expect(await found()).toEqual(['elsewhere running', 'other recorded', settled]);
      await play(new Cancelled({ id }));
      const status = verb === 'skip' ? 'partially-compensated' : 'compensated';
      expect(await found()).toEqual([`failed ${status}`, 'other done', settled]);
      expect(undone).toEqual(['refund', 'other']);
    },
  );

  it('that could not be undone counts where the saga is undone', async () => {
    const { found, play } = await left(down);
    await play(new Cancelled({ id }));
    expect(await found()).toEqual(['failed partially-compensated', 'other done', 'refund failed']);
  });

  it('holds the saga where the policy says escalate, which then goes on where it was', async () => {
    const { host, clock, found, target, play } = await left(down, { attempts: 1, onFailure: 'escalate' });
    expect(await found()).toEqual(['elsewhere held', 'other recorded', 'refund failed']);
    await play(new Moved({ id }));
    expect(await found()).toEqual(['elsewhere held', 'other recorded', 'refund failed']);
    await host.operator.resolve(await target(), ADA);
    await clock.settled();
    expect(await found()).toEqual(['done completed', 'other recorded', 'refund resolved']);
  });
});
