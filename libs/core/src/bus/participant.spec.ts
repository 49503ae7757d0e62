import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { memoryStore } from '../memory/index.js';
import { message } from '../message/message.js';
import { noFaults } from '../ports/fault-points.js';
import { systemClock } from '../ports/system-clock.js';
import type { WriteOptions } from '../ports/instance-store.js';
import type { ClaimedWork } from '../ports/records.js';
import type { MessageContext } from './message-context.js';
import { Addressing, type MessageWork } from './outgoing.js';
import { Participant, type ParticipantPorts } from './participant.js';
import { ReplyAddressing } from './request/reply-work.js';
import { Routes } from './routes.js';

class Ping extends message('ping', z.object({ n: z.number().optional() })) {}
class Pong extends message('pong', z.object({})) {}

const payload: MessageWork = {
  kind: 'message',
  envelope: {
    id: 'm1',
    name: 'ping',
    version: 1,
    tenant: 't',
    correlationId: 'm1',
    causationId: null,
    sentAt: 0,
    headers: {},
    body: {},
  },
};
const work: ClaimedWork = {
  tenant: 't',
  destination: 'handler:p',
  id: 'm1',
  lane: null,
  payload: JSON.stringify(payload),
  delayMs: 0,
  attempts: 1,
  suspect: false,
};

/** A participant on a store in memory, and what it asks of that. */
function participant(handle: (ctx: MessageContext<Ping>) => unknown) {
  const store = memoryStore();
  const calls: string[] = [];
  /** Answers that were offered to be handled at once, with what they answer; whether they are. */
  const offered: (readonly [destination: string, messageId: string])[] = [];
  const saga = { carries: false };
  const routes = new Routes();
  routes.add('pong', 'handler:q');
  const options = (): WriteOptions => ({ owner: 'n', leaseMs: 1_000, now: 0 });
  const watched = new Proxy(store, {
    get: (of, name) => {
      const value: unknown = Reflect.get(of, name);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        calls.push(String(name));
        return Reflect.apply(value, of, args);
      };
    },
  });
  const written: { readonly ids: number; readonly leased: boolean }[] = [];
  const ports: ParticipantPorts = {
    store: watched,
    clock: systemClock,
    faults: noFaults,
    addressing: new Addressing(
      routes,
      () => 0,
      1_000,
      () => {},
      new ReplyAddressing('node', () => 0, 1_000),
    ),
    handlerTimeoutMs: 5_000,
    writeOptions: options,
    consumed: async (message) => (await watched.consumed([message]))[0] ?? null,
    finish: async (item) => {
      const [result] = await watched.finish([item], options());
      if (result === undefined || result instanceof Error) throw new Error('not finished');
      return result;
    },
    carry: async (answer, message) => {
      offered.push([answer.destination, message.message.id]);
      return saga.carries;
    },
    written: (rows, leased) => void written.push({ ids: rows.length, leased }),
  };
  return {
    it: new Participant({ message: Ping, name: 'p', handle }, ports),
    store,
    calls,
    written,
    offered,
    saga,
  };
}

const numbered = (id: string): ClaimedWork => ({ ...work, id });

describe('Participant', () => {
  it('refuses a verb after its handler has failed, as after one that has succeeded', async () => {
    let kept: MessageContext<Ping> | undefined;
    const failing = participant((ctx) => {
      kept = ctx;
      throw new Error('no');
    });
    await expect(failing.it.consume(work, true)).rejects.toThrow('no');
    expect(() => kept?.publish(new Ping({}))).toThrow(/after its handler had settled/);

    const succeeding = participant((ctx) => void (kept = ctx));
    await expect(succeeding.it.consume(work, true)).resolves.toBe('consumed');
    expect(() => kept?.publish(new Ping({}))).toThrow(/after its handler had settled/);
  });

  it('needs no statement for a message whose answer is handled along with it', async () => {
    const {
      it: payments,
      calls,
      written,
      offered,
      saga,
    } = participant(({ publish }) => publish(new Pong({})));
    saga.carries = true;
    expect(await payments.consume(work, true)).toBe('consumed');
    expect(offered).toEqual([['handler:q', work.id]]);
    expect(calls).toEqual([]);
    expect(written).toEqual([]);
  });

  it('offers no answer that has company, comes later, or has an asker', async () => {
    const verbs: ((ctx: MessageContext<Ping>) => unknown)[] = [
      () => undefined,
      ({ publish }) => (publish(new Pong({})), publish(new Pong({}))),
      ({ publish }) => publish(new Pong({}), { delay: '1s' }),
      ({ reply }) => reply(new Pong({})),
    ];
    for (const verb of verbs) {
      const { it: payments, calls, offered, saga } = participant(verb);
      saga.carries = true;
      expect(await payments.consume(work, true)).toBe('consumed');
      expect([offered, calls]).toEqual([[], ['finish']]);
    }
  });

  it('needs one statement for a message whose handler leaves ctx.manager alone', async () => {
    const { it: payments, calls, written } = participant(({ publish }) => publish(new Pong({})));
    expect(payments.pool).toBe('handler');
    expect(await payments.consume(work, true)).toBe('consumed');
    expect(calls).toEqual(['finish']);
    expect(written).toEqual([{ ids: 1, leased: true }]);
    // It is known now to hold no connection.
    expect(payments.pool).toBe('general');
  });

  it('asks first whether a message was consumed that may have come before, and does not run it then', async () => {
    let runs = 0;
    const { it: payments, calls } = participant(() => (runs += 1));
    await payments.consume(work, true);
    expect(await payments.consume(work, false)).toBe('settled');
    expect(runs).toBe(1);
    expect(calls).toEqual(['finish', 'consumed']);
  });

  it('checks what another process may have written, and runs nothing of what does not fit', async () => {
    let runs = 0;
    const { it: payments, calls } = participant(() => (runs += 1));
    const envelope = { ...payload.envelope, body: { n: 'many' } };
    const wrong = { ...work, payload: JSON.stringify({ ...payload, envelope }) };
    await expect(payments.consume(wrong, false)).rejects.toMatchObject({ code: 'MESSAGE_INVALID' });
    expect([runs, calls]).toEqual([0, []]);
    // What this process has written was checked when it was.
    expect(await payments.consume(wrong, true)).toBe('consumed');
    expect(runs).toBe(1);
  });

  it.each(['no JSON', '7', '{}', '{"kind":"message","envelope":{}}'])(
    'refuses a row that is %s for good, so that it is not tried again',
    async (text) => {
      const { it: payments } = participant(() => {});
      const consumed = payments.consume({ ...work, payload: text }, false);
      await expect(consumed).rejects.toMatchObject({ code: 'UNREADABLE_ROW', retryable: false });
    },
  );

  it('sends the answers of a message that runs twice once', async () => {
    const { it: payments, written } = participant(({ publish }) => publish(new Pong({})));
    await Promise.all([payments.consume(work, true), payments.consume(work, true)]);
    expect(written).toEqual([{ ids: 1, leased: true }]);
  });

  it('starts a message over in a transaction when its handler first uses ctx.manager, and opens it ahead from then on', async () => {
    const managers: unknown[] = [];
    const {
      it: payments,
      calls,
      store,
    } = participant(({ manager, publish }) => {
      managers.push(manager);
      publish(new Pong({}));
    });
    for (const id of ['m1', 'm2']) expect(await payments.consume(numbered(id), true)).toBe('consumed');
    expect(calls).toEqual(['transaction', 'transaction']);
    expect(managers).toHaveLength(2);
    expect(managers.every((manager) => typeof manager === 'object')).toBe(true);
    expect(payments.pool).toBe('handler');
    expect(await store.consumed([numbered('m1'), numbered('m2')])).toEqual(['handled', 'handled']);
  });

  it('lets nothing of the first run count, also when the handler has caught what ended it', async () => {
    let runs = 0;
    const {
      it: payments,
      written,
      calls,
    } = participant((ctx) => {
      runs += 1;
      ctx.publish(new Pong({}));
      try {
        return ctx.manager;
      } catch {
        return undefined;
      }
    });
    await payments.consume(work, true);
    expect(runs).toBe(2);
    expect(calls).toEqual(['transaction']);
    expect(written).toEqual([{ ids: 1, leased: false }]);
  });

  it('answers a question again in the commit that takes it away', async () => {
    const { it: payments, store, calls, written } = participant(({ reply }) => reply(new Pong({})));
    const asked = {
      ...work,
      payload: JSON.stringify({ ...payload, envelope: { ...payload.envelope, replyTo: 'reply:node' } }),
    };
    expect(await payments.consume(asked, true)).toBe('consumed');
    const claim = async () =>
      (
        await store.claimWork({
          owner: 'x',
          leaseMs: 1,
          now: 9_000_000_000_000,
          destinations: ['reply:node'],
          limit: 9,
        })
      ).items;
    await store.completeWork(await claim());
    await store.enqueue([asked], { owner: 'n', leaseMs: 1_000, now: 0 });
    calls.length = 0;
    expect(await payments.consume(asked, false)).toBe('consumed');
    expect(calls).toEqual(['consumed', 'transaction']);
    expect(written.map(({ ids }) => ids)).toEqual([1, 1]);
    expect((await claim()).map(({ id }) => id)).toEqual(['m1']);
    expect(
      await store.claimWork({
        owner: 'x',
        leaseMs: 1,
        now: 9_000_000_000_000,
        destinations: ['handler:p'],
        limit: 9,
      }),
    ).toMatchObject({ items: [] });
  });
});
