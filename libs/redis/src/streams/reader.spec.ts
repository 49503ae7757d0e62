import { EventEmitter } from 'node:events';
import { silentLogger } from '@nestjs-orchestrator/core/ports';
import { describe, expect, it } from 'vitest';
import { StoreUnavailableError } from '@nestjs-orchestrator/core';
import type { Connection } from '../connection/connection.js';
import { Reader, type Source } from './reader.js';

/** A reader that never gets a connection to read by, and a server that has these last ids. */
function readerOf(lastIds: readonly unknown[]) {
  const asked: string[] = [];
  const connection = {
    isCluster: false,
    another: () => {
      throw new Error('away');
    },
    pause: () => new Promise<void>(() => undefined),
    runAll: async (calls: readonly { readonly keys: readonly string[] }[]) => {
      asked.push(...calls.flatMap(({ keys }) => keys));
      return calls.map((_, n) => lastIds[n]);
    },
  };
  return { asked, reader: new Reader(connection as unknown as Connection, silentLogger) };
}

function sourceOf(cursor: string, expires = false): Source {
  const key = `{tag}:${cursor}`;
  return {
    key,
    expiresWith: expires ? `${key}:frames` : undefined,
    cursor,
    wants: () => true,
    take: () => undefined,
  };
}

describe('sources that the server has fallen behind of', () => {
  it.each([
    ['the stream ends before the cursor', '7-4', false, true],
    ['the stream ends before the cursor, and would expire', '7-4', true, true],
    ['there is no stream', '', false, true],
    ['the stream ends at the cursor', '7-5', false, false],
    ['the stream goes on behind the cursor', '10-0', false, false],
    ['the server can’t say', new Error('no'), false, false],
  ])('are told: %s', async (_what, lastId, expires, isTold) => {
    const { reader } = readerOf([lastId]);
    const source = sourceOf('7-5', expires);
    reader.add(source);
    expect(await reader.overtaken()).toEqual([]);
    expect(await reader.overtaken()).toEqual(isTold ? [source] : []);
    expect(source.cursor).toBe('7-5');
  });

  it('are read from the beginning where the stream has expired', async () => {
    const { reader } = readerOf(['']);
    const source = sourceOf('7-5', true);
    reader.add(source);
    await reader.overtaken();
    expect(await reader.overtaken()).toEqual([]);
    expect(source.cursor).toBe('0-0');
  });

  it('are kept, with what expires with them', async () => {
    const { reader, asked } = readerOf(['7-5', '8-0']);
    const [inbox, partition] = [sourceOf('7-5', true), sourceOf('8-0')];
    for (const source of [inbox, partition]) reader.add(source);
    for (let look = 0; look < 2; look += 1) await reader.overtaken();
    expect(asked).toEqual([inbox.key, inbox.expiresWith, partition.key]);
  });

  it('are asked for only where nothing was read since the last look', async () => {
    const { reader, asked } = readerOf(['9-0']);
    const [moving, idle, fresh] = [sourceOf('7-5'), sourceOf('8-0'), sourceOf('0-0')];
    for (const source of [moving, idle, fresh]) reader.add(source);
    await reader.overtaken();
    moving.cursor = '7-6';
    await reader.overtaken();
    expect(asked).toEqual([idle.key]);
    await reader.overtaken();
    expect(asked).toEqual([idle.key, moving.key, idle.key]);
  });
});

/** What is ready to go on has gone on, so many steps of it. */
async function steps(count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await Promise.resolve();
}

describe('a reader that has nothing to read', () => {
  /** Its client connects at once, and is told its id when the test says so; the server is given up when the test says so. */
  function idleReader() {
    const asked: ((id: number) => void)[] = [];
    const late: ((error: Error) => void)[] = [];
    let closed = 0;
    const another = (): unknown =>
      Object.assign(new EventEmitter(), {
        connect: () => Promise.resolve(),
        client: () => new Promise<number>((resolve) => asked.push(resolve)),
        disconnect: () => void (closed += 1),
      });
    const limited = async <T>(answer: Promise<T>): Promise<T> =>
      Promise.race([answer, new Promise<never>((_, reject) => late.push(reject))]);
    const connection = { isCluster: false, timeoutMs: 1, another, limited, pause: () => Promise.resolve() };
    const reader = new Reader(connection as unknown as Connection, silentLogger);
    reader.add({ ...sourceOf('7-5'), wants: () => false });
    return { reader, asked, late, closed: () => closed };
  }

  it.each(Array.from({ length: 16 }, (_, n) => n))(
    'closes, also %i steps after its client has learned its id',
    async (after) => {
      const { reader, asked, closed } = idleReader();
      await steps(20);
      asked[0]?.(7);
      if (after > 0) await steps(after);
      let isClosed = false;
      void reader.close().then(() => (isClosed = true));
      await steps(50);
      expect({ isClosed, asked: asked.length }).toEqual({ isClosed: true, asked: 1 });
      expect(closed()).toBeGreaterThan(0);
    },
  );

  it('makes its connection anew where it is not told its id in time', async () => {
    const { reader, asked, late, closed } = idleReader();
    await steps(20);
    expect(asked).toHaveLength(1);
    late.at(-1)?.(new StoreUnavailableError('Redis did not answer.'));
    await steps(50);
    expect({ asked: asked.length, closed: closed() }).toEqual({ asked: 2, closed: 1 });
    const closing = reader.close();
    asked[1]?.(8);
    await closing;
  });
});

it('a source in a hurry does not hear that nothing is left from an answer that was on its way before', async () => {
  const reads: { readonly waits: boolean; readonly answer: (reply: unknown) => void }[] = [];
  const another = (): unknown =>
    Object.assign(new EventEmitter(), {
      connect: () => Promise.resolve(),
      client: () => Promise.resolve(7),
      callBuffer: (...args: readonly unknown[]) =>
        new Promise((answer) => reads.push({ waits: args.includes('BLOCK'), answer })),
      disconnect: () => undefined,
    });
  const connection = {
    isCluster: false,
    timeoutMs: 1,
    another,
    limited: <T>(answer: Promise<T>) => answer,
    command: async () => 1,
    pause: () => Promise.resolve(),
  };
  const reader = new Reader(connection as unknown as Connection, silentLogger);
  const taken: number[] = [];
  const source = {
    ...sourceOf('7-5'),
    hurried: false,
    take: (entries: readonly unknown[]) => void taken.push(entries.length),
  };
  const answered = async (reply: unknown): Promise<void> => {
    await steps(20);
    reads.at(-1)?.answer(reply);
    await steps(20);
  };
  reader.add(source);
  await steps(20);
  source.hurried = true;
  reader.interrupt(source);
  await answered(null);
  expect(taken).toEqual([]);
  await answered([[Buffer.from(source.key), [[Buffer.from('8-0'), []]]]]);
  await answered(null);
  expect(taken).toEqual([1, 0]);
  expect(reads.slice(0, 3).map(({ waits }) => waits)).toEqual([true, false, false]);
  const closing = reader.close();
  reads.at(-1)?.answer(null);
  await closing;
});
