import {
  assign,
  type ChannelGroup,
  createOrchestrator,
  DeadLetterNameError,
  DeadLettersUnavailableError,
  defineMachine,
  type DurableLetter,
  durableMachines,
  GroupReleasedError,
  type OrchestratedContext,
  type OrchestratorOptions,
  OrchestratorOptionError,
  TransportUnavailableError,
} from '@nestjs-orchestrator/core';
import { memoryStore } from '@nestjs-orchestrator/core/memory';
import { type Logger, silentLogger, systemClock } from '@nestjs-orchestrator/core/ports';
import { redisStore, redisStreams } from '@nestjs-orchestrator/redis';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { nextRecord, rejection } from '../orchestrator/support.js';
import { redisFolder, redisNamespace, type RedisNamespace } from '../support/redis.js';
import { startRedisServer } from '../support/redis-server.js';
import { clientOf } from './streams-support.js';

interface Data {
  readonly entries: readonly unknown[];
}

const entryOf = (event: unknown): unknown => (event as { readonly entry?: unknown }).entry;

/** Takes no notes while it is locked. */
const book = defineMachine({
  id: 'book',
  initial: 'locked',
  context: { entries: [] },
  on: { READ: { actions: 'read' } },
  states: {
    locked: {
      on: {
        NOTE: {
          actions: assign(() => {
            throw new Error('It is locked.');
          }),
        },
        UNLOCK: 'open',
      },
    },
    open: {
      on: {
        NOTE: {
          actions: assign({
            entries: ({ context, event }) => [...(context as unknown as Data).entries, entryOf(event)],
          }),
        },
      },
    },
  },
});

const actions = {
  read: (ctx: OrchestratedContext<typeof book>) => ctx.reply((ctx.data as unknown as Data).entries),
};
const ada = { by: 'ada' };
const PARTITIONS = 4;

let place: RedisNamespace;
beforeEach(() => {
  place = redisNamespace();
});

/** A process of the cluster, that begins with these machines. */
async function orchestrator(
  endpoint: string,
  options: OrchestratorOptions = {},
  machines: readonly string[] = [],
): Promise<ChannelGroup> {
  const { url, prefix } = place;
  const redis = clientOf(url);
  const store = redisStore(redis, { prefix });
  await store.start();
  const transport = redisStreams(redis, { prefix, partitions: PARTITIONS, maxAttempts: 2, retryMs: 1 });
  const group = await createOrchestrator({
    type: 'distributed',
    transports: { distributed: transport },
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
  for (const id of machines) await group.spawn(book, { id, durable: true });
  return group;
}

const unlock = (group: ChannelGroup, id: string): Promise<unknown> =>
  group.ref(book, id).request({ type: 'UNLOCK' } as never);

/** Sends what fails; settles when it is a dead letter. */
async function loses(group: ChannelGroup, id: string, entry: unknown, messageId?: string): Promise<void> {
  const lost = nextRecord(group, 'undelivered');
  await group
    .ref(book, id)
    .send({ type: 'NOTE', entry } as never, messageId === undefined ? {} : { messageId });
  await lost;
}

async function lettersOf(
  group: Pick<ChannelGroup, 'deadLetters'>,
  options?: Parameters<ChannelGroup['deadLetters']>[0],
): Promise<DurableLetter[]> {
  const found: DurableLetter[] = [];
  for await (const letter of group.deadLetters(options)) found.push(letter);
  return found;
}

const entriesIn = async (group: ChannelGroup, id: string): Promise<unknown> =>
  (await group.ref(book, id).request({ type: 'READ' } as never)).reply;

const only = <T>(list: readonly T[]): T => {
  expect(list).toHaveLength(1);
  return list[0] as T;
};

describe('dead letters of durable machines', () => {
  it('are listed oldest first, with what they say and why they were given up', async () => {
    const one = await orchestrator('one', {}, ['a', 'b']);
    await loses(one, 'a', { page: 1 }, 'first');
    await loses(one, 'b', 'x');
    await loses(one, 'a', 2);
    const found = await lettersOf(one);
    expect(found).toHaveLength(3);
    expect(found.map(({ at }) => at)).toEqual(found.map(({ at }) => at).toSorted((x, y) => x - y));
    const ofA = found.filter(({ machine }) => machine === 'a');
    expect(ofA).toMatchObject([
      {
        kind: 'event',
        event: { type: 'NOTE', entry: { page: 1 } },
        messageId: 'first',
        reason: expect.stringContaining('It is locked.') as string,
        attempts: 1,
      },
      { event: { type: 'NOTE', entry: 2 } },
    ]);
    expect(await lettersOf(one, { machine: 'a' })).toEqual(ofA);
    expect(await lettersOf(one, { machine: 'a', limit: 1 })).toEqual(ofA.slice(0, 1));
    expect(await lettersOf(one, { limit: 2 })).toEqual(found.slice(0, 2));
    expect(await lettersOf(one, { machine: 'nobody' })).toEqual([]);
    expect(one.stats().durable).toMatchObject({ deadLetters: 3 });
  });

  it('are listed all, also where they are many pages', async () => {
    const one = await orchestrator('one', {}, ['m0', 'm1', 'm2']);
    const names = Array.from({ length: 90 }, (_, n) => `m${n % 3}`);
    for (const [n, name] of names.entries()) await loses(one, name, n);
    const found = await lettersOf(one);
    expect(found.map(({ at }) => at)).toEqual(found.map(({ at }) => at).toSorted((x, y) => x - y));
    for (const [n, name] of names.slice(0, 3).entries()) {
      const entries = found.filter(({ machine }) => machine === name).map(({ event }) => entryOf(event));
      expect(entries).toEqual(Array.from({ length: 30 }, (_, turn) => turn * 3 + n));
    }
    expect(await lettersOf(await orchestrator('two'))).toEqual(found);
  });

  it('are replayed behind what waits for their machine, in order', async () => {
    const one = await orchestrator('one', {}, ['b']);
    for (const entry of ['late', 'later']) await loses(one, 'b', entry);
    const two = await orchestrator('two');
    await unlock(two, 'b');
    for (const entry of [1, 2, 3]) await one.ref(book, 'b').send({ type: 'NOTE', entry } as never);
    for (const letter of await lettersOf(two)) expect(await two.replayLetter(letter, ada)).toBe(true);
    expect(await entriesIn(one, 'b')).toEqual([1, 2, 3, 'late', 'later']);
    expect(await lettersOf(one)).toEqual([]);
  });

  it('are replayed once by all who do so at the same time', async () => {
    const one = await orchestrator('one', {}, ['b']);
    await loses(one, 'b', 'x');
    const two = await orchestrator('two');
    await unlock(one, 'b');
    const letter = only(await lettersOf(one));
    const tries = Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? one : two).replayLetter(letter, ada));
    expect((await Promise.all(tries)).filter(Boolean)).toHaveLength(1);
    expect(await two.discardLetter(letter, { ...ada, reason: 'too late' })).toBe(false);
    expect(await entriesIn(one, 'b')).toEqual(['x']);
  });

  it('are handled once, though what they say was handled meanwhile', async () => {
    const one = await orchestrator('one', {}, ['b']);
    await loses(one, 'b', 'x', 'the-id');
    await unlock(one, 'b');
    await one.ref(book, 'b').send({ type: 'NOTE', entry: 'x' } as never, { messageId: 'the-id' });
    expect(await one.replayLetter(only(await lettersOf(one)), ada)).toBe(true);
    expect(await entriesIn(one, 'b')).toEqual(['x']);
    expect(await lettersOf(one)).toEqual([]);
  });

  it('come again where they fail again, as new ones', async () => {
    const one = await orchestrator('one', {}, ['b']);
    await loses(one, 'b', 'x');
    const letter = only(await lettersOf(one));
    const again = nextRecord(one, 'undelivered');
    await one.replayLetter({ letter: letter.letter }, ada);
    await again;
    const next = only(await lettersOf(one));
    expect(next).toMatchObject({ machine: 'b', event: letter.event, messageId: letter.messageId });
    expect(next.letter).not.toBe(letter.letter);
    expect(await one.replayLetter(letter, ada)).toBe(false);
    expect(one.stats().durable?.deadLetters).toBe(2);
  });

  it('are discarded for good, with a line of the log that says who and why', async () => {
    const lines: unknown[] = [];
    const logger: Logger = { ...silentLogger, info: (...line) => void lines.push(line) };
    const one = await orchestrator('one', { logger }, ['b']);
    await loses(one, 'b', 'x');
    const letter = only(await lettersOf(one));
    lines.length = 0;
    expect(await one.discardLetter(letter, { by: 'ada', reason: 'obsolete' })).toBe(true);
    expect(lines).toEqual([
      [
        "A dead letter of group 'books' was discarded",
        { letter: letter.letter, by: 'ada', reason: 'obsolete' },
      ],
    ]);
    expect(await one.discardLetter(letter, { by: 'ada', reason: 'obsolete' })).toBe(false);
    expect(await one.replayLetter(letter, ada)).toBe(false);
    expect(lines).toHaveLength(1);
    await unlock(one, 'b');
    expect(await entriesIn(one, 'b')).toEqual([]);
    expect(await lettersOf(one)).toEqual([]);
  });

  it('belong to one group: another one sees and settles none of them', async () => {
    const books = await orchestrator('one', {}, ['b']);
    const shelves = await orchestrator('two', { name: 'shelves' }, ['b']);
    await loses(books, 'b', 'x');
    const letter = only(await lettersOf(books));
    expect(await lettersOf(shelves)).toEqual([]);
    expect(await shelves.replayLetter(letter, ada)).toBe(false);
    expect(await shelves.discardLetter(letter, { by: 'ada', reason: 'mine' })).toBe(false);
    expect(await lettersOf(books)).toEqual([letter]);
  });

  it('that nobody can read are listed as they are, and touch no prototype', async () => {
    const one = await orchestrator('one');
    const redis = clientOf(place.url);
    const transport = redisStreams(redis, { prefix: place.prefix, partitions: PARTITIONS });
    const seat = await transport.join(
      { cluster: 'default/books', endpoint: 'stranger', clock: systemClock, logger: silentLogger },
      { onFrame: () => undefined, onPeer: () => undefined },
    );
    onTestFinished(() => seat.leave());
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
    await seat.publish('books/odd', bytes('soup'));
    const lost = nextRecord(one, 'undelivered');
    const evil = { form: 1, kind: 'event', machine: 'odd', messageId: '1', event: { type: 'GO' } };
    await seat.publish(
      'books/odd',
      bytes(JSON.stringify(evil).replace('"GO"', '"GO","__proto__":{"bad":1}')),
    );
    await lost;
    const [odd, event, ...others] = await lettersOf(one);
    expect(others).toEqual([]);
    expect(odd).toMatchObject({ kind: 'unreadable', machine: 'odd', attempts: 2 });
    expect(new TextDecoder().decode(odd?.bytes)).toBe('soup');
    expect(event).toMatchObject({ kind: 'event', machine: 'odd', event: { type: 'GO' } });
    expect(event?.event).not.toHaveProperty('bad');
  });
});

describe('what can not be done about dead letters is refused', () => {
  it.each(['1:5', '1:5-0', '1:+', '1:-', '1:(5-0', `${PARTITIONS - 1}:99999999999999999999-1`])(
    'the letter %j, since there is none: `false`',
    async (letter) => {
      const one = await orchestrator('one', {}, ['b']);
      await loses(one, 'b', 'x');
      expect(await one.replayLetter({ letter }, ada)).toBe(false);
      expect(await lettersOf(one)).toHaveLength(1);
    },
  );

  it.each([
    [{ letter: `${PARTITIONS}:5-0` }, DeadLetterNameError],
    [{ letter: '-1:5-0' }, DeadLetterNameError],
    [{ letter: '5-0' }, DeadLetterNameError],
    [{ letter: '' }, DeadLetterNameError],
    [{ letter: `1:${'5'.repeat(200)}` }, DeadLetterNameError],
    [{ letter: undefined }, OrchestratorOptionError],
    [{ partition: 1 }, OrchestratorOptionError],
    [undefined, OrchestratorOptionError],
  ])('what can be no letter: %j', async (letter, type) => {
    const one = await orchestrator('one');
    expect(await rejection(one.replayLetter(letter as never, ada))).toBeInstanceOf(type);
  });

  it('the number of a letter without its whole name, though there is one', async () => {
    const one = await orchestrator('one', {}, ['b']);
    await loses(one, 'b', 'x');
    const { letter } = only(await lettersOf(one));
    expect(await one.replayLetter({ letter: letter.slice(0, letter.lastIndexOf('-')) }, ada)).toBe(false);
    expect(await lettersOf(one)).toHaveLength(1);
  });

  it.each([
    [{ by: '' }, 'by'],
    [{ by: 7 }, 'by'],
    [{ by: 'x'.repeat(513) }, 'by'],
    [undefined, 'by'],
    [{ by: 'ada', reason: 7 }, 'reason'],
    [{ by: 'ada', reason: 'x'.repeat(4_001) }, 'reason'],
    [{ by: 'ada', reason: ' ' }, 'reason'],
    [{ by: 'ada' }, 'reason'],
  ])('an audit such as %j', async (audit, option) => {
    const one = await orchestrator('one');
    const error = await rejection(one.discardLetter({ letter: '1:5-0' }, audit as never));
    expect(error).toBeInstanceOf(OrchestratorOptionError);
    expect(error).toMatchObject({ option });
  });

  it.each([{ limit: 0 }, { limit: 1.5 }, { limit: '1' }, { machine: '' }, { machine: 7 }])(
    'the listing of %j',
    async (options) => {
      const one = await orchestrator('one');
      expect(await rejection(lettersOf(one, options as never))).toBeInstanceOf(OrchestratorOptionError);
    },
  );

  it('a group without durable machines, without a transport, or that was released', async () => {
    const released = await orchestrator('one');
    await released.release();
    const store = memoryStore();
    await store.start();
    const none = await createOrchestrator({ name: 'none' });
    const inProcess = await createOrchestrator({ name: 'alone', store });
    const machines = durableMachines({ store });
    onTestFinished(async () => {
      await none.release();
      await inProcess.release();
      await machines.close();
    });
    const groups = [
      [released, GroupReleasedError, undefined],
      [none, DeadLettersUnavailableError, 'no-store'],
      [inProcess, DeadLettersUnavailableError, 'no-transport'],
      [machines, DeadLettersUnavailableError, 'no-transport'],
    ] as const;
    for (const [group, type, reason] of groups) {
      const errors = [
        await rejection(lettersOf(group)),
        await rejection(group.replayLetter({ letter: '1:5-0' }, ada)),
        await rejection(group.discardLetter({ letter: '1:5-0' }, { by: 'ada', reason: 'x' })),
      ];
      for (const error of errors) {
        expect(error).toBeInstanceOf(type);
        expect((error as { reason?: unknown }).reason).toBe(reason);
      }
    }
    await machines.close();
    expect(await rejection(lettersOf(machines))).toBeInstanceOf(GroupReleasedError);
  });

  it('a server that is away', async () => {
    const server = await startRedisServer(redisFolder());
    place = { ...place, url: server.url };
    const one = await orchestrator('one', {}, ['b']);
    await loses(one, 'b', 'x');
    const letter = only(await lettersOf(one));
    await server.stop('SIGKILL');
    onTestFinished(() => server.start());
    expect(await rejection(lettersOf(one))).toBeInstanceOf(TransportUnavailableError);
    expect(await rejection(one.replayLetter(letter, ada))).toBeInstanceOf(TransportUnavailableError);
  });
});
