import { message, StoreUnavailableError, type } from '@nestjs-orchestrator/core';
import type { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import type { InstanceStore } from '@nestjs-orchestrator/core/ports';
import {
  buildSaga,
  defineSaga,
  SagaEndedError,
  SagaWaitAbortedError,
  SagaWaitTimeoutError,
} from '@nestjs-orchestrator/core/saga';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { storeKinds } from '../saga/support.js';
import { openPlainCluster, type PlainCluster } from './support.js';

const ref = z.object({ orderId: z.string() });
class Placed extends message('t.placed', ref) {}
class Paid extends message('t.paid', ref) {}
class Packed extends message('t.packed', ref) {}
class Refused extends message('t.refused', ref) {}

const orderSaga = defineSaga({
  name: 'awaited',
  version: 1,
  data: type<{ orderId: string; paid: boolean }>(),
  correlateBy: 'orderId',
  restartable: true,
  states: ['placed', 'paid'],
  ends: { packed: 'success', refused: 'undo' },
  events: [Placed, Paid, Packed, Refused],
});

const behaviour = buildSaga(orderSaga, (saga) => {
  saga
    .initially()
    .when(Placed)
    .then((ctx) => ({ orderId: ctx.event.orderId, paid: false }))
    .transitionTo('placed');
  saga
    .during('placed')
    .when(Paid)
    .then((ctx) => void (ctx.data.paid = true))
    .transitionTo('paid')
    .when(Refused)
    .transitionTo('refused');
  saga.during('paid').when(Packed).transitionTo('packed');
});

const register = (host: OrchestratorHost): void => host.register(behaviour);
const orderId = 'o1';

/** A store that is away the next time it is asked for this. */
function awayOnce(store: InstanceStore, call: { name: keyof InstanceStore | undefined }): InstanceStore {
  return new Proxy(store, {
    get: (of, name) => {
      const value: unknown = Reflect.get(of, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        if (name !== call.name) return Reflect.apply(value, of, args);
        call.name = undefined;
        return Promise.reject(new StoreUnavailableError('The store is away.'));
      };
    },
  });
}

/** How a wait ended. */
function told(wait: Promise<{ readonly state: string }>): Promise<string> {
  return wait.then(
    ({ state }) => state,
    ({ code, state }: SagaEndedError) => `${code} ${state}`,
  );
}

let cluster: PlainCluster | undefined;
afterEach(async () => cluster?.close());

describe.each(storeKinds)('waitUntil, on $kind', (kind) => {
  it('hears of a commit of its own node at once, also of an instance that was not there', async () => {
    cluster = await openPlainCluster(kind);
    const { host } = await cluster.node('first', register);
    const orders = host.repository(orderSaga);
    const [paid, packed] = [
      orders.waitUntil({ key: orderId }, 'paid'),
      orders.waitUntil({ key: orderId }, ['packed', 'refused']),
    ];
    for (const event of [new Placed({ orderId }), new Paid({ orderId })]) await host.bus.publish(event);
    // Virtual time stands still: nothing was polled.
    await expect(paid).resolves.toMatchObject({ data: { orderId, paid: true } });
    await host.bus.publish(new Packed({ orderId }));
    const order = await packed;
    expect(order).toMatchObject({ state: 'packed', status: 'completed' });
    await expect(orders.waitUntil(order.id, 'packed')).resolves.toMatchObject({ id: order.id });
  });

  it('hears of commits of another node, at the latest by the next poll', async () => {
    cluster = await openPlainCluster(kind);
    const { clock } = cluster;
    const first = await cluster.node('first', register);
    const second = await cluster.node('second', register);
    const packed = first.host.repository(orderSaga).waitUntil({ key: orderId }, 'packed');
    await clock.settled();
    for (const event of [new Placed({ orderId }), new Paid({ orderId }), new Packed({ orderId })]) {
      await second.host.bus.publish(event);
      await clock.settled();
    }
    await clock.advance('1s');
    await expect(packed).resolves.toMatchObject({ state: 'packed' });
  });

  it('finds a state that was left again before anybody looked', async () => {
    cluster = await openPlainCluster(kind);
    const { clock } = cluster;
    const first = await cluster.node('first', register);
    const second = await cluster.node('second', register);
    const paid = first.host.repository(orderSaga).waitUntil({ key: orderId }, 'paid', { timeout: '1m' });
    await clock.settled();
    for (const event of [new Placed({ orderId }), new Paid({ orderId }), new Packed({ orderId })]) {
      await second.host.bus.publish(event);
    }
    await clock.settled();
    await clock.advance('20s');
    await expect(paid).resolves.toMatchObject({ state: 'packed' });
  });

  it('waits for what a function finds', async () => {
    cluster = await openPlainCluster(kind);
    const { host } = await cluster.node('first', register);
    const paid = host.repository(orderSaga).waitUntil({ key: orderId }, ({ data }) => data.paid);
    for (const event of [new Placed({ orderId }), new Paid({ orderId })]) await host.bus.publish(event);
    await expect(paid).resolves.toMatchObject({ state: 'paid', version: 2 });
  });

  it('refuses at once when the instance has ended elsewhere', async () => {
    cluster = await openPlainCluster(kind);
    const { host } = await cluster.node('first', register);
    const orders = host.repository(orderSaga);
    const packed = orders.waitUntil({ key: orderId }, 'packed');
    const refused = expect(packed).rejects.toBeInstanceOf(SagaEndedError);
    for (const event of [new Placed({ orderId }), new Refused({ orderId })]) await host.bus.publish(event);
    await refused;
    await expect(orders.waitUntil({ key: orderId }, 'packed')).rejects.toThrow(/ended in 'refused'/);
  });

  it('sees nothing of another tenant’s instance', async () => {
    cluster = await openPlainCluster(kind);
    const { clock } = cluster;
    const { host } = await cluster.node('first', register);
    const orders = host.repository(orderSaga);
    const wait = orders.waitUntil({ key: orderId }, 'placed', { tenant: 'other', timeout: '5s' });
    const refused = expect(wait).rejects.toMatchObject({ code: 'SAGA_WAIT_TIMEOUT', state: null });
    await host.bus.publish(new Placed({ orderId }));
    await clock.advance('5s');
    await refused;
  });

  it('ends with its time-out, its signal or its node, and leaves nothing scheduled', async () => {
    cluster = await openPlainCluster(kind);
    const { clock } = cluster;
    const { host } = await cluster.node('first', register, { pollIntervalMs: 60_000 });
    const orders = host.repository(orderSaga);
    await host.bus.publish(new Placed({ orderId }));
    await clock.settled();
    const scheduled = clock.scheduled;
    const abort = new AbortController();
    const wait = (options: object) => orders.waitUntil({ key: orderId }, 'packed', options);
    const outcomes = Promise.allSettled([
      wait({ timeout: '2s' }),
      wait({ signal: abort.signal }),
      wait({ signal: AbortSignal.abort('early') }),
      wait({ timeout: '1h' }),
    ]);
    await clock.advance('2s');
    abort.abort('enough');
    host.stopPulling();
    const errors = (await outcomes).map((outcome) => (outcome as PromiseRejectedResult).reason as Error);
    expect(errors.map((error) => error.constructor)).toEqual([
      SagaWaitTimeoutError,
      SagaWaitAbortedError,
      SagaWaitAbortedError,
      SagaWaitAbortedError,
    ]);
    expect(errors[0]?.message).toMatch(/it is in 'placed'/);
    expect(clock.scheduled).toBeLessThanOrEqual(scheduled);
    await expect(wait({})).rejects.toBeInstanceOf(SagaWaitAbortedError);
  });

  it('ends with a node that closes, at once', async () => {
    cluster = await openPlainCluster(kind);
    const { host } = await cluster.node('first', register);
    const wait = host.repository(orderSaga).waitUntil({ key: orderId }, 'packed', { timeout: '1h' });
    const refused = expect(wait).rejects.toMatchObject({ code: 'SAGA_WAIT_ABORTED', retryable: true });
    await cluster.clock.settled();
    await host.close();
    await refused;
  });

  /** Two nodes: the first waits, and looks only when it is told to; the other one does what happens meanwhile. */
  async function watching() {
    cluster = await openPlainCluster(kind);
    const { clock } = cluster;
    const away: { name: keyof InstanceStore | undefined } = { name: undefined };
    const wrap = (store: InstanceStore): InstanceStore => awayOnce(store, away);
    const first = await cluster.node('first', register, { pollIntervalMs: 60_000, wrap });
    const second = await cluster.node('second', register);
    const play = async (...events: readonly object[]): Promise<void> => {
      for (const event of events) {
        await second.host.bus.publish(event);
        await clock.settled();
      }
    };
    const [mine, theirs] = [first, second].map(({ host }) => host.repository(orderSaga));
    return {
      clock,
      play,
      mine: mine as typeof theirs & object,
      theirs: theirs as typeof theirs & object,
      away,
    };
  }
  const [placed, paid, packed, refused] = [Placed, Paid, Packed, Refused].map((of) => new of({ orderId }));
  const BY = { by: 'ada' };

  it.each(['placed', 'paid', 'packed'] as const)(
    'of an instance that ended in %s or beyond, and whose key has started another, gives the one that was waited for',
    async (until) => {
      const { clock, play, mine, theirs } = await watching();
      await play(placed as object);
      const former = await theirs.findByCorrelation(orderId);
      const wait = mine.waitUntil({ key: orderId }, ({ version }) => version > 5, { timeout: '5m' });
      const named = mine.waitUntil({ key: orderId }, until, { timeout: '5m' });
      const ended = expect(wait).rejects.toMatchObject({ code: 'SAGA_ENDED', state: 'packed' });
      await clock.settled();
      await play(paid as object, packed as object, new Placed({ orderId }));
      await clock.advance('1m');
      expect((await named).id).toBe(former?.id);
      await ended;
      const next = await theirs.findByCorrelation(orderId);
      expect(next).toMatchObject({ state: 'placed' });
      expect(next?.id).not.toBe(former?.id);
    },
  );

  it('of an instance that ended elsewhere, and whose key has started another, says so', async () => {
    const { clock, play, mine } = await watching();
    await play(placed as object);
    const wait = mine.waitUntil({ key: orderId }, 'paid', { timeout: '5m' });
    const ended = expect(wait).rejects.toMatchObject({ code: 'SAGA_ENDED', state: 'refused' });
    await clock.settled();
    // The other one has as many versions as the first had when it was looked at, and goes where that was waited for.
    await play(refused as object, new Placed({ orderId }), paid as object);
    await clock.advance('1m');
    await ended;
    await expect(mine.waitUntil({ key: orderId }, 'paid')).resolves.toMatchObject({ state: 'paid' });
  });

  it('of an instance that was archived or deleted meanwhile tells where it ended', async () => {
    const { clock, play, mine, theirs } = await watching();
    await play(placed as object);
    const { id = '' } = (await theirs.findByCorrelation(orderId)) ?? {};
    const limits = { timeout: '5m' } as const;
    const waits = Promise.allSettled([
      mine.waitUntil(id, 'paid', limits),
      mine.waitUntil({ key: orderId }, 'packed', limits),
      mine.waitUntil(id, 'refused', limits),
    ]);
    await clock.settled();
    await play(paid as object, packed as object);
    const ended = await theirs.findByCorrelation(orderId);
    if (ended === undefined) throw new Error('no instance');
    await theirs.archive(ended, BY);
    await clock.advance('1m');
    const told = (await waits).map((each) => {
      if (each.status === 'fulfilled') return each.value.state;
      const { code, state } = each.reason as SagaEndedError;
      return `${code} ${state}`;
    });
    expect(told).toEqual(['packed', 'packed', 'SAGA_ENDED packed']);
    await expect(mine.waitUntil(id, 'packed')).resolves.toMatchObject({ id, state: 'packed' });
    await expect(mine.waitUntil(id, 'paid')).rejects.toMatchObject({ code: 'SAGA_ENDED' });
  });

  it.each([
    ['has passed there', 'paid', 'packed'],
    ['has ended elsewhere', 'refused', 'SAGA_ENDED packed'],
  ] as const)(
    'of an instance that %s says so, also where the store was away when it was asked for the way',
    async (_, until, outcome) => {
      const { clock, play, mine, away } = await watching();
      await play(placed as object);
      const wait = told(mine.waitUntil({ key: orderId }, until, { timeout: '5m' }));
      await clock.settled();
      away.name = 'history';
      await play(paid as object, packed as object);
      await clock.advance('3m');
      expect(away.name).toBeUndefined();
      await clock.advance('3m');
      expect(await wait).toBe(outcome);
    },
  );

  it('of an instance that was archived before says so, also where the store was away when it was asked', async () => {
    const { clock, play, mine, theirs, away } = await watching();
    await play(placed as object, paid as object, packed as object);
    const ended = await theirs.findByCorrelation(orderId);
    if (ended === undefined) throw new Error('no instance');
    await theirs.archive(ended, BY);
    away.name = 'archived';
    const wait = told(mine.waitUntil(ended.id, 'packed', { timeout: '5m' }));
    await clock.advance('3m');
    expect(away.name).toBeUndefined();
    await clock.advance('3m');
    expect(await wait).toBe('packed');
  });

  it('of an instance that was deleted meanwhile ends, though nobody knows any more how it did', async () => {
    const { clock, play, mine, theirs } = await watching();
    await play(placed as object);
    const { id = '' } = (await theirs.findByCorrelation(orderId)) ?? {};
    const wait = mine.waitUntil(id, 'packed', { timeout: '5m' });
    const ended = expect(wait).rejects.toThrow(/has ended in 'placed' \(removed since\)/);
    await clock.settled();
    await play(refused as object);
    const found = await theirs.findByCorrelation(orderId);
    if (found === undefined) throw new Error('no instance');
    await theirs.delete(found, BY);
    await clock.advance('1m');
    await ended;
  });
});
