import {
  chmodSync,
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import koffi from 'koffi';
import { describe, expect, it } from 'vitest';
import { sharedMemory } from '@nestjs-orchestrator/transports';
import { HEADER_BYTES } from '../../../libs/transports/src/shared-memory/segment/layout.js';
import type { PosixSources } from '../../../libs/transports/src/shared-memory/system/posix.js';
import { clusterOfTest, Member, type TestCluster } from './member.js';

const VERSION_AT = 4;

/** Overwrites bytes of a cluster's memory behind everybody's back. */
function poke({ path }: TestCluster, at: number, bytes: Uint8Array): void {
  const fd = openSync(path, 'r+');
  writeSync(fd, bytes, 0, bytes.length, at);
  closeSync(fd);
}

/** What is left of a cluster: its memory, files and folders. */
function leftOf({ path, options }: TestCluster): string[] {
  const names = readdirSync(options.directory, { recursive: true }).map(String);
  return existsSync(path) ? [...names, 'memory'] : names;
}

/** koffi as it is, but with a `posix_fallocate` that says no from its nth call on. */
function fullAfter(calls: number): PosixSources {
  let left = calls;
  const ENOSPC = koffi.os.errno['ENOSPC'];
  const load: typeof koffi.load = (path) => {
    const library = koffi.load(path);
    const func = ((definition: string) => {
      if (!definition.includes('posix_fallocate')) return library.func(definition);
      return () => ((left -= 1) < 0 ? ENOSPC : 0);
    }) as typeof library.func;
    return { ...library, func };
  };
  return { platform: 'linux', importKoffi: async () => ({ default: { ...koffi, load } }) };
}

/** koffi as it is, but something happens before all of a segment is mapped. */
function whileMapped(happens: () => void): PosixSources {
  const load: typeof koffi.load = (path) => {
    const library = koffi.load(path);
    const func = ((definition: string) => {
      const real = library.func(definition) as (...args: unknown[]) => unknown;
      if (!definition.includes('*mmap(')) return real;
      return (at: null, length: number, ...rest: unknown[]) => {
        if (length > HEADER_BYTES) happens();
        return real(at, length, ...rest);
      };
    }) as typeof library.func;
    return { ...library, func };
  };
  return { platform: 'linux', importKoffi: async () => ({ default: { ...koffi, load } }) };
}

const unavailable = (text: RegExp) => ({
  code: 'TRANSPORT_UNAVAILABLE',
  message: expect.stringMatching(text) as string,
});

describe('shared memory refuses', () => {
  it.each([
    [{ maxEndpoints: 1 }, 'maxEndpoints'],
    [{ maxEndpoints: 129 }, 'maxEndpoints'],
    [{ maxNames: 0 }, 'maxNames'],
    [{ laneBytes: 5_000 }, 'laneBytes'],
    [{ laneBytes: 2_048 }, 'laneBytes'],
    [{ laneBytes: 67_108_864, maxEndpoints: 128 }, 'laneBytes'],
    [{ heartbeatMs: 0 }, 'heartbeatMs'],
    [{ suspectAfterBeats: 1 }, 'suspectAfterBeats'],
    [{ spinMs: -1 }, 'spinMs'],
    [{ spinMs: Number.NaN }, 'spinMs'],
    [{ answerSpinMs: 51 }, 'answerSpinMs'],
    [{ directory: '' }, 'directory'],
    [{ directory: 5 as never }, 'directory'],
  ])('options that can’t work: %j', (options, option) => {
    expect(() => sharedMemory(options)).toThrow(
      expect.objectContaining({ code: 'TRANSPORT_OPTION', option }),
    );
  });

  it.each(['', 'x'.repeat(256), 'é'.repeat(128)])(
    'a name of an endpoint that is empty or too long',
    async (name) => {
      await expect(Member.join(clusterOfTest(), name)).rejects.toMatchObject({ code: 'NAME_INVALID' });
    },
  );

  it('a name and a word about it that are too long', async () => {
    const one = await Member.join(clusterOfTest(), 'one');
    await expect(one.seat.claim('x'.repeat(512), '')).rejects.toMatchObject({ code: 'NAME_INVALID' });
    await one.seat.claim('x'.repeat(511), 'y'.repeat(736));
    await expect(one.seat.claim('z', 'y'.repeat(737))).rejects.toMatchObject(unavailable(/737 bytes/));
    expect((await one.seat.locate('x'.repeat(511)))?.about).toHaveLength(736);
  });

  it('a platform that it does not know, naming the transport that works there', async () => {
    const sources: PosixSources = { platform: 'win32', importKoffi: () => import('koffi') };
    await expect(Member.join(clusterOfTest(), 'one', { sources })).rejects.toMatchObject(
      unavailable(/win32.*'named-pipe'/),
    );
  });

  it('to work without koffi, naming the transport that does', async () => {
    const missing = new Error("Cannot find package 'koffi'");
    const sources: PosixSources = { platform: 'linux', importKoffi: () => Promise.reject(missing) };
    await expect(Member.join(clusterOfTest(), 'one', { sources })).rejects.toMatchObject({
      ...unavailable(/npm install koffi.*'named-pipe'/),
      cause: missing,
    });
  });

  it('a cluster of other options, naming them', async () => {
    const cluster = clusterOfTest();
    await Member.join(cluster, 'one');
    const other = Member.join(cluster, 'two', { options: { maxNames: 7, laneBytes: 8_192 } });
    await expect(other).rejects.toMatchObject(
      unavailable(/'maxNames' 256, not 7, 'laneBytes' 4096, not 8192/),
    );
  });

  it('a cluster whose lock lies in another folder', async () => {
    const cluster = clusterOfTest();
    await Member.join(cluster, 'one');
    const elsewhere = clusterOfTest();
    await Member.join({ ...elsewhere, name: cluster.name }, 'two').then(
      () => expect.unreachable(),
      (error: unknown) => expect(error).toMatchObject(unavailable(/another folder.*'directory'/)),
    );
    expect(existsSync(cluster.path)).toBe(true);
  });

  it('a segment of another version while its processes live', async () => {
    const cluster = clusterOfTest();
    const one = await Member.join(cluster, 'one');
    poke(cluster, VERSION_AT, new Uint8Array([9]));
    await expect(Member.join(cluster, 'two')).rejects.toMatchObject(unavailable(/version 9.*has 2/));
    // Once they are gone it is replaced.
    one.seat.abandon();
    await expect(Member.join(cluster, 'two')).resolves.toBeInstanceOf(Member);
  });

  it('a foreign file behind the name, and leaves it', async () => {
    const cluster = clusterOfTest();
    writeFileSync(cluster.path, 'precious'.repeat(1_000), { mode: 0o600 });
    await expect(Member.join(cluster, 'one')).rejects.toMatchObject(unavailable(/something else/));
    expect(readFileSync(cluster.path, 'utf8')).toMatch(/^precious/);
    expect(leftOf(cluster)).toEqual(['memory']);
  });

  it('memory that others may write', async () => {
    const cluster = clusterOfTest();
    writeFileSync(cluster.path, '');
    chmodSync(cluster.path, 0o666);
    await expect(Member.join(cluster, 'one')).rejects.toMatchObject(unavailable(/open to other users/));
  });

  it('a folder that others may enter', async () => {
    const cluster = clusterOfTest();
    chmodSync(cluster.options.directory, 0o755);
    await expect(Member.join(cluster, 'one')).rejects.toMatchObject(unavailable(/open to others/));
  });

  it('to go on where its memory was removed while its processes live', async () => {
    const cluster = clusterOfTest();
    const one = await Member.join(cluster, 'one');
    rmSync(cluster.path);
    await expect(Member.join(cluster, 'two')).rejects.toMatchObject(unavailable(/was removed/));
    await one.seat.leave();
    await expect(Member.join(cluster, 'two')).resolves.toBeInstanceOf(Member);
  });

  it('to begin where no memory is left, and leaves nothing behind', async () => {
    const cluster = clusterOfTest();
    const refused = Member.join(cluster, 'one', { sources: fullAfter(0) });
    await expect(refused).rejects.toMatchObject(unavailable(/ENOSPC.*--shm-size/));
    expect(leftOf(cluster)).toEqual([]);
  });

  it('one more endpoint where no memory is left for its lanes; the others go on', async () => {
    const cluster = clusterOfTest();
    const one = await Member.join(cluster, 'one');
    const before = leftOf(cluster);
    await expect(Member.join(cluster, 'two', { sources: fullAfter(1) })).rejects.toMatchObject(
      unavailable(/ENOSPC/),
    );
    expect(leftOf(cluster)).toEqual(before);
    expect(one.seat.peers()).toEqual([]);
    const three = await Member.join(cluster, 'three');
    three.say(one, 'hello');
    await one.hears('three: hello');
  });
});

describe('shared memory', () => {
  it('replaces what a process left that died while it made the segment', async () => {
    const cluster = clusterOfTest();
    writeFileSync(cluster.path, '', { mode: 0o600 });
    const one = await Member.join(cluster, 'one');
    await one.seat.leave();
    writeFileSync(cluster.path, '', { mode: 0o600 });
    truncateSync(cluster.path, 10_000);
    await expect(Member.join(cluster, 'one')).resolves.toBeInstanceOf(Member);
  });

  it('leaves nothing behind when the last one leaves', async () => {
    const cluster = clusterOfTest();
    const one = await Member.join(cluster, 'one');
    const two = await Member.join(cluster, 'two');
    await one.seat.leave();
    expect(leftOf(cluster)).toContain('memory');
    await two.seat.leave();
    expect(leftOf(cluster)).toEqual([]);
  });

  it.runIf(process.platform === 'linux')(
    'gives its memory back when the last one leaves, though it stays mapped',
    async () => {
      const cluster = clusterOfTest();
      const one = await Member.join(cluster, 'one');
      const two = await Member.join(cluster, 'two');
      const memory = openSync(cluster.path, 'r');
      await one.seat.leave();
      const before = fstatSync(memory).blocks;
      await two.seat.leave();
      const after = fstatSync(memory).blocks;
      closeSync(memory);
      expect([before > 0, after]).toEqual([true, 0]);
    },
  );

  it('removes the memory of clusters of which nobody lives when somebody joins another one', async () => {
    const dead = clusterOfTest();
    const alive = { ...clusterOfTest(), options: dead.options };
    const one = await Member.join(dead, 'one');
    await Member.join(alive, 'one');
    expect(existsSync(dead.path)).toBe(true);
    one.seat.abandon();
    await Member.join({ ...clusterOfTest(), options: dead.options }, 'one');
    expect([existsSync(dead.path), existsSync(alive.path)]).toEqual([false, true]);
  });

  it('leaves the memory of a live cluster alone that has the name of a dead one in another folder', async () => {
    const dead = clusterOfTest();
    const alive = { ...clusterOfTest(), name: dead.name, path: dead.path };
    const one = await Member.join(dead, 'one');
    one.seat.abandon();
    rmSync(dead.path);
    await Member.join(alive, 'one');
    await Member.join({ ...clusterOfTest(), options: dead.options }, 'one');
    expect(existsSync(alive.path)).toBe(true);
  });

  it('leaves the memory alone that has its name by then, when the last one leaves whose own was removed', async () => {
    const removed = clusterOfTest();
    const alive = { ...clusterOfTest(), name: removed.name, path: removed.path };
    const one = await Member.join(removed, 'one');
    rmSync(removed.path);
    const two = await Member.join(alive, 'two');
    await one.seat.leave();
    const three = await Member.join(alive, 'three');
    three.say(two, 'hello');
    await two.hears('three: hello');
    expect(two.told).toEqual(['three up', 'three: hello']);
  });

  it('refuses memory that was replaced while it was opened', async () => {
    const cluster = clusterOfTest();
    const one = await Member.join(cluster, 'one');
    const refused = Member.join(cluster, 'two', {
      sources: whileMapped(() => {
        rmSync(cluster.path);
        writeFileSync(cluster.path, 'precious', { mode: 0o600 });
      }),
    });
    await expect(refused).rejects.toMatchObject(unavailable(/was replaced by something else/));
    expect(readFileSync(cluster.path, 'utf8')).toBe('precious');
    expect(one.seat.peers()).toEqual([]);
  });

  it('throws a frame away that was changed on its way, says so, and goes on', async () => {
    const cluster = clusterOfTest();
    const logged: unknown[] = [];
    const note = (message: string, fields: unknown) => void logged.push([message, fields]);
    const logger = { debug() {}, info() {}, warn() {}, error: note };
    const one = await Member.join(cluster, 'one');
    const two = await Member.join(cluster, 'two', { logger });
    await one.hears('two up');
    one.say(two, 'a frame that is damaged');
    poke(cluster, readFileSync(cluster.path).indexOf('a frame that is damaged'), new Uint8Array([66]));
    one.say(two, 'a sound one');
    await two.hears('one: a sound one');
    expect(two.told).toEqual(['one up', 'one: a sound one']);
    expect(two.seat.statistics()).toMatchObject({ corrupt: 1, framesReceived: 1 });
    expect(logged).toEqual([
      [expect.stringContaining('check sum'), expect.objectContaining({ from: 'one', bytes: 32 })],
    ]);
  });
});
