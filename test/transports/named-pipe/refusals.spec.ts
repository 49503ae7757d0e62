import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  EndpointTakenError,
  FrameTooLargeError,
  NameInvalidError,
  TransportUnavailableError,
} from '@nestjs-orchestrator/core';
import { namedPipe, TransportOptionError, type NamedPipeOptions } from '@nestjs-orchestrator/transports';
import { describe, expect, it } from 'vitest';
import { folderOfTest, numbered, Station } from './support.js';

const refusal = (options: NamedPipeOptions): Promise<unknown> =>
  new Station('one').join(options).catch((error: unknown) => error);

/** Every file below a folder. */
const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map(({ name }) => name);

describe('joining is refused, with what to do,', () => {
  it('where paths of sockets would be too long', async () => {
    const directory = join(folderOfTest(), 'x'.repeat(80));
    const error = await refusal({ directory });
    expect(error).toBeInstanceOf(TransportUnavailableError);
    expect(String(error)).toMatch(
      /would have 1\d\d bytes, and this system allows 10[37].*at most \d\d bytes in 'directory'/,
    );
    expect(existsSync(directory)).toBe(false);
  });

  it.each([
    ['is open to others', (path: string) => (mkdirSync(path), chmodSync(path, 0o755))],
    ['is a symbolic link', (path: string) => (mkdirSync(`${path}-`, 0o700), symlinkSync(`${path}-`, path))],
    ["can't be made", (path: string) => writeFileSync(path, '')],
  ])('where the folder %s', async (problem, spoil) => {
    const directory = join(folderOfTest(), 'd');
    spoil(directory);
    const error = await refusal({ directory });
    expect(error).toBeInstanceOf(TransportUnavailableError);
    expect(String(error)).toContain(problem);
    expect(String(error)).toContain("'directory'");
  });

  it('where a live process has the name, and nothing of the attempt is left', async () => {
    const directory = folderOfTest();
    const holder = await new Station('one').join({ directory });
    const before = filesIn(directory);
    const error = await refusal({ directory });
    expect(error).toBeInstanceOf(EndpointTakenError);
    expect((error as EndpointTakenError).pid).toBe(process.pid);
    expect(filesIn(directory).toSorted()).toEqual(before.toSorted());
    expect(holder.told).toEqual([]);
  });

  it('where the others carry frames of another size', async () => {
    const directory = folderOfTest();
    await new Station('other').join({ directory, maxFrameBytes: 10_000 });
    const before = filesIn(directory);
    const error = await refusal({ directory });
    expect(error).toBeInstanceOf(TransportUnavailableError);
    expect(String(error)).toMatch(
      /'other' \(process \d+\) has 'maxFrameBytes' 10000, and this process 4194304/,
    );
    expect(filesIn(directory).toSorted()).toEqual(before.toSorted());
  });

  it.each([
    { maxFrameBytes: 1_000 },
    { maxFrameBytes: 2 ** 28 },
    { heartbeatMs: 0 },
    { suspectAfterBeats: 1 },
    { sendBufferBytes: 1.5 },
    { leaveMs: -1 },
    { directory: '' },
    { directory: 5 as never },
  ])('for the option %o', (options) => {
    expect(() => namedPipe(options)).toThrow(TransportOptionError);
  });
});

describe('an endpoint refuses', () => {
  it('frames above its limit, and names that are none', async () => {
    const directory = folderOfTest();
    const one = await new Station('one').join({ directory, maxFrameBytes: 1_024 });
    expect(() => one.seat.trySend(one.seat.self, numbered(1, 1_025))).toThrow(FrameTooLargeError);
    for (const name of ['', 'x'.repeat(512), 'ü'.repeat(256)])
      await expect(one.seat.claim(name, '')).rejects.toBeInstanceOf(NameInvalidError);
  });

  it('nothing to itself: its own frames come in order, in another turn', async () => {
    const directory = folderOfTest();
    const one = await new Station('one').join({ directory, sendBufferBytes: 1_024 });
    const frame = numbered(0);
    const sends = Array.from({ length: 100 }, (_, number) => {
      frame.writeUInt32BE(number);
      return one.seat.send(one.seat.self, Buffer.from(frame));
    });
    expect(one.frames).toEqual([]);
    await Promise.all(sends);
    await one.until(() => one.frames.length === 100);
    expect(one.frames.map((each) => Buffer.from(each).readUInt32BE())).toEqual(
      Array.from({ length: 100 }, (_, number) => number),
    );
  });
});
