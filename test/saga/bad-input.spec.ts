import { message, StoreUnavailableError, type } from '@nestjs-orchestrator/core';
import { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import type { Clock, InstanceStore } from '@nestjs-orchestrator/core/ports';
import { buildSaga, defineSaga, type AnySaga, type SagaContext } from '@nestjs-orchestrator/core/saga';
import { countedIds, seededRandom, VirtualClock } from '@nestjs-orchestrator/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openRig, type Rig } from './rig.js';
import { openCluster, orderSaga, Placed, storeKinds, type StoreKind } from './support.js';

interface Ref {
  id: string;
}
class Began extends message('i.began', z.object({ id: z.string(), size: z.number().optional() })) {}
class Loose extends message('i.loose', type<Ref & { what?: unknown }>()) {}
class Note extends message('i.note', type<Ref>()) {}

interface Data extends Ref {
  what?: unknown;
  notes: number;
}
type Ctx = SagaContext<Loose, Data, { refund: Ref }>;

const saga = defineSaga({
  name: 'input',
  version: 1,
  data: type<{ id: string; notes: number }>(),
  correlateBy: 'id',
  states: ['open'],
  ends: { done: 'success', failed: 'undo' },
  events: [Began, Loose, Note],
  compensations: { refund: type<Ref>() },
  schedules: ['later'],
});

/** What the handler of `Loose` does wrong, by the id of its instance. */
const mistakes = new Map<string, (ctx: Ctx) => void>();
const behaviour = buildSaga(saga, (build) => {
  build
    .initially()
    .when(Began)
    .then((ctx) => {
      ctx.schedule('later', '3h');
      return { id: ctx.event.id, notes: 0 };
    })
    .transitionTo('open');
  build
    .during('open')
    .when(Loose)
    .then((ctx) => mistakes.get(ctx.data.id)?.(ctx as unknown as Ctx))
    .when(Note)
    .then((ctx) => void (ctx.data.notes += 1))
    .scheduled('later')
    .transitionTo('done')
    .after('9h')
    .transitionTo('failed');
  build.compensate('refund', async () => {});
});

class Money {
  cents = 1;
}
const cycle: { self?: unknown } = {};
cycle.self = cycle;

/** What no JSON can carry. */
const WRONG: readonly (readonly [what: string, value: unknown])[] = [
  ['a BigInt', 1n],
  ['a cycle', cycle],
  ['a Map', new Map([['a', 1]])],
  ['a class instance', new Money()],
  ['a Date', new Date(0)],
  ['a function', () => 1],
  ['NaN', Number.NaN],
];
const LONG = 'x'.repeat(300_000);

let rig: Rig<AnySaga> | undefined;
afterEach(async () => {
  mistakes.clear();
  await rig?.close();
  rig = undefined;
});

describe.each(storeKinds)('bad input, on $kind', (kind) => {
  const open = async () => (rig = await openRig<AnySaga>(kind, behaviour));

  /** Lets a handler make a mistake until its instance is held; tells the error that is kept, and that others go on. */
  async function heldBy(mistake: (ctx: Ctx) => void): Promise<string> {
    const { play, advance, standing, find, host } = await open();
    await play(new Began({ id: 'x' }), new Began({ id: 'y' }));
    mistakes.set('x', mistake);
    await play(new Loose({ id: 'x' }), new Note({ id: 'x' }), new Note({ id: 'y' }));
    await advance('15m');
    expect(await standing('x')).toBe('open held');
    expect((await find('y'))?.data).toMatchObject({ notes: 1 });
    const { id = '', data } = (await find('x')) ?? {};
    expect(data).toEqual({ id: 'x', notes: 0 });
    const held = (await host.repository(saga).history(id)).find((line) => line.kind === 'held');
    mistakes.clear();
    await host.operator.replay({ saga, id }, { by: 'ada' });
    await advance('1s');
    expect((await find('x'))?.data).toMatchObject({ notes: 1 });
    return JSON.stringify(held?.detail);
  }

  it.each(WRONG)(
    '%s in the data holds the instance with its error, and nothing of it is stored',
    async (_, value) => {
      const error = await heldBy((ctx) => void (ctx.data.what = value));
      expect(error).toMatch(/NotJsonError/);
    },
  );

  it.each(WRONG)('%s in a message is refused where it is published', async (_, value) => {
    const { host, standing } = await open();
    const published = host.bus.publish(new Loose({ id: 'x', what: value }));
    await expect(published).rejects.toMatchObject({ code: 'NOT_JSON' });
    expect(await standing('x')).toBe('absent');
  });

  it('a closure for a compensation is refused when it is recorded', async () => {
    expect(await heldBy((ctx) => ctx.compensateWith((() => {}) as never, {} as never))).toMatch(
      /compensation/,
    );
  });

  it('a closure in the input of a compensation is refused when it is recorded', async () => {
    const error = await heldBy((ctx) => ctx.compensateWith('refund', { id: 'x', undo: () => {} } as never));
    expect(error).toMatch(/NotJsonError/);
  });

  it('data over the limit holds the instance, a message over it is refused', async () => {
    expect(await heldBy((ctx) => void (ctx.data.what = LONG))).toMatch(/PayloadTooLargeError/);
    const published = rig?.host.bus.publish(new Loose({ id: 'x', what: LONG }));
    await expect(published).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
  });

  it('a message that its schema refuses is refused where it is published', async () => {
    const { host, standing } = await open();
    const wrong = new Began({ id: 'x', size: 'big' as never });
    await expect(host.bus.publish(wrong)).rejects.toMatchObject({ code: 'MESSAGE_INVALID' });
    expect(await standing('x')).toBe('absent');
  });

  it('what belongs to a saga that the node does not have is left alone', async () => {
    const { play, standing, clock, store } = await open();
    const ghost = { tenant: 'default', saga: 'ghost', id: 'g1' };
    const at = { owner: 'other', leaseMs: 0, now: clock.storeNow() };
    const [result] = await store.commit(
      [
        {
          ...ghostCommit(ghost),
          timers: { arm: [{ ...ghost, name: 't', token: '1', delayMs: 1_000, payload: '{}' }], disarm: [] },
          work: [{ ...messageRow('m1', {}), destination: 'saga:ghost' }],
        },
      ],
      at,
    );
    expect(result).toMatchObject({ outcome: 'committed' });
    await play(new Began({ id: 'x' }));
    await clock.advance('2h');
    expect(await standing('x')).toBe('open running');
    const counted = (await store.census()).filter((line) => JSON.stringify(line).includes('ghost'));
    expect(counted.map((line) => line.kind).toSorted()).toEqual(['instances', 'timers', 'work']);
  });

  it('rows that nobody can read end visibly: a message as a dead letter, an instance held; others go on', async () => {
    const { play, advance, standing, find, deadLetters, clock, store } = await open();
    await play(new Began({ id: 'x' }), new Began({ id: 'y' }));
    const { id = '', version = 0 } = (await find('x')) ?? {};
    const broken = { ...ghostCommit({ tenant: 'default', saga: 'input', id }), expectedVersion: version };
    const machine = '{"states":["input.nowhere"]}';
    const at = { owner: 'other', leaseMs: 0, now: clock.storeNow() };
    await store.commit([{ ...broken, next: { ...broken.next, state: 'open', machine } }], at);
    await store.enqueue([{ ...messageRow('m1', {}), payload: 'no JSON' }], at);
    await store.enqueue([{ ...messageRow('m2', {}), payload: '{"kind":"message"}' }], at);
    await play(new Note({ id: 'x' }), new Note({ id: 'y' }));
    await advance('30m');
    expect(await standing('x')).toBe('open held');
    expect((await deadLetters()).map((letter) => letter.id).toSorted()).toEqual(['m1', 'm2']);
    expect((await find('y'))?.data).toMatchObject({ notes: 1 });
  });

  it('a stored body that no longer fits its schema is a dead letter: of a new message, and of one that waited', async () => {
    const { play, advance, standing, deadLetters, clock, store, find } = await open();
    const at = { owner: 'other', leaseMs: 0, now: clock.storeNow() };
    const wrong = { id: 'x', size: 'big' };
    await store.enqueue([messageRow('m1', wrong)], at);
    const { envelope } = JSON.parse(messageRow('m2', { id: 'y', size: [] }).payload) as { envelope: object };
    const delivery = { messageId: 'm2', payload: JSON.stringify(envelope), ttlMs: 86_400_000 };
    const key = { name: 'id', value: 'y' };
    await store.park([{ tenant: 'default', saga: 'input', key, delivery, done: [] }], at);
    await play(new Began({ id: 'y' }), new Note({ id: 'y' }));
    await advance('1m');
    expect(await standing('x')).toBe('absent');
    expect((await find('y'))?.data).toMatchObject({ notes: 1 });
    const letters = await deadLetters();
    expect(letters.map(({ id }) => id).toSorted()).toEqual(['m1', 'm2']);
    expect(letters.every(({ reason, attempts }) => /size/.test(reason) && attempts === 1)).toBe(true);
  });

  it.each(['no JSON', '{}', '{"key":7}'])(
    'a timer whose payload is %s holds its instance, which an operator lets go on with or without it',
    async (payload) => {
      const { play, advance, standing, find, host, clock, store } = await open();
      await play(new Began({ id: 'x' }));
      const { id = '', version = 0 } = (await find('x')) ?? {};
      const ref = { tenant: 'default', saga: 'input', id };
      const [loaded] = await store.load([{ ...ref, by: { id }, messageId: '' }], { now: clock.storeNow() });
      const far = { owner: 'other', leaseMs: 1, now: clock.storeNow() + 86_400_000 };
      const { items } = await store.claimTimers({ ...far, destinations: ['input'], limit: 9 });
      const arm = items.map((timer) => ({ ...ref, name: timer.name, token: timer.token, payload }));
      const hours = (name: string) => (name.startsWith('schedule') ? 3 : 9) * 3_600_000;
      const timers = { arm: arm.map((timer) => ({ ...timer, delayMs: hours(timer.name) })), disarm: [] };
      const next = loaded?.instance ?? ghostCommit(ref).next;
      await store.commit([{ ...ghostCommit(ref), expectedVersion: version, next, timers }], {
        ...far,
        now: clock.storeNow(),
      });
      await play(new Began({ id: 'y' }));
      await advance('4h');
      expect([await standing('x'), await standing('y')]).toEqual(['open held', 'done completed']);
      await host.operator.skip({ saga, id }, { by: 'ada', reason: 'not now' });
      expect(await standing('x')).toBe('open running');
      await advance('6h');
      expect(await standing('x')).toBe('open held');
      const held = (await host.repository(saga).history(id)).filter((line) => line.kind === 'held');
      expect(held.map(({ name }) => name)).toEqual(['schedule later', 'after 32400000 ms']);
      expect(JSON.stringify(held[1]?.detail)).toMatch(/UNREADABLE_TIMER/);
      await host.operator.replay({ saga, id }, { by: 'ada' });
      await advance('1s');
      expect(await standing('x')).toBe('failed compensated');
    },
  );

  it('a clock of the node that jumps, back or forth, neither rings a timer early nor loses it', async () => {
    const jump = { ms: 0 };
    const { host, clock, close } = await node(kind, (virtual) => ({ clock: jumping(virtual, jump, 'node') }));
    await host.bus.publish(new Began({ id: 'x' }));
    await clock.settled();
    for (const ms of [86_400_000, -86_400_000]) {
      jump.ms = ms;
      await clock.advance('1h');
      expect(await host.repository(saga).findByCorrelation('x')).toMatchObject({ state: 'open' });
    }
    await clock.advance('62m');
    expect(await host.repository(saga).findByCorrelation('x')).toMatchObject({ state: 'done' });
    await close();
  });

  it('a clock of the store that jumps rings timers by what it says, each once', async () => {
    const jump = { ms: 0 };
    const { host, clock, close } = await node(kind, (virtual) => ({
      clock: jumping(virtual, jump, 'store'),
    }));
    await host.bus.publish(new Began({ id: 'x' }));
    await clock.settled();
    jump.ms = 2 * 3_600_000;
    await host.bus.publish(new Began({ id: 'y' }));
    await clock.advance('61m');
    const standing = async (key: string) => (await host.repository(saga).findByCorrelation(key))?.state;
    expect([await standing('x'), await standing('y')]).toEqual(['done', 'open']);
    jump.ms = 0;
    await clock.advance('5h');
    expect([await standing('x'), await standing('y')]).toEqual(['done', 'done']);
    const { id = '' } = (await host.repository(saga).findByCorrelation('y')) ?? {};
    const lines = await host.repository(saga).history(id);
    expect(lines.filter(({ to }) => to === 'done')).toHaveLength(1);
    await close();
  });

  it('a store that goes away for a minute under load: typed errors to callers, and all of it goes on by itself', async () => {
    const cluster = await openCluster(kind);
    const outage = { is: false };
    const a = await cluster.node('a', (store) => away(store, outage));
    const b = await cluster.node('b', (store) => away(store, outage));
    const ids = Array.from({ length: 30 }, (_, n) => `o${n}`);
    const refused: string[] = [];
    const errors: unknown[] = [];
    const place = async (orderId: string): Promise<void> => {
      const { bus } = (orderId.length % 2 === 0 ? a : b).host;
      // A caller whose order was refused offers it again, under the same id.
      await bus.publish(new Placed({ orderId }), { id: orderId }).catch((error: unknown) => {
        errors.push(error);
        refused.push(orderId);
      });
    };
    await Promise.all(ids.slice(0, 20).map(place));
    outage.is = true;
    await Promise.all(ids.slice(20).map(place));
    for (let second = 0; second < 60; second += 5) await cluster.clock.advance('5s');
    expect(refused).toEqual(ids.slice(20));
    expect(errors.every((error) => error instanceof StoreUnavailableError)).toBe(true);
    outage.is = false;
    await Promise.all(refused.splice(0).map(place));
    for (let second = 0; second < 180; second += 5) await cluster.clock.advance('5s');
    expect(refused).toEqual([]);
    const orders = b.host.repository(orderSaga);
    const found = await Promise.all(ids.map((id) => orders.findByCorrelation(id)));
    expect(found.map((order) => `${order?.state} ${order?.status}`)).toEqual(
      ids.map(() => 'completed completed'),
    );
    expect(new Set(cluster.world.charges).size).toBe(ids.length);
    expect(cluster.world.undone).toEqual([]);
    await cluster.close();
  });
});

function messageRow(id: string, body: object) {
  const envelope = {
    ...{ id, name: 'i.began', version: 1, tenant: 'default', correlationId: id, causationId: null },
    ...{ sentAt: 0, headers: {}, body },
  };
  const payload = JSON.stringify({ kind: 'message', envelope });
  return { tenant: 'default', destination: 'saga:input', id, lane: null, payload, delayMs: 1 };
}

function ghostCommit(ref: { tenant: string; saga: string; id: string }) {
  const next = {
    ...{ definitionVersion: 1, state: 'somewhere', status: 'running' as const, data: '{}' },
    ...{ machine: '{}', undo: '[]', hold: null, ended: false },
  };
  return {
    ...{ ref, expectedVersion: 0, lease: null, supersedes: null, next, keys: [], inbox: null },
    ...{ work: [], timers: { arm: [], disarm: [] }, history: [], deliveries: { add: [], done: [] } },
    ...{ wakeIfParked: null, done: [] },
  };
}

/** One node with a clock of its own. */
async function node(kind: StoreKind, options: (clock: VirtualClock) => { clock: Clock }) {
  const clock = new VirtualClock();
  const opened = await kind.open();
  const { store } = await opened.connect();
  const host = new OrchestratorHost({
    store: clock.tracked(store, 'store'),
    ids: countedIds('n'),
    random: seededRandom(1),
    // It hears of everything; each look at intervals is a question to a real store for hours that go by.
    ...{ pollIntervalMs: 600_000, leaseMs: 600_000, sweepIntervalMs: 600_000 },
    ...options(clock),
  });
  host.register(behaviour);
  await host.start();
  return { host, clock, close: async () => (await host.close(), opened.close()) };
}

/** A clock that is wrong by so much: the wall clock of the node, or that of the store. */
function jumping(clock: VirtualClock, jump: { readonly ms: number }, which: 'node' | 'store'): Clock {
  return {
    now: () => clock.now() + (which === 'node' ? jump.ms : 0),
    monotonic: () => clock.monotonic(),
    storeNow: () => clock.storeNow() + (which === 'store' ? jump.ms : 0),
    schedule: (delayMs, task) => clock.schedule(delayMs, task),
  };
}

/** A store that can't be reached while it is said so. */
function away(store: InstanceStore, outage: { readonly is: boolean }): InstanceStore {
  return new Proxy(store, {
    get: (of, name) => {
      const value: unknown = Reflect.get(of, name);
      if (typeof value !== 'function') return value;
      const isCall = !['onWork', 'within', 'close'].includes(String(name));
      return (...args: unknown[]): unknown =>
        outage.is && isCall
          ? Promise.reject(new StoreUnavailableError('The store is away.'))
          : Reflect.apply(value, of, args);
    },
  });
}
