import { message, type } from '@nestjs-orchestrator/core';
import { buildSaga, defineSaga, keyed } from '@nestjs-orchestrator/core/saga';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openPlainCluster, type PlainCluster, type PlainNode } from '../messaging/support.js';
import { storeKinds } from './support.js';

class Placed extends message('j.placed', type<{ orderId: string }>()) {}
class Consigned extends message('j.consigned', type<{ orderId: string; no: string }>()) {}
class Seen extends message('j.seen', type<{ no: string }>()) {}

class Delivered extends message('j.delivered', type<{ orderId: string }>()) {}

const definition = defineSaga({
  name: 'consigned',
  version: 1,
  data: type<{ orderId: string; seen: number }>(),
  correlateBy: 'orderId',
  keys: { consignment: 'at most one' },
  states: ['placed', 'consigned'],
  ends: { delivered: 'success' },
  events: [Placed, Consigned, keyed(Seen, ({ no }) => no, { key: 'consignment' }), Delivered],
});

/** Lets a test do something between what a handler was given and its commit. */
type Between = () => Promise<void>;

function behaviourOf(between: () => Between) {
  return buildSaga(definition, (saga) => {
    saga
      .initially()
      .when(Placed)
      .then(({ event }) => ({ orderId: event.orderId, seen: 0 }))
      .transitionTo('placed');
    saga
      .during('placed')
      .when(Consigned)
      .then(async (ctx) => {
        ctx.correlateWith('consignment', ctx.event.no);
        await between()();
      })
      .transitionTo('consigned');
    saga
      .during('consigned')
      .when(Seen)
      .then((ctx) => void (ctx.data.seen += 1))
      .when(Delivered)
      .transitionTo('delivered');
  });
}

const no = 'c7';
const NOTHING: Between = async () => {};
const ROLLED_BACK = new Error('rolled back');

let cluster: PlainCluster;
let a: PlainNode;
let b: PlainNode;
/** What happens between the handler of node a and its commit. */
let between: Between;

describe.each(storeKinds)('a further key in a transaction of the caller, on $kind', (kind) => {
  beforeEach(async () => {
    between = NOTHING;
    cluster = await openPlainCluster(kind);
    const options = { pollIntervalMs: 60_000, leaseMs: 60_000, untracked: ['transaction'] as const };
    a = await cluster.node('a', (host) => host.register(behaviourOf(() => between)), options);
    b = await cluster.node('b', (host) => host.register(behaviourOf(() => NOTHING)), options);
    for (const orderId of ['o1', 'o2']) await b.host.bus.publish(new Placed({ orderId }));
    await cluster.clock.settled();
  });
  afterEach(() => cluster.close());

  const at = () => ({ now: cluster.clock.storeNow() });
  /** In a transaction of its own, o1 is given the consignment on node a, or o2 on node b. */
  const consign = (node: PlainNode, more: () => Promise<void> = NOTHING) =>
    node.store.transaction(async ({ manager }) => {
      const orderId = node === a ? 'o1' : 'o2';
      const { sagas } = await node.host.bus.within(manager).handle(new Consigned({ orderId, no }));
      await more();
      return sagas.map(({ outcome, state }) => `${outcome} ${state}`);
    }, at());
  const standing = async () => {
    const orders = b.host.repository(definition);
    const found = await Promise.all(['o1', 'o2'].map((orderId) => orders.findByCorrelation(orderId)));
    return found.map((order) => `${order?.state} ${order?.version}`);
  };
  const holder = async () => {
    const orders = b.host.repository(definition);
    for await (const { data } of orders.findByKey('consignment', no)) return data.orderId;
    return 'nobody';
  };

  it('that another instance has is refused by its name; the transaction leaves nothing, and others may go on', async () => {
    expect(await consign(b)).toEqual(['applied consigned']);
    const holds = await b.host.repository(definition).findByCorrelation('o2');
    const refused = consign(a);
    await expect(refused).rejects.toMatchObject({
      ...{ code: 'SAGA_KEY_TAKEN', key: 'consignment', holder: holds?.id, retryable: false },
    });
    expect(await standing()).toEqual(['placed 1', 'consigned 2']);
    await b.host.bus.publish(new Seen({ no }));
    await cluster.clock.settled();
    expect([await holder(), ...(await standing())]).toEqual(['o2', 'placed 1', 'consigned 3']);
  });

  it('that a second connection takes between the handler and the commit is refused likewise', async () => {
    between = async () => void (await consign(b));
    await expect(consign(a)).rejects.toMatchObject({ code: 'SAGA_KEY_TAKEN', key: 'consignment' });
    expect([await holder(), ...(await standing())]).toEqual(['o2', 'placed 1', 'consigned 2']);
    between = NOTHING;
    await expect(consign(a)).rejects.toMatchObject({ code: 'SAGA_KEY_TAKEN' });
  });

  it.each([
    ['commits', 'SAGA_KEY_TAKEN', 'o2'],
    ['is rolled back', 'applied consigned', 'o1'],
  ])(
    'that an open transaction is taking is a conflict; when that %s, the caller who tries again hears %s',
    async (ends, told, has) => {
      let first: unknown;
      const open = consign(b, async () => {
        first = await consign(a).catch((error: unknown) => error);
        if (ends !== 'commits') throw ROLLED_BACK;
      });
      const end = await open.catch((error: unknown) => error);
      expect(end).toEqual(ends === 'commits' ? ['applied consigned'] : ROLLED_BACK);
      expect(first).toMatchObject({ code: 'SAGA_CONFLICT', retryable: true });
      const again = await consign(a).catch((error: { code?: string }) => [error.code]);
      expect(again).toEqual([told]);
      expect(await holder()).toBe(has);
    },
  );

  it('that is taken by a message beside the transaction is refused there as a message, and the transaction has it', async () => {
    const taken = consign(a, async () => {
      await b.host.bus.publish(new Consigned({ orderId: 'o2', no }), { id: 'm2' });
    });
    expect(await taken).toEqual(['applied consigned']);
    await cluster.clock.advance('5m');
    expect([await holder(), ...(await standing())]).toEqual(['o1', 'consigned 2', 'placed 1']);
    const letters = await cluster.store.deadLetters({});
    expect(letters.map(({ id, reason }) => `${id} ${reason.split(':')[0]}`)).toEqual([
      'm2 SagaKeyTakenError',
    ]);
  });
});
