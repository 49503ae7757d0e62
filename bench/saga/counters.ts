import { randomUUID } from 'node:crypto';
import { message, type } from '@nestjs-orchestrator/core';
import { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import type { InstanceStore } from '@nestjs-orchestrator/core/ports';
import { buildSaga, defineSaga } from '@nestjs-orchestrator/core/saga';
import { z } from 'zod';
import { counted, type Counts } from './counted-store.js';

const ref = z.object({ counterId: z.string() });
class Opened extends message('bench.opened', ref) {}
class Added extends message('bench.added', ref) {}
class Closed extends message('bench.closed', ref) {}
class Armed extends message('bench.armed', ref) {}

/** How long an armed counter waits. */
const WAIT = '20s';

const counterSaga = defineSaga({
  name: 'counter',
  version: 1,
  data: type<{ counterId: string; count: number }>(),
  correlateBy: 'counterId',
  states: ['open', 'armed'],
  ends: { rung: 'success' },
  events: [Opened, Added, Closed, Armed],
  compensations: {},
});

/** One node that counts: the smallest saga there is, an event is one commit. */
export interface Counters {
  readonly counts: Counts;
  /** How late timers were at their handler, in milliseconds. */
  readonly lateness: readonly number[];
  /** Opens a counter; settles when that is durable. */
  open(counterId: string): Promise<void>;
  /** Opens a counter that ends by a timer; settles when the timer has fired. */
  arm(counterId: string): Promise<void>;
  /** Counts one; settles when that is durable. */
  add(counterId: string): Promise<void>;
  count(counterId: string): Promise<number>;
  close(): Promise<void>;
}

/** Starts a node on the store; `handleOnPublish`: events are handled in the commit that makes them durable. */
export async function startCounters(store: InstanceStore, handleOnPublish = false): Promise<Counters> {
  const waiting = new Map<string, () => void>();
  const lateness: number[] = [];
  const settle = (name: string): void => {
    waiting.get(name)?.();
    waiting.delete(name);
  };
  const { store: watched, counts } = counted(store, ({ inbox, inboxBefore = [], next }) => {
    for (const { messageId } of [...inboxBefore, ...(inbox === null ? [] : [inbox])]) settle(messageId);
    if (next.ended) settle((JSON.parse(next.data) as { counterId: string }).counterId);
  });
  const host = new OrchestratorHost({ store: watched, handleOnPublish });
  host.register(
    buildSaga(counterSaga, (saga) => {
      const start = ({ event: { counterId } }: { event: { counterId: string } }) => ({ counterId, count: 0 });
      saga.initially().when(Opened).then(start).transitionTo('open');
      saga.initially().when(Armed).then(start).transitionTo('armed');
      saga
        .during('open')
        .when(Added)
        .then((ctx) => void (ctx.data.count += 1))
        .transitionTo('open');
      saga.during('open').when(Closed).transitionTo('rung');
      saga
        .during('armed')
        .after(WAIT)
        .then((ctx) => void lateness.push(Date.now() - ctx.now()))
        .transitionTo('rung');
    }),
  );
  await host.start();
  // Nodes follow one another on one store, where an id that comes again is a duplicate.
  const name = randomUUID();
  let sent = 0;
  const send = async (event: object, until?: string): Promise<void> => {
    const id = `${name}-${(sent += 1)}`;
    const done = new Promise<void>((resolve) => void waiting.set(until ?? id, resolve));
    await host.bus.publish(event, { id });
    await done;
  };
  return {
    counts,
    lateness,
    open: (counterId) => send(new Opened({ counterId })),
    arm: (counterId) => send(new Armed({ counterId }), counterId),
    add: (counterId) => send(new Added({ counterId })),
    count: async (counterId) =>
      (await host.repository(counterSaga).findByCorrelation(counterId))?.data.count ?? Number.NaN,
    close: () => host.close(),
  };
}
