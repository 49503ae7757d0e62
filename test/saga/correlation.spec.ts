import { message, type } from '@nestjs-orchestrator/core';
import {
  buildSaga,
  defineSaga,
  event,
  keyed,
  type AnySaga,
  type SagaBehaviour,
} from '@nestjs-orchestrator/core/saga';
import type { Logger } from '@nestjs-orchestrator/core/ports';
import { afterEach, describe, expect, it } from 'vitest';
import { openRig, type Rig } from './rig.js';
import { storeKinds } from './support.js';

class Placed extends message('c.placed', type<{ orderId: string; customerId: string }>()) {}
class Shipped extends message('c.shipped', type<{ orderId: string; consignment: string }>()) {}
class Reported extends message('c.reported', type<{ no: string; place: string }>()) {}
class Delivered extends message('c.delivered', type<{ no: string }>()) {}
class Blocked extends message('c.blocked', type<{ customer: string }>()) {}
class Praised extends message('c.praised', type<{ customer: string }>()) {}
class Nudged extends message('c.nudged', type<{ orderId: string }>()) {}
class Asked extends message('c.asked', type<{ orderId: string }>()) {}
class Sought extends message('c.sought', type<{ orderId: string }>()) {}
class Refused extends message('c.refused', type<{ orderId: string }>()) {}

interface Order {
  orderId: string;
  seen: string[];
}

const orders = defineSaga({
  name: 'orders',
  version: 1,
  data: type<Order>(),
  correlateBy: 'orderId',
  keys: { consignment: 'at most one', customer: 'many' },
  states: ['placed', 'shipped'],
  ends: { delivered: 'success', blocked: 'success' },
  events: [
    Placed,
    Shipped,
    keyed(Reported, ({ no }) => no, { key: 'consignment' }),
    keyed(Delivered, ({ no }) => no, { key: 'consignment' }),
    keyed(Blocked, ({ customer }) => customer, { key: 'customer' }),
    keyed(Praised, ({ customer }) => customer, { key: 'customer' }),
    event(Nudged, { absent: 'discard', unanswered: 'ignore' }),
    event(Asked, { absent: 'fault', unanswered: 'fault' }),
    event(Sought, { absent: 'redeliver' }),
    Refused,
  ],
});

const behaviour = buildSaga(orders, (saga) => {
  saga
    .initially()
    .when(Placed)
    .then((ctx) => {
      ctx.correlateWith('customer', ctx.event.customerId);
      return { orderId: ctx.event.orderId, seen: [] };
    })
    .transitionTo('placed');
  saga
    .during('placed')
    .when(Shipped)
    .then((ctx) => ctx.correlateWith('consignment', ctx.event.consignment))
    .transitionTo('shipped');
  saga
    .during('shipped')
    .when(Reported)
    .then((ctx) => void ctx.data.seen.push(ctx.event.place))
    .when(Delivered)
    .finalize('delivered');
  saga
    .duringAny()
    .when(Blocked)
    .finalize('blocked')
    .when(Praised)
    .then((ctx) => void ctx.data.seen.push('praise'))
    .when(Sought)
    .then((ctx) => void ctx.data.seen.push('sought'));
  saga.during('shipped').when(Nudged).ignore().when(Asked).ignore().when(Refused).ignore();
});

let rig: Rig<AnySaga> | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

const placed = (orderId: string, customerId = 'ann') => new Placed({ orderId, customerId });
const shipped = (orderId: string, consignment: string) => new Shipped({ orderId, consignment });

describe.each(storeKinds)('correlation, on $kind', (kind) => {
  const lines: string[] = [];
  const line = (text: string): void => void lines.push(text);
  const logger: Logger = { debug: line, info: line, warn: line, error: line };
  const open = async (of: SagaBehaviour = behaviour) => {
    lines.length = 0;
    return (rig = await openRig(kind, of, { logger }));
  };
  const seen = async (key: string) => ((await rig?.find(key))?.data as Order | undefined)?.seen;

  it('finds an instance by a key that became known later', async () => {
    const { play, standing } = await open();
    await play(placed('o1'), shipped('o1', 'c1'), new Reported({ no: 'c1', place: 'Bern' }));
    expect(await seen('o1')).toEqual(['Bern']);
    await play(new Delivered({ no: 'c1' }));
    expect(await standing('o1')).toBe('delivered completed');
  });

  it('lets messages wait for a key that nobody has yet, in their order', async () => {
    const { play } = await open();
    await play(
      placed('o1'),
      new Reported({ no: 'c1', place: 'Bern' }),
      new Reported({ no: 'c1', place: 'Rome' }),
    );
    expect(await seen('o1')).toEqual([]);
    await play(shipped('o1', 'c1'));
    expect(await seen('o1')).toEqual(['Bern', 'Rome']);
  });

  it('applies a message that came by a further key once, whoever repeats it', async () => {
    const { play } = await open();
    const report = [new Reported({ no: 'c1', place: 'Bern' }), { id: 'r1' }] as const;
    await play(placed('o1'), report, report, shipped('o1', 'c1'), report);
    expect(await seen('o1')).toEqual(['Bern']);
  });

  it('handles what comes by two keys of one instance one after the other', async () => {
    const { host, clock, play, history } = await open();
    await play(placed('o1'), shipped('o1', 'c1'));
    await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        n % 2 === 0
          ? host.bus.publish(new Reported({ no: 'c1', place: `p${n}` }))
          : host.bus.publish(new Sought({ orderId: 'o1' })),
      ),
    );
    await clock.settled();
    expect((await seen('o1'))?.length).toBe(10);
    expect((await history('o1')).length).toBe(12);
    // In two mailboxes they would meet in the store.
    expect(lines.filter((text) => text.includes('conflict'))).toEqual([]);
  });

  it('gives a message for a key of many to each of its instances, once', async () => {
    const { play, standing, host } = await open();
    await play(
      placed('o1'),
      placed('o2'),
      placed('o3', 'bob'),
      shipped('o2', 'c2'),
      new Delivered({ no: 'c2' }),
    );
    await play(placed('o4'));
    const praise = [new Praised({ customer: 'ann' }), { id: 'p1' }] as const;
    await play(praise, praise);
    expect(await Promise.all(['o1', 'o2', 'o3', 'o4'].map(seen))).toEqual([['praise'], [], [], ['praise']]);
    await play(new Blocked({ customer: 'ann' }));
    expect(await standing('o1')).toBe('blocked completed');
    expect(await standing('o3')).toBe('placed running');
    const found: string[] = [];
    for await (const { data } of host.repository(orders).findByKey('customer', 'ann'))
      found.push(data.orderId);
    expect(found).toEqual(['o1', 'o2', 'o4']);
  });

  it('refuses a value of a key that another instance has, without trying for ever', async () => {
    const { play, advance, standing, deadLetters } = await open();
    await play(placed('o1'), placed('o2'), shipped('o1', 'c1'), shipped('o2', 'c1'));
    await advance('1m');
    expect(await standing('o2')).toBe('placed running');
    const [first] = await deadLetters();
    expect(first?.reason).toMatch(/^SagaKeyTakenError: An instance of saga 'orders'/);
    await play(new Delivered({ no: 'c1' }));
    expect(await standing('o1')).toBe('delivered completed');
  });

  it('drops a message for a key of many that nobody has', async () => {
    const { play, deadLetters } = await open();
    await play(new Praised({ customer: 'nobody' }), placed('o1', 'nobody'));
    expect(await seen('o1')).toEqual([]);
    expect(await deadLetters()).toEqual([]);
  });

  it('keeps tenants apart, by whichever key', async () => {
    const { play } = await open();
    const elsewhere = { tenant: 'umbrella' };
    await play(placed('o1'), [placed('o1'), elsewhere], shipped('o1', 'c1'));
    await play(
      [new Praised({ customer: 'ann' }), elsewhere],
      [new Reported({ no: 'c1', place: 'Bern' }), elsewhere],
    );
    expect(await seen('o1')).toEqual([]);
    expect((await rig?.find('o1', 'umbrella'))?.data.seen).toEqual(['praise']);
  });

  it('treats a message without an instance as it is declared', async () => {
    const { play, advance, deadLetters } = await open();
    await play(new Nudged({ orderId: 'o1' }), new Asked({ orderId: 'o1' }), new Sought({ orderId: 'o1' }));
    const letters = await deadLetters();
    expect(letters.map(({ reason }) => reason.slice(0, reason.indexOf(':')))).toEqual([
      'UnexpectedEventError',
    ]);
    await play(placed('o1'));
    expect(await seen('o1')).toEqual([]);
    await advance('1m');
    expect(await seen('o1')).toEqual(['sought']);
  });

  it('gives up on a message whose instance never comes, if it is to be delivered again', async () => {
    const { play, advance, deadLetters } = await open();
    await play(new Sought({ orderId: 'o1' }));
    await advance('1h');
    expect((await deadLetters()).map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/^InstanceAbsentError: Saga 'orders' has no instance for message 'c.sought' yet/),
    ]);
  });

  it('treats a message that no state answers as it is declared', async () => {
    const { play, history, deadLetters } = await open();
    await play(
      placed('o1'),
      new Nudged({ orderId: 'o1' }),
      new Asked({ orderId: 'o1' }),
      new Refused({ orderId: 'o1' }),
    );
    expect(await history('o1')).toEqual([
      'created c.placed  → placed',
      'ignored c.nudged',
      'deferred c.refused',
    ]);
    expect((await deadLetters()).map(({ reason }) => reason.slice(0, reason.indexOf(':')))).toEqual([
      'UnexpectedEventError',
    ]);
  });

  it('refuses to start an instance without a key of which each has one', async () => {
    const strict = defineSaga({
      name: 'strict',
      version: 1,
      data: type<{ orderId: string }>(),
      correlateBy: 'orderId',
      keys: { consignment: 'one' },
      states: ['open'],
      ends: { over: 'success' },
      events: [Placed, Refused],
    });
    const { host, clock, standing } = await open(
      buildSaga(strict, (saga) => {
        saga
          .initially()
          .when(Placed)
          .then((ctx) => {
            if (ctx.event.customerId !== '') ctx.correlateWith('consignment', ctx.event.customerId);
            return { orderId: ctx.event.orderId };
          })
          .transitionTo('open');
        saga.during('open').when(Refused).finalize('over');
      }),
    );
    await host.bus.publish(placed('o1', ''));
    await host.bus.publish(placed('o2', 'c2'));
    await clock.settled();
    expect(await standing('o1')).toBe('absent');
    expect(await standing('o2')).toBe('open running');
  });
});
