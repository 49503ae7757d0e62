import { message, type } from '@nestjs-orchestrator/core';
import { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import { memoryStore } from '@nestjs-orchestrator/core/memory';
import type { InstanceStore } from '@nestjs-orchestrator/core/ports';
import { buildSaga, defineSaga } from '@nestjs-orchestrator/core/saga';
import { countedIds, seededRandom, VirtualClock } from '@nestjs-orchestrator/testing';
import { afterEach, expect, it } from 'vitest';
import { z } from 'zod';

const ref = z.object({ orderId: z.string() });
class Placed extends message('k.placed', ref) {}
class Paid extends message('k.paid', ref) {}
class Shipped extends message('k.shipped', ref) {}

const definition = defineSaga({
  name: 'order',
  version: 1,
  data: type<{ orderId: string; times: number }>(),
  correlateBy: 'orderId',
  states: ['placed', 'paid'],
  ends: { done: 'success', late: 'undo' },
  events: [Placed, Paid, Shipped],
  compensations: {},
});

/** Runs of the handler of `Shipped`; `fails` makes the next one fail. */
const shipped = { runs: 0, fails: false };

/** Runs of the handler that starts an order. */
const started = { runs: 0 };

const behaviour = buildSaga(definition, (saga) => {
  saga
    .initially()
    .when(Placed)
    .then(({ event }) => {
      started.runs += 1;
      return { orderId: event.orderId, times: 0 };
    })
    .transitionTo('placed');
  saga
    .during('placed')
    .when(Placed)
    .then((ctx) => void (ctx.data.times += 1))
    .transitionTo('placed');
  saga.during('placed').when(Paid).transitionTo('paid');
  saga.during('paid').after('1h').transitionTo('late');
  saga
    .during('paid')
    .when(Shipped)
    .then(() => {
      shipped.runs += 1;
      if (shipped.fails) throw new Error('the carrier is closed');
    })
    .transitionTo('done');
});

let close: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(close.map((each) => each()));
  close = [];
});

/** Two nodes on one store in memory; `loads` counts the loads of each. */
async function twoNodes() {
  started.runs = 0;
  Object.assign(shipped, { runs: 0, fails: false });
  const clock = new VirtualClock();
  const shared = memoryStore();
  const open = async (name: string) => {
    const loads: string[] = [];
    const store = shared.connect();
    const watched = new Proxy(store, {
      get: (of, method) => {
        const value: unknown = Reflect.get(of, method);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          if (method === 'load')
            loads.push(
              ...(args[0] as Parameters<InstanceStore['load']>[0]).map(({ messageId }) => messageId),
            );
          return Reflect.apply(value, of, args);
        };
      },
    });
    const host = new OrchestratorHost({
      store: clock.tracked(watched, name),
      clock,
      ids: countedIds(name),
      random: seededRandom(1),
    });
    host.register(behaviour);
    await host.start();
    close.push(() => host.close());
    const send = async (event: object, id: string): Promise<void> => {
      await host.bus.publish(event, { id });
      await clock.settled();
    };
    const order = () => host.repository(definition).findByCorrelation('o1');
    return { send, loads, order };
  };
  return { clock, first: await open('first'), second: await open('second') };
}

const [placed, paid, delivered] = [
  new Placed({ orderId: 'o1' }),
  new Paid({ orderId: 'o1' }),
  new Shipped({ orderId: 'o1' }),
];

it('an order that one node handles alone is never loaded', async () => {
  const { first } = await twoNodes();
  await first.send(placed, 'm1');
  await first.send(paid, 'm2');
  await first.send(delivered, 'm3');
  expect(await first.order()).toMatchObject({ state: 'done', version: 3 });
  expect(first.loads).toEqual([expect.any(String)]);
});

it('a state that is out of date neither decides nor loses a message', async () => {
  const { first, second } = await twoNodes();
  await first.send(placed, 'm1');
  await second.send(paid, 'm2');
  // The first node still takes the order for unpaid: it would have deferred this.
  await first.send(delivered, 'm3');
  expect(first.loads).toEqual(['m3']);
  expect(await first.order()).toMatchObject({ state: 'done', version: 3 });
});

it('a message that another node has handled is not handled again on a state of before', async () => {
  const { first, second } = await twoNodes();
  await first.send(placed, 'm1');
  await second.send(placed, 'm2');
  await first.send(placed, 'm2');
  expect(await first.order()).toMatchObject({ version: 2, data: { times: 1 } });
});

it('a message that another node has handled is found also when the state is up to date', async () => {
  const { first, second } = await twoNodes();
  await first.send(placed, 'm1');
  await second.send(placed, 'm2');
  await first.send(placed, 'm3');
  // The state is known now from a commit of this node, which never heard of m2.
  await first.send(placed, 'm2');
  expect(await first.order()).toMatchObject({ version: 3, data: { times: 2 } });
});

it('a timer that is over by a state of before, but not by the present one, fires', async () => {
  const { clock, first, second } = await twoNodes();
  await first.send(placed, 'm1');
  await second.send(paid, 'm2');
  await clock.advance('2h');
  expect(await first.order()).toMatchObject({ state: 'late' });
});

it('a handler that fails on the present state runs once for each try', async () => {
  const { clock, first } = await twoNodes();
  await first.send(placed, 'm1');
  await first.send(paid, 'm2');
  shipped.fails = true;
  await first.send(delivered, 'm3');
  expect(shipped.runs).toBe(1);
  shipped.fails = false;
  await clock.advance('1m');
  expect(shipped.runs).toBe(2);
  expect(await first.order()).toMatchObject({ state: 'done' });
});

it('messages that often meet an instance are loaded first after a while', async () => {
  const { first, second } = await twoNodes();
  await first.send(placed, 'm1');
  // The second node guesses that it starts an order, and learns.
  for (let n = 0; n < 10; n += 1) await second.send(placed, 'm1');
  const runs = started.runs;
  await second.send(placed, 'm1');
  expect(started.runs).toBe(runs);
  expect(await first.order()).toMatchObject({ version: 1, data: { times: 0 } });
});
