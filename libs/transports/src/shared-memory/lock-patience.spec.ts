import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ClusterFiles } from './system/cluster-files.js';
import type { Posix } from './system/posix.js';
import type { Segment } from './segment/segment.js';
import { ThreadGround } from './threads/thread-ground.js';

afterEach(() => void vi.restoreAllMocks());

/** A machine that stands still for ten seconds whenever somebody looks at the clock. */
function standingStill(): void {
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => (now += 10_000));
}

interface Held {
  readonly exclusively: (task: () => string) => Promise<string>;
}

/** A lock of processes that is held for so many looks. */
function ofProcesses(looks: number): Held {
  let left = looks;
  const posix = { tryLock: () => (left -= 1) < 0, unlock: () => undefined } as unknown as Posix;
  const folder = mkdtempSync(join(tmpdir(), 'orch-lock-'));
  const files = new ClusterFiles(posix, folder);
  onTestFinished(() => {
    files.close();
    rmSync(folder, { recursive: true });
  });
  return files;
}

/** The same of threads. */
function ofThreads(looks: number): Held {
  let left = looks;
  const lock = new Int32Array(new SharedArrayBuffer(4));
  lock[0] = 1;
  const { compareExchange } = Atomics;
  const seen = (...all: Parameters<typeof compareExchange>): unknown => {
    left -= 1;
    if (left < 0) Atomics.store(lock, 0, 0);
    return Reflect.apply(compareExchange, Atomics, all);
  };
  vi.spyOn(Atomics, 'compareExchange').mockImplementation(seen as never);
  const bells = new Int32Array(new SharedArrayBuffer(4));
  return new ThreadGround({ lock, bells }, {} as Segment);
}

describe.each([
  ['processes', ofProcesses],
  ['threads', ofThreads],
])('a lock of %s', (_, held) => {
  it('is waited for where the whole machine stood still while somebody held it', async () => {
    standingStill();
    await expect(held(3).exclusively(() => 'done')).resolves.toBe('done');
  });

  it('is given up where it does not come free, however often one looks', async () => {
    standingStill();
    const refused = { code: 'TRANSPORT_UNAVAILABLE' };
    await expect(held(Infinity).exclusively(() => 'done')).rejects.toMatchObject(refused);
  });
});
