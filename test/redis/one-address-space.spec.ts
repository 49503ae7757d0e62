import {
  assign,
  type ChannelGroup,
  createOrchestrator,
  defineMachine,
  DuplicateIdError,
  GroupUnreachableError,
  type OrchestratedContext,
  type OrchestratorOptions,
  UnknownMachineError,
} from '@nestjs-orchestrator/core';
import { type FrameLetter, silentLogger, systemClock } from '@nestjs-orchestrator/core/ports';
import { redisStore, redisStreams } from '@nestjs-orchestrator/redis';
import { nextRecord, rejection } from '../orchestrator/support.js';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { redisNamespace, type RedisNamespace } from '../support/redis.js';
import { clientOf } from './streams-support.js';

interface Data {
  readonly entries: readonly unknown[];
}

const book = defineMachine({
  id: 'book',
  initial: 'open',
  context: { entries: [] },
  states: {
    open: {
      on: {
        NOTE: {
          actions: assign({
            entries: ({ context, event }) => [
              ...(context as unknown as Data).entries,
              (event as { readonly entry?: unknown }).entry,
            ],
          }),
        },
        READ: { actions: 'read' },
        PASS_ON: { actions: 'passOn' },
        ASK: { actions: 'ask' },
        CLOSE: 'closed',
      },
    },
    closed: { type: 'final' },
  },
});

type Context = OrchestratedContext<typeof book>;
const eventOf = (ctx: Context): { readonly to: string; readonly entry: unknown } => ctx.event as never;
const actions = {
  read: (ctx: Context) => ctx.reply((ctx.data as unknown as Data).entries.length),
  passOn: (ctx: Context) => ctx.send(eventOf(ctx).to, { type: 'NOTE', entry: eventOf(ctx).entry }),
  ask: async (ctx: Context) => ctx.reply((await ctx.request(eventOf(ctx).to, { type: 'READ' })).reply),
};

let place: RedisNamespace;

beforeEach(() => {
  place = redisNamespace();
});

async function orchestrator(endpoint: string, options: OrchestratorOptions = {}): Promise<ChannelGroup> {
  const { url, prefix } = place;
  const redis = clientOf(url);
  const store = redisStore(redis, { prefix });
  await store.start();
  const group = await createOrchestrator({
    type: 'distributed',
    transports: { distributed: redisStreams(redis, { prefix, partitions: 4 }) },
    store,
    name: 'books',
    endpoint,
    ...options,
  });
  onTestFinished(async () => {
    await group.release();
    await store.close();
  });
  group.register(book, { actions });
  return group;
}

async function entriesIn(group: ChannelGroup, id: string): Promise<unknown> {
  const { snapshot } = await group.ref(book, id).request({ type: 'READ' } as never);
  return (snapshot.context as unknown as Data).entries;
}

describe('durable and other machines of a distributed orchestrator', () => {
  it('reach each other by id from every process, in all directions', async () => {
    const [one, two] = [await orchestrator('one'), await orchestrator('two')];
    await one.spawn(book, { id: 'kept', durable: true });
    await one.spawn(book, { id: 'other', durable: true });
    await two.spawn(book, { id: 'plain' });
    await one.spawn(book, { id: 'here' });
    const ways = ['kept', 'plain', 'here'].flatMap((from) =>
      ['kept', 'other', 'plain', 'here'].filter((to) => to !== from).map((to) => ({ from, to })),
    );
    for (const { from, to } of ways) {
      const before = (await one.ref(to).request({ type: 'READ' })).reply as number;
      await two.ref(from).request({ type: 'PASS_ON', to, entry: `${from} to ${to}` });
      // A durable machine's sends are not waited for by its answer.
      for (const group of [one, two]) {
        const ref = group.ref(book, to);
        let entries: unknown;
        do entries = await entriesIn(group, ref.id);
        while ((entries as unknown[]).length === before);
        expect(entries).toContain(`${from} to ${to}`);
      }
      const { reply } = await one.ref(from).request({ type: 'ASK', to });
      expect({ from, to, reply }).toEqual({ from, to, reply: before + 1 });
    }
  });

  it('keep the order of a sender, and show their state and their end', async () => {
    const [one, two] = [await orchestrator('one'), await orchestrator('two')];
    await one.spawn(book, { id: 'kept', durable: true });
    const ref = two.ref(book, 'kept');
    const entries = Array.from({ length: 100 }, (_, entry) => entry);
    await Promise.all(entries.map((entry) => ref.send({ type: 'NOTE', entry } as never)));
    expect(await entriesIn(one, 'kept')).toEqual(entries);
    expect(((await ref.currentSnapshot()).context as unknown as Data).entries).toEqual(entries);
    const closed = ref.waitFor('closed');
    await one.ref('kept').send({ type: 'CLOSE' });
    expect((await closed).status).toBe('done');
    await expect(two.ref('kept').request({ type: 'READ' })).rejects.toMatchObject({
      code: 'MACHINE_STOPPED',
    });
  });

  it('have ids of one kind or the other, whoever asks', async () => {
    const [one, two] = [await orchestrator('one'), await orchestrator('two')];
    await one.spawn(book, { id: 'kept', durable: true });
    await two.spawn(book, { id: 'plain' });
    for (const group of [one, two]) {
      for (const [id, durable] of [
        ['kept', true],
        ['kept', false],
        ['plain', true],
      ] as const)
        await expect(group.spawn(book, { id, durable })).rejects.toBeInstanceOf(DuplicateIdError);
    }
    await two.ref('kept').stop();
    expect(await one.locate('kept')).toBeUndefined();
    await expect(one.ref('kept').send({ type: 'READ' })).rejects.toBeInstanceOf(UnknownMachineError);
    await one.spawn(book, { id: 'kept' });
    expect((await two.locate('kept'))?.id).toBe('kept');
  });

  it('go on elsewhere when the process of a durable one leaves', async () => {
    const [one, two] = [await orchestrator('one'), await orchestrator('two')];
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
    for (const id of ids) await one.spawn(book, { id, durable: true });
    for (const id of ids) await two.ref(id).send({ type: 'NOTE', entry: 1 });
    await one.release();
    for (const id of ids) {
      await two.ref(id).send({ type: 'NOTE', entry: 2 });
      expect(await entriesIn(two, id)).toEqual([1, 2]);
    }
    // One partition has none of these machines, and may come last.
    while ((two.stats().durable?.partitions ?? 0) < 4) await entriesIn(two, 'a');
    expect(two.stats().durable).toEqual({ atWork: ids.length, partitions: 4, deadLetters: 0 });
  });

  it('of another group are reached by address, where that group allows it', async () => {
    const books = await orchestrator('one', { reachableFrom: ['readers'] });
    const readers = await orchestrator('two', { name: 'readers' });
    await books.spawn(book, { id: 'kept', durable: true });
    await readers.spawn(book, { id: 'kept', durable: true });
    const address = { group: 'books', machine: 'kept' };
    await readers.ref(address).send({ type: 'NOTE', entry: 'from a reader' });
    await readers.ref('kept').send({ type: 'NOTE', entry: 'own' });
    expect(await entriesIn(books, 'kept')).toEqual(['from a reader']);
    expect(await entriesIn(readers, 'kept')).toEqual(['own']);
    const refused = (async () =>
      books.ref({ group: 'readers', machine: 'kept' }).request({ type: 'READ' }))();
    await expect(refused).rejects.toBeInstanceOf(GroupUnreachableError);
  });
});

describe('an event that a durable machine will never handle', () => {
  /** What its cluster keeps of frames that were given up. */
  async function letters(): Promise<readonly FrameLetter[]> {
    const seat = await redisStreams(clientOf(place.url), { prefix: place.prefix, partitions: 4 }).join(
      { cluster: 'default/books', endpoint: 'operator', clock: systemClock, logger: silentLogger },
      { onFrame: () => undefined, onPeer: () => undefined },
    );
    onTestFinished(() => seat.leave());
    return seat.letters();
  }

  it.each([
    ['was stopped', async (group: ChannelGroup) => group.ref('gone').stop(), 'UNKNOWN_MACHINE'],
    [
      'has ended',
      async (group: ChannelGroup) => void (await group.ref(book, 'gone').request({ type: 'CLOSE' } as never)),
      'MACHINE_STOPPED',
    ],
  ])('since it %s, is a dead letter and a record; who asks is told', async (_why, end, code) => {
    const [one, two] = [await orchestrator('one'), await orchestrator('two')];
    await one.spawn(book, { id: 'gone', durable: true });
    // It knows where the machine is, and does not look again.
    const ref = two.ref(book, 'gone');
    await ref.request({ type: 'READ' } as never);
    await end(one);
    const heard = Promise.race([one, two].map((group) => nextRecord(group, 'undelivered')));
    const event = { type: 'NOTE', entry: 'late' };
    await ref.send(event as never);
    expect(await heard).toMatchObject({ to: 'books/gone', event, error: { code } });
    expect(one.stats().failed + two.stats().failed).toBe(1);
    expect(await rejection(ref.request({ type: 'READ' } as never))).toMatchObject({
      code: expect.stringMatching(/^(UNKNOWN_MACHINE|MACHINE_STOPPED)$/) as string,
    });
    await one.release();
    await two.release();
    expect(await letters()).toMatchObject([
      { name: 'books/gone', reason: expect.stringContaining('gone') as string, attempts: 1 },
    ]);
  });
});
