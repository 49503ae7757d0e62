import {
  message,
  NoReplyError,
  NoRouteError,
  RequestAbortedError,
  RequestFailedError,
  ReplyTimeoutError,
  StoreUnavailableError,
  type,
  UnexpectedReplyError,
  type MessageContext,
} from '@nestjs-orchestrator/core';
import type { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import { silentLogger } from '@nestjs-orchestrator/core/ports';
import { buildSaga, defineSaga } from '@nestjs-orchestrator/core/saga';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { storeKinds } from '../saga/support.js';
import { openPlainCluster, type PlainCluster, type PlainNode } from './support.js';

const ref = z.object({ orderId: z.string() });
class Quote extends message('t.quote', ref) {}
class Quoted extends message('t.quoted', ref.extend({ cents: z.int() })) {}
class Refused extends message('t.refused', ref.extend({ reason: z.string() })) {}
class Open extends message('t.open', ref) {}
class Cancel extends message('t.cancel', ref) {}
class Opened extends message('t.opened', ref.extend({ count: z.int() })) {}

const orderSaga = defineSaga({
  name: 'asked',
  version: 1,
  data: type<{ orderId: string }>(),
  correlateBy: 'orderId',
  states: ['open'],
  ends: { cancelled: 'success' },
  events: [Open, Cancel],
});

const behaviour = buildSaga(orderSaga, (saga) => {
  saga
    .initially()
    .when(Open)
    .then((ctx) => {
      ctx.reply(new Opened({ orderId: ctx.event.orderId, count: 1 }));
      return { orderId: ctx.event.orderId };
    })
    .transitionTo('open');
  saga
    .during('open')
    .when(Cancel)
    .then((ctx) => ctx.reply(new Opened({ orderId: ctx.data.orderId, count: 0 })))
    .transitionTo('cancelled');
});

/** What handlers have done, and what they should do. */
class World {
  quotes = 0;
  answer: (ctx: MessageContext<Quote>) => void | Promise<void> = ({ message: { orderId }, reply }) =>
    reply(new Quoted({ orderId, cents: 7 }));

  readonly register = (host: OrchestratorHost): void => {
    host.register(behaviour);
    host.registerHandler({
      message: Quote,
      name: 'quotes.quote',
      handle: (ctx: MessageContext<Quote>) => {
        this.quotes += 1;
        return this.answer(ctx);
      },
    });
  };
}

let cluster: PlainCluster | undefined;
afterEach(async () => cluster?.close());

const quote = { reply: Quoted };

it('a request that another application would handle is refused before anything is written', async () => {
  const memory = storeKinds.find(({ kind }) => kind === 'memory') as (typeof storeKinds)[number];
  cluster = await openPlainCluster(memory);
  const sent: string[] = [];
  const { host } = await cluster.node('asker', (node) =>
    node.registerRemote({
      name: 'pricing',
      messages: [Quote.messageName],
      send: async ({ name }) => void sent.push(name),
    }),
  );
  const asked = host.bus.request(new Quote({ orderId: 'o1' }), { reply: Quoted });
  await expect(asked).rejects.toMatchObject({ code: 'REMOTE_REQUEST', route: 'pricing' });
  await cluster.clock.advance('1m');
  expect(sent).toEqual([]);
});

describe.each(storeKinds)('a request, on $kind', (kind) => {
  it('is answered by its handler, and by a saga, as an instance of the reply’s class', async () => {
    cluster = await openPlainCluster(kind);
    const { host } = await cluster.node('first', new World().register);
    const quoted = await host.bus.request(new Quote({ orderId: 'o1' }), quote);
    expect(quoted).toBeInstanceOf(Quoted);
    expect(quoted.cents).toBe(7);
    const opened = await host.bus.request(new Open({ orderId: 'o1' }), { reply: [Quoted, Opened] });
    expect(opened).toEqual(new Opened({ orderId: 'o1', count: 1 }));
  });

  it('is answered to the node that asked, whichever node handles it', async () => {
    cluster = await openPlainCluster(kind);
    const [failing, working] = [new World(), new World()];
    failing.answer = () => {
      throw new StoreUnavailableError('the first node can not');
    };
    let givenBack = (): void => {};
    const failed = new Promise<void>((resolve) => (givenBack = resolve));
    const { host } = await cluster.node('first', failing.register, {
      handlerConcurrency: 1,
      untracked: ['transaction'],
      logger: { ...silentLogger, warn: () => givenBack() },
    });
    await cluster.node('second', working.register);
    const pending = host.bus.request(new Quote({ orderId: 'o1' }), quote);
    await failed;
    // Has no room for what it gave back.
    failing.answer = ({ signal }) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
    for (let n = 0; n < 5; n += 1) await host.bus.send(new Quote({ orderId: 'busy' }));
    await cluster.clock.advance('1s');
    await expect(pending).resolves.toMatchObject({ cents: 7 });
    expect([failing.quotes, working.quotes]).toEqual([2, 1]);
    failing.answer = () => {};
    await cluster.clock.advance('10s');
  });

  it('gets its reply only after the commit of what was handled', async () => {
    cluster = await openPlainCluster(kind);
    const world = new World();
    const { host, faults } = await cluster.node('first', world.register);
    const held = faults.pauseAt('saga.commit.before');
    let answered = false;
    const pending = host.bus
      .request(new Open({ orderId: 'o1' }), { reply: Opened })
      .finally(() => (answered = true));
    await held.reached;
    await cluster.clock.settled();
    expect(answered).toBe(false);
    held.resume();
    await expect(pending).resolves.toMatchObject({ count: 1 });
  });

  it('that is asked again with its id gets the first reply, and nothing runs again', async () => {
    cluster = await openPlainCluster(kind);
    const world = new World();
    const { host } = await cluster.node('first', world.register);
    const open = () => host.bus.request(new Open({ orderId: 'o1' }), { id: 'q1', reply: Opened });
    await expect(open()).resolves.toMatchObject({ count: 1 });
    await host.bus.request(new Cancel({ orderId: 'o1' }), { reply: Opened });
    await expect(open()).resolves.toMatchObject({ count: 1 });
    const order = await host.repository(orderSaga).findByCorrelation('o1');
    expect(order).toMatchObject({ state: 'cancelled', version: 2 });
  });

  it.each([
    ['without a transaction', (ctx: MessageContext<Quote>) => ctx.reply],
    ['in a transaction', (ctx: MessageContext<Quote>) => (ctx.manager, ctx.reply)],
  ])('that a handler answered %s is answered again, and not handled again', async (_, replyOf) => {
    cluster = await openPlainCluster(kind);
    const world = new World();
    world.answer = (ctx) => replyOf(ctx)(new Quoted({ orderId: 'o1', cents: world.quotes }));
    const first = await cluster.node('first', world.register);
    const ask = ({ host }: PlainNode) =>
      host.bus.request(new Quote({ orderId: 'o1' }), { ...quote, id: 'q1' });
    const { cents } = await ask(first);
    await expect(ask(first)).resolves.toMatchObject({ cents });
    await first.kill();
    const second = await cluster.node('second', world.register);
    await expect(ask(second)).resolves.toMatchObject({ cents });
    expect(world.quotes).toBe(cents);
  });

  it('that waits for its instance is answered when that is there', async () => {
    cluster = await openPlainCluster(kind);
    const { host } = await cluster.node('first', new World().register);
    const pending = host.bus.request(new Cancel({ orderId: 'o1' }), { reply: Opened });
    await cluster.clock.settled();
    await host.bus.send(new Open({ orderId: 'o1' }));
    await expect(pending).resolves.toMatchObject({ count: 0 });
  });

  it('that nobody answers in time is refused with a time-out, and its late reply is removed', async () => {
    cluster = await openPlainCluster(kind);
    const { clock, store } = cluster;
    const { host } = await cluster.node('first', new World().register);
    const pending = host.bus.request(new Cancel({ orderId: 'o1' }), { reply: Opened, timeout: '2s' });
    const refused = expect(pending).rejects.toMatchObject({ code: 'REPLY_TIMEOUT', timeoutMs: 2_000 });
    await clock.advance('2s');
    await refused;
    await expect(pending).rejects.toBeInstanceOf(ReplyTimeoutError);
    await host.bus.send(new Open({ orderId: 'o1' }));
    await clock.settled();
    const replies = await store.claimWork({
      owner: 'test',
      leaseMs: 1,
      now: clock.storeNow(),
      destinations: ['reply:first-1'],
      limit: 1,
    });
    expect(replies).toEqual({ items: [], nextDueMs: null });
  });

  it('whose handler does not reply, replies something else, or is given up, is refused by a typed error', async () => {
    cluster = await openPlainCluster(kind);
    const world = new World();
    const { host } = await cluster.node('first', world.register);
    const ask = () => host.bus.request(new Quote({ orderId: 'o1' }), quote);

    world.answer = () => {};
    await expect(ask()).rejects.toBeInstanceOf(NoReplyError);
    world.answer = ({ reply }) => reply(new Refused({ orderId: 'o1', reason: 'sold out' }));
    const error: unknown = await ask().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UnexpectedReplyError);
    expect(String(error)).toMatch(/'t.refused'; expected was 't.quoted'/);
    world.answer = () => {
      throw new NoRouteError('t.other', []);
    };
    await expect(ask()).rejects.toBeInstanceOf(RequestFailedError);
    // An ended saga takes note of it, and says so.
    const late = { reply: Opened };
    await host.bus.request(new Open({ orderId: 'o1' }), late);
    await host.bus.request(new Cancel({ orderId: 'o1' }), late);
    await expect(host.bus.request(new Cancel({ orderId: 'o1' }), late)).rejects.toMatchObject({
      code: 'NO_REPLY',
      outcome: 'late',
    });
  });

  it.each([3_600_000, -3_600_000])(
    'is answered though the clock of its node jumps by %d ms meanwhile',
    async (by) => {
      cluster = await openPlainCluster(kind);
      const { clock } = cluster;
      let jump = 0;
      const world = new World();
      const { answer } = world;
      world.answer = (ctx) => {
        jump = by;
        return answer(ctx);
      };
      const { host } = await cluster.node('first', world.register, {
        clock: {
          now: () => clock.now() + jump,
          monotonic: () => clock.monotonic(),
          storeNow: () => clock.storeNow(),
          schedule: (delayMs, task) => clock.schedule(delayMs, task),
        },
      });
      const pending = host.bus.request(new Quote({ orderId: 'o1' }), quote).catch((error: unknown) => error);
      await clock.advance('1m');
      await expect(pending).resolves.toMatchObject({ cents: 7 });
    },
  );

  it('leaves no reply behind when the node that asked dies, or stops', async () => {
    cluster = await openPlainCluster(kind);
    const { clock, store } = cluster;
    const world = new World();
    const rows = async (destination: string, inMs = 2) => {
      const now = clock.now() + inMs;
      const claim = { owner: 'test', leaseMs: 0, now, destinations: [destination], limit: 9 };
      return (await store.claimWork(claim)).items.length;
    };
    // Hours go by.
    const patient = { pollIntervalMs: 60_000, leaseMs: 60_000, sweepIntervalMs: 600_000 };
    const asker = await cluster.node('asker', world.register, patient);
    const asked = [new Cancel({ orderId: 'o1' }), new Cancel({ orderId: 'o2' })].map((cancel) =>
      asker.host.bus.request(cancel, { reply: Opened, timeout: '1h' }).catch(() => {}),
    );
    await clock.settled();
    await asker.kill();
    // It answers one before it knows, and the other one after that.
    const second = await cluster.node('second', world.register, patient);
    await second.host.bus.send(new Open({ orderId: 'o1' }));
    await clock.settled();
    expect(await rows('reply:asker-1')).toBe(1);
    await clock.advance('5m');
    expect(await rows('reply:asker-1')).toBe(0);
    await second.host.bus.send(new Open({ orderId: 'o2' }));
    await clock.settled();
    expect(await rows('reply:asker-1')).toBe(1);
    await clock.advance('4h');
    expect(await rows('reply:asker-1')).toBe(0);
    await second.host.close();
    expect(await rows('presence', 1e9)).toBe(0);
    expect(asked).toHaveLength(2);
  });

  it('that fails once is answered when it succeeds', async () => {
    cluster = await openPlainCluster(kind);
    const world = new World();
    const { host } = await cluster.node('first', world.register);
    const answer = world.answer;
    world.answer = () => {
      world.answer = answer;
      throw new StoreUnavailableError('away');
    };
    const pending = host.bus.request(new Quote({ orderId: 'o1' }), quote);
    await cluster.clock.advance('1s');
    await expect(pending).resolves.toMatchObject({ cents: 7 });
    expect(world.quotes).toBe(2);
  });
});

describe('a request', () => {
  const memory = storeKinds[0] as (typeof storeKinds)[number];

  it('to nobody is refused before anything is written', async () => {
    cluster = await openPlainCluster(memory);
    const { host } = await cluster.node('first', () => {});
    await expect(host.bus.request(new Quote({ orderId: 'o1' }), quote)).rejects.toBeInstanceOf(NoRouteError);
    await expect(host.bus.request(new Quote({ orderId: 'o1' }), { ...quote, timeout: '2h' })).rejects.toThrow(
      /waitUntil/,
    );
  });

  it('stops waiting when its signal aborts, or its node stops', async () => {
    cluster = await openPlainCluster(memory);
    const { host } = await cluster.node('first', new World().register);
    const abort = new AbortController();
    const [first, second] = [
      host.bus.request(new Cancel({ orderId: 'o1' }), { reply: Opened, signal: abort.signal }),
      host.bus.request(new Cancel({ orderId: 'o2' }), { reply: Opened }),
    ];
    const [aborted, stopped] = [
      expect(first).rejects.toMatchObject({ code: 'REQUEST_ABORTED', cause: 'enough' }),
      expect(second).rejects.toBeInstanceOf(RequestAbortedError),
    ];
    await cluster.clock.settled();
    abort.abort('enough');
    await aborted;
    host.stopPulling();
    await stopped;
    await expect(
      host.bus.request(new Cancel({ orderId: 'o3' }), { reply: Opened, signal: abort.signal }),
    ).rejects.toBeInstanceOf(RequestAbortedError);
  });

  it('has one reply, given before its handler settles', async () => {
    cluster = await openPlainCluster(memory);
    const world = new World();
    world.answer = ({ message: { orderId }, reply }) => {
      reply(new Quoted({ orderId, cents: 1 }));
      reply(new Quoted({ orderId, cents: 2 }));
    };
    const { host } = await cluster.node('first', world.register, { maxAttempts: 1 });
    await expect(host.bus.request(new Quote({ orderId: 'o1' }), quote)).rejects.toThrow(
      /reply\(\) was called twice/,
    );
  });
});
