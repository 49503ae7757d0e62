import { message, type, type MessageContext } from '@nestjs-orchestrator/core';
import type { StoredInstance } from '@nestjs-orchestrator/core/ports';
import { buildSaga, defineSaga } from '@nestjs-orchestrator/core/saga';
import { afterEach, describe, expect, it } from 'vitest';
import { openPlainCluster, type PlainCluster } from '../messaging/support.js';
import { spoilt } from './spoilt.js';
import { storeKinds, type StoreKind } from './support.js';

interface Ref {
  id: string;
}
class Began extends message('c.began', type<Ref>()) {}
class Note extends message('c.note', type<Ref>()) {}
class Told extends message('c.told', type<Ref>()) {}
class Sent extends message('c.sent', type<Ref>()) {}

const saga = defineSaga({
  name: 'log',
  version: 1,
  data: type<{ id: string; notes: number }>(),
  correlateBy: 'id',
  states: ['open'],
  ends: { done: 'success', failed: 'undo' },
  events: [Began, Note],
  compensations: { refund: type<Ref>() },
  activities: { charge: { input: type<Ref>(), output: type<object>(), timeout: '1m' } },
});

const behaviour = buildSaga(saga, (build) => {
  build
    .initially()
    .when(Began)
    .then((ctx) => {
      ctx.compensateWith('refund', { id: ctx.event.id });
      return { id: ctx.event.id, notes: 0 };
    })
    .transitionTo('open');
  build
    .during('open')
    .when(Note)
    .then((ctx) => {
      ctx.data.notes += 1;
      ctx.invoke('charge', { id: ctx.data.id });
    })
    .onDone('charge')
    .then((ctx) => void ctx.data.notes)
    .onFailed('charge')
    .transitionTo('failed')
    .after('9d')
    .transitionTo('done');
  build.activity('charge', async () => ({}));
  build.compensate('refund', async () => {});
});

let cluster: PlainCluster | undefined;
afterEach(async () => cluster?.close());

async function open(kind: StoreKind) {
  const opened = await openPlainCluster(kind);
  cluster = opened;
  const { clock, store } = opened;
  const told: string[] = [];
  const errors: string[] = [];
  const { host } = await opened.node(
    'first',
    (node) => {
      node.register(behaviour);
      node.registerHandler({
        message: Told,
        name: 'ear',
        handle: (ctx: MessageContext<Told>) => void told.push(ctx.message.id),
      });
      node.registerRemote({ name: 'post', messages: [Sent.messageName], send: async () => {} });
    },
    { pollIntervalMs: 60_000, leaseMs: 60_000, sweepIntervalMs: 60_000 },
  );
  const at = () => ({ owner: 'other', leaseMs: 0, now: clock.storeNow() });
  const stored = async (id: string): Promise<StoredInstance> => {
    const by = { key: { name: 'id', value: id } };
    const [loaded] = await store.load([{ tenant: 'default', saga: 'log', by, messageId: '' }], at());
    return loaded?.instance as StoredInstance;
  };
  const letters = async () => (await store.deadLetters({ tenant: 'default' })).map(({ id }) => id);
  return { host, clock, store, told, errors, at, stored, letters, bus: host.bus };
}

describe.each(storeKinds)('what somebody else has spoilt, on $kind', (kind) => {
  it.each([
    ['data', 'no JSON'],
    ['data', '7'],
    ['machine', 'no JSON'],
    ['machine', '7'],
    ['undo', 'no JSON'],
    ['undo', '7'],
    ['hold', 'no JSON'],
    ['hold', '7'],
  ])(
    'an instance whose %s is %s: what comes for it ends recorded, and others go on',
    async (column, text) => {
      const { clock, store, at, stored, letters, bus } = await open(kind);
      await bus.publish(new Began({ id: 'x' }));
      await bus.publish(new Began({ id: 'y' }));
      await clock.advance('1s');
      await store.commit([spoilt(await stored('x'), { [column]: text })], at());
      await bus.publish(new Note({ id: 'x' }), { id: 'lost?' });
      await bus.publish(new Note({ id: 'y' }));
      await clock.advance('1h');
      const after = await stored('x');
      // A hold that nothing is held by is not read.
      const held = { status: 'held', hold: expect.stringContaining('"why":"poison"') as string };
      expect(after).toMatchObject(column === 'hold' ? { status: 'running' } : held);
      expect(await letters()).toEqual([]);
      expect(JSON.parse((await stored('y')).data)).toMatchObject({ notes: 1 });
    },
  );

  it.each(['no JSON', '{}', '7', '{"kind":"message"}'])(
    'rows of the outbox whose payload is %s become dead letters, and others go on',
    async (payload) => {
      const { clock, store, at, letters, bus, told } = await open(kind);
      const destinations = ['saga:log', 'activity:log', 'undo:log', 'handler:ear', 'remote:post'];
      const row = { tenant: 'default', lane: null, payload, delayMs: 0 };
      await store.enqueue(
        destinations.map((destination) => ({ ...row, destination, id: destination })),
        at(),
      );
      await bus.publish(new Told({ id: 'y' }));
      await clock.advance('1h');
      expect(told).toEqual(['y']);
      expect((await letters()).toSorted((a, b) => a.localeCompare(b))).toEqual(
        destinations.toSorted((a, b) => a.localeCompare(b)),
      );
    },
  );

  it.each(['no JSON', '{}', '7'])(
    'a message that waits for its instance and is %s becomes a dead letter, and others go on',
    async (payload) => {
      const { clock, store, at, stored, letters, bus } = await open(kind);
      const key = { name: 'id', value: 'x' };
      const delivery = { messageId: 'm1', payload, ttlMs: 86_400_000 };
      await store.park([{ tenant: 'default', saga: 'log', key, delivery, done: [] }], at());
      await bus.publish(new Began({ id: 'x' }));
      await bus.publish(new Note({ id: 'x' }));
      await clock.advance('1h');
      expect(JSON.parse((await stored('x')).data)).toMatchObject({ notes: 1 });
      expect(await letters()).toEqual(['m1']);
    },
  );
});
