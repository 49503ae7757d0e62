import { expect } from 'vitest';
import { Counted, counter, counting, Opened } from '../saga/counter.js';
import { CALM, orderSaga, Paid, Placed } from '../saga/support.js';
import { cluster, twoNodes, type Trap } from './trap.js';

/** Two nodes are offered one payment twenty times: it is applied once. */
export const duplicateDelivery: Trap = async (kind) => {
  const { clock, world, first, second } = await twoNodes(kind);
  world.silent.add('o1');
  await first.host.bus.publish(new Placed({ orderId: 'o1' }), { id: 'start' });
  await clock.settled();
  await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      (i % 2 === 0 ? first : second).host.bus.publish(new Paid({ orderId: 'o1' }), { id: 'paid' }),
    ),
  );
  await clock.settled();
  await clock.advance('1m');
  const repository = second.host.repository(orderSaga);
  const order = await repository.findByCorrelation('o1');
  expect(order).toMatchObject({ state: 'completed', status: 'completed', version: 3 });
  const history = await repository.history(order?.id ?? '');
  expect(history.map(({ name }) => name)).toEqual(['t.placed', 't.paid', 't.shipped']);
};

/** Payments come before their orders, and at the same moment as them: none is left waiting beside its order. */
export const eventBeforeTheInstance: Trap = async (kind) => {
  const { clock, world, store, first, second } = await twoNodes(kind);
  const early = Array.from({ length: 5 }, (_, n) => `early-${n}`);
  const aligned = Array.from({ length: 40 }, (_, n) => `aligned-${n}`);
  for (const orderId of [...early, ...aligned]) world.silent.add(orderId);
  await Promise.all(early.map((orderId) => second.host.bus.publish(new Paid({ orderId }))));
  await clock.settled();
  const both = [...early, ...aligned].flatMap((orderId) => [
    first.host.bus.publish(new Placed({ orderId })),
    ...(early.includes(orderId) ? [] : [second.host.bus.publish(new Paid({ orderId }))]),
  ]);
  await Promise.all(both);
  await clock.settled();
  await clock.advance('1m');
  for (const orderId of [...early, ...aligned]) {
    const order = await first.host.repository(orderSaga).findByCorrelation(orderId);
    expect(order, orderId).toMatchObject({ state: 'completed', data: { paid: true } });
  }
  // What is still waiting after its time would become a dead letter.
  await store.expireDeliveries({ now: clock.now() + 365 * 86_400_000 });
  expect(await store.deadLetters({})).toEqual([]);
};

/** Different events for one instance at two nodes at once: each is applied once, none overwrites another. */
export const concurrentEvents: Trap = async (kind) => {
  const { clock, node } = await cluster(kind);
  const open = (name: string) => node(name, (host) => host.register(counting), CALM);
  const [first, second] = [await open('first'), await open('second')];
  await first.host.bus.publish(new Opened({ id: 'hot' }));
  await clock.settled();
  const events = 60;
  await Promise.all(
    Array.from({ length: events }, (_, n) =>
      (n % 2 === 0 ? first : second).host.bus.publish(new Counted({ id: 'hot' }), { id: `event-${n}` }),
    ),
  );
  await clock.settled();
  await clock.advance('2m');
  const repository = first.host.repository(counter);
  const found = await repository.findByCorrelation('hot');
  expect(found?.data.count).toBe(events);
  const history = await repository.history(found?.id ?? '');
  expect(new Set(history.map(({ messageId }) => messageId)).size).toBe(events + 1);
};

/** Start messages of twenty orders at two nodes at once, the same one and two different ones: one starts, the other is kept for the instance. */
export const simultaneousStarts: Trap = async (kind) => {
  const { clock, world, first, second } = await twoNodes(kind);
  const ids = Array.from({ length: 20 }, (_, i) => `o${i}`);
  for (const orderId of ids.slice(10)) world.silent.add(orderId);
  await Promise.all(
    ids.flatMap((orderId, n) =>
      [first, second].map(({ host, name }) =>
        host.bus.publish(new Placed({ orderId }), { id: n < 10 ? `start ${orderId}` : `${name} ${orderId}` }),
      ),
    ),
  );
  await clock.settled();
  await clock.advance('1m');
  const repository = first.host.repository(orderSaga);
  for (const [n, orderId] of ids.entries()) {
    const order = await repository.findByCorrelation(orderId);
    const history = await repository.history(order?.id ?? '');
    const lines = history.map(({ kind: line, name }) => `${line} ${name}`);
    if (n < 10) expect(order).toMatchObject({ state: 'completed', version: 3 });
    else expect(lines).toEqual(['created t.placed', 'deferred t.placed']);
  }
  expect(new Set(world.charges).size).toBe(ids.length);
};
