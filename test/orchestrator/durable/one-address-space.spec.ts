import {
  assign,
  type ChannelGroup,
  createOrchestrator,
  defineMachine,
  DuplicateIdError,
  DurableLogicError,
  DurableUnavailableError,
  DurableVerbError,
  GroupUnreachableError,
  type OrchestratedContext,
  type OrchestratorOptions,
  OrchestratorOptionError,
  RequestCycleError,
  sendTo,
  UnknownMachineError,
} from '@nestjs-orchestrator/core';
import { memoryNetwork, memoryStore, memoryTransport } from '@nestjs-orchestrator/core/memory';
import type { InstanceStore } from '@nestjs-orchestrator/core/ports';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';

interface Data {
  readonly entries: readonly unknown[];
}

const note = assign({
  entries: ({ context, event }) => [
    ...(context as unknown as Data).entries,
    (event as { readonly entry?: unknown }).entry,
  ],
});

const book = defineMachine({
  id: 'book',
  initial: 'open',
  context: { entries: [] },
  states: {
    open: {
      on: {
        NOTE: { actions: note },
        READ: { actions: 'read' },
        PASS_ON: { actions: 'passOn' },
        ASK: { actions: 'ask' },
        LATER: { actions: 'later' },
        FORWARD: { actions: sendTo('other', { type: 'NOTE', entry: 'forwarded' }) },
        FAIL: {
          actions: assign(() => {
            throw new TypeError('as it was told');
          }),
        },
        CLOSE: 'closed',
      },
      after: { 60_000: 'late' },
    },
    late: { entry: 'tellLate' },
    closed: { type: 'final' },
  },
});

let store: InstanceStore;
let clock: VirtualClock;
let late: string[];

beforeEach(() => {
  store = memoryStore();
  clock = new VirtualClock();
  late = [];
});

type Context = OrchestratedContext<typeof book>;
const eventOf = (ctx: Context): { readonly to: string; readonly entry: unknown } => ctx.event as never;

const actions = {
  read: (ctx: Context) => ctx.reply((ctx.data as unknown as Data).entries.length),
  passOn: (ctx: Context) => ctx.send(eventOf(ctx).to, { type: 'NOTE', entry: eventOf(ctx).entry }),
  ask: async (ctx: Context) => ctx.reply((await ctx.request(eventOf(ctx).to, { type: 'READ' })).reply),
  later: (ctx: Context) => ctx.sendAfter(10, { type: 'READ' }),
  tellLate: (ctx: Context) => void late.push(ctx.machine.id),
};

async function orchestrator(options: OrchestratorOptions = {}): Promise<ChannelGroup> {
  const group = await createOrchestrator({ type: 'in-process', name: 'books', store, clock, ...options });
  onTestFinished(() => group.release());
  group.register(book, { actions });
  return group;
}

async function entriesIn(group: ChannelGroup, id: string): Promise<unknown> {
  const { context } = await group.ref(book, id).currentSnapshot();
  return (context as unknown as Data).entries;
}

describe('spawn(machine, { durable: true })', () => {
  it('is refused where there is no store, and says what to give', async () => {
    const group = await createOrchestrator({ type: 'in-process' });
    onTestFinished(() => group.release());
    group.register(book, { actions });
    const refused = group.spawn(book, { id: 'b', durable: true });
    await expect(refused).rejects.toBeInstanceOf(DurableUnavailableError);
    await expect(refused).rejects.toMatchObject({ reason: 'no-store', type: 'in-process' });
    await expect(refused).rejects.toThrow('createOrchestrator({ store })');
  });

  it('is refused over a transport that gives machines no single owner; other machines run there', async () => {
    const group = await orchestrator({
      type: 'memory',
      transports: { memory: memoryTransport(memoryNetwork()) },
    });
    const refused = group.spawn(book, { id: 'b', durable: true });
    await expect(refused).rejects.toMatchObject({ reason: 'no-owner', type: 'memory' });
    await expect(refused).rejects.toThrow("'in-process'");
    expect((await group.spawn(book, { id: 'b' })).id).toBe('b');
  });

  it('is refused with local, without an id, and where the machine would start children', async () => {
    const group = await orchestrator();
    await expect(group.spawn(book, { id: 'b', durable: true, local: true })).rejects.toBeInstanceOf(
      OrchestratorOptionError,
    );
    await expect(group.spawn(book, { durable: true })).rejects.toMatchObject({ code: 'MACHINE_ID' });
    const parent = defineMachine({ id: 'parent', initial: 'a', states: { a: { invoke: { src: 'book' } } } });
    group.register(parent);
    await expect(group.spawn(parent, { id: 'p', durable: true })).rejects.toBeInstanceOf(DurableLogicError);
  });

  it('gives an id to one machine only, durable or not', async () => {
    const group = await orchestrator();
    await group.spawn(book, { id: 'kept', durable: true });
    await group.spawn(book, { id: 'plain' });
    for (const [id, durable] of [
      ['kept', true],
      ['kept', false],
      ['plain', true],
      ['plain', false],
    ] as const)
      await expect(group.spawn(book, { id, durable })).rejects.toBeInstanceOf(DuplicateIdError);
    const both = await Promise.allSettled([
      group.spawn(book, { id: 'raced', durable: true }),
      group.spawn(book, { id: 'raced' }),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('starts once for one messageId', async () => {
    const group = await orchestrator();
    await group.spawn(book, { id: 'b', durable: true, messageId: 'm-1' });
    await group.ref('b').send({ type: 'NOTE', entry: 1 });
    await group.spawn(book, { id: 'b', durable: true, messageId: 'm-1' });
    expect(await entriesIn(group, 'b')).toEqual([1]);
  });
});

describe('one address space of durable and other machines', () => {
  it('answers by ref, whichever the machine is', async () => {
    const group = await orchestrator();
    for (const durable of [true, false]) {
      const id = `b-${String(durable)}`;
      const spawned = await group.spawn(book, { id, durable });
      await spawned.send({ type: 'NOTE', entry: 1 });
      const ref = group.ref(book, id);
      expect(ref.trySend({ type: 'NOTE', entry: 2 } as never)).toBe(true);
      const { changed, reply, snapshot } = await ref.request({ type: 'READ' } as never);
      expect({ changed, reply, entries: (snapshot.context as unknown as Data).entries }).toEqual({
        changed: true,
        reply: 2,
        entries: [1, 2],
      });
      expect((await ref.request({ type: 'NOBODY_ANSWERS' } as never)).changed).toBe(false);
      expect((await group.locate(id))?.id).toBe(id);
      expect(ref.machine).toBe(book);
      await expect(ref.request({ type: 'FAIL' } as never)).rejects.toMatchObject({ code: 'STEP_FAILED' });
      const closed = ref.waitFor('closed');
      await ref.send({ type: 'CLOSE' } as never);
      expect((await closed).status).toBe('done');
      await expect(ref.send({ type: 'READ' } as never)).rejects.toMatchObject({ code: 'MACHINE_STOPPED' });
      expect(await group.locate(id)).toBeUndefined();
    }
  });

  it('is forgotten by stop, and its id is free', async () => {
    const group = await orchestrator();
    const ref = await group.spawn(book, { id: 'b', durable: true });
    await ref.send({ type: 'NOTE', entry: 1 });
    await ref.stop();
    expect(await group.locate('b')).toBeUndefined();
    await expect(ref.send({ type: 'READ' })).rejects.toBeInstanceOf(UnknownMachineError);
    await ref.stop();
    await group.spawn(book, { id: 'b', durable: true });
    expect(await entriesIn(group, 'b')).toEqual([]);
  });

  it('carries what machines send and ask, in all four directions', async () => {
    const group = await orchestrator();
    for (const durable of [true, false]) {
      await group.spawn(book, { id: `to-${String(durable)}`, durable });
      await group.spawn(book, { id: `from-${String(durable)}`, durable });
    }
    for (const from of ['from-true', 'from-false']) {
      for (const to of ['to-true', 'to-false']) {
        await group.ref(from).request({ type: 'PASS_ON', to, entry: from });
        const { reply } = await group.ref(from).request({ type: 'ASK', to });
        expect({ from, to, reply }).toEqual({ from, to, reply: from === 'from-true' ? 1 : 2 });
      }
    }
  });

  it('finds the target of a sendTo of a definition', async () => {
    for (const [durable, other] of [
      [true, false],
      [false, true],
      [true, true],
    ] as const) {
      store = memoryStore();
      const group = await orchestrator();
      await group.spawn(book, { id: 'other', durable: other });
      await group.spawn(book, { id: 'b', durable });
      await group.ref('b').request({ type: 'FORWARD' });
      expect((await group.ref('other').request({ type: 'READ' })).reply).toBe(1);
      await group.release();
    }
  });

  it('goes on after a new start, also with timers, when its definition is registered again', async () => {
    const first = await orchestrator();
    await first.spawn(book, { id: 'b', durable: true });
    await first.ref('b').send({ type: 'NOTE', entry: 1 });
    await first.release();
    await clock.advance(59_999);
    const second = await orchestrator();
    expect(await entriesIn(second, 'b')).toEqual([1]);
    const there = second.ref('b').waitFor('late');
    await clock.advance(1);
    await there;
    expect(late).toEqual(['b']);
  });

  it('does not know one that is nowhere', async () => {
    const group = await orchestrator();
    await expect(group.ref('nobody').send({ type: 'READ' })).rejects.toBeInstanceOf(UnknownMachineError);
    await expect(group.ref('nobody').currentSnapshot()).rejects.toBeInstanceOf(UnknownMachineError);
    expect(await group.locate('nobody')).toBeUndefined();
  });

  it('reaches durable machines of another group by address, where that allows it', async () => {
    const books = await orchestrator({ reachableFrom: ['readers'] });
    const readers = await orchestrator({ name: 'readers' });
    await books.spawn(book, { id: 'b', durable: true });
    await readers.spawn(book, { id: 'r', durable: true });
    await readers.ref({ group: 'books', machine: 'b' }).send({ type: 'NOTE', entry: 1 });
    expect(await entriesIn(books, 'b')).toEqual([1]);
    expect(() => books.ref({ group: 'readers', machine: 'r' })).toThrow(GroupUnreachableError);
  });

  it('handles one event of a messageId', async () => {
    const group = await orchestrator();
    const ref = await group.spawn(book, { id: 'b', durable: true });
    await ref.send({ type: 'NOTE', entry: 1 }, { messageId: 'm' });
    await ref.send({ type: 'NOTE', entry: 1 }, { messageId: 'm' });
    const again = await ref.request({ type: 'NOTE', entry: 1 }, { messageId: 'm' });
    expect(again).toMatchObject({ changed: false, duplicate: true });
    expect(await entriesIn(group, 'b')).toEqual([1]);
  });

  it('refuses the verbs that a durable action has no commit for, and a request to itself', async () => {
    const warnings: string[] = [];
    const logger = {
      debug() {},
      info() {},
      warn: (line: string, about?: object) => void warnings.push(`${line} ${JSON.stringify(about)}`),
      error() {},
    };
    const group = await orchestrator({ logger, durable: { maxEffectAttempts: 1 } });
    const ref = await group.spawn(book, { id: 'b', durable: true });
    await ref.request({ type: 'LATER' });
    expect(warnings.join()).toContain(new DurableVerbError('sendAfter', 'b').message);
    await ref.request({ type: 'ASK', to: 'b' });
    expect(warnings.join()).toContain(new RequestCycleError(['b', 'b']).message);
  });

  it('tells of durable machines as of others', async () => {
    const group = await orchestrator();
    const told: string[] = [];
    group.subscribe((record) => void told.push(record.type), { only: ['spawned', 'transition', 'stopped'] });
    const ref = await group.spawn(book, { id: 'b', durable: true });
    await ref.request({ type: 'NOTE', entry: 1 });
    await ref.request({ type: 'CLOSE' });
    expect(told).toEqual(['spawned', 'transition', 'transition', 'stopped']);
    expect(group.stats().processed).toBe(3);
  });
});
