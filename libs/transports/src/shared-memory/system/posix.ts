import type * as koffiModule from 'koffi';
import { TransportUnavailableError } from '@nestjs-orchestrator/core';

/** A call of the system failed. */
export class PosixError extends Error {
  constructor(
    readonly call: string,
    readonly code: string,
  ) {
    super(`${call} failed: ${code}`);
    this.name = 'PosixError';
  }
}

/** Waits for a file descriptor; see `koffi.node.poll`. */
export interface PollHandle {
  close(): void;
}

/** The calls of the system that Node doesn't offer. */
export interface Posix {
  /** @throws PosixError */
  openShared(name: string, flags: number): number;
  /** @throws PosixError */
  unlinkShared(name: string): void;
  /** Makes sure that there is memory behind a range of a shared object. @throws PosixError (`ENOSPC`) */
  reserve(fd: number, offset: number, bytes: number): void;
  /** Gives the memory of a shared object back, which keeps its size; what is mapped of it reads as zeros. Nothing where the system can't. */
  discard(fd: number, bytes: number): void;
  /** Maps a shared object; it stays mapped as long as the process lives. @throws PosixError */
  map(fd: number, bytes: number, writable: boolean): ArrayBuffer;
  /** Takes a lock of the file, or says that somebody else has one that excludes it. */
  tryLock(fd: number, kind: 'exclusive' | 'shared'): boolean;
  unlock(fd: number): void;
  /** @throws PosixError */
  makeFifo(path: string): void;
  /** Writes one byte; nothing where it can't be written at once. */
  ring(fd: number): void;
  /** Lets other processes have this core that wait for it. */
  yieldCore(): void;
  poll(fd: number, what: 'readable' | 'disconnect', onEvent: () => void): PollHandle;
}

type Koffi = Pick<(typeof koffiModule)['default'], 'load' | 'errno' | 'address' | 'view' | 'os' | 'node'>;

const OWNER_ONLY = 0o600;
const LOCK = { shared: 1, exclusive: 2, now: 4, free: 8 };
const READ = 1;
const WRITE = 2;
const SHARED = 1;
const FAILED = 2n ** 64n - 1n;
/** FALLOC_FL_KEEP_SIZE and FALLOC_FL_PUNCH_HOLE. */
const PUNCH_HOLE = 0x01 | 0x02;

/** What `loadPosix` looks at; others in tests. */
export interface PosixSources {
  readonly platform: string;
  readonly importKoffi: () => Promise<{ readonly default: Koffi }>;
}

const here: PosixSources = { platform: process.platform, importKoffi: () => import('koffi') };

/** @throws TransportUnavailableError where the platform has no such memory or `koffi` is not installed */
export async function loadPosix({ platform, importKoffi }: PosixSources = here): Promise<Posix> {
  if (platform !== 'linux' && platform !== 'darwin') {
    throw new TransportUnavailableError(
      'shared-memory',
      `it needs Linux or macOS, and this is '${platform}'. Use the transport 'named-pipe'.`,
    );
  }
  try {
    const { default: koffi } = await importKoffi();
    return bind(koffi, platform);
  } catch (error) {
    throw new TransportUnavailableError(
      'shared-memory',
      "it needs the package 'koffi'. Install it (npm install koffi), or use the transport 'named-pipe'.",
      { cause: error },
    );
  }
}

function bind(koffi: Koffi, platform: 'linux' | 'darwin'): Posix {
  const system = koffi.load(null);
  // The mode is a variable argument on macOS and a plain one on Linux, which pass it in different ways.
  const shmOpen = system.func(
    platform === 'darwin'
      ? 'int shm_open(const char *name, int flags, ...)'
      : 'int shm_open(const char *name, int flags, uint32_t mode)',
  ) as (name: string, flags: number, ...mode: unknown[]) => number;
  const shmUnlink = system.func('int shm_unlink(const char *name)') as (name: string) => number;
  const mmap = system.func(
    'void *mmap(void *at, size_t length, int protection, int flags, int fd, int64_t offset)',
  ) as (at: null, length: number, protection: number, flags: number, fd: number, offset: number) => unknown;
  const flock = system.func('int flock(int fd, int operation)') as (fd: number, operation: number) => number;
  const mkfifo = system.func(
    platform === 'darwin'
      ? 'int mkfifo(const char *path, uint16_t mode)'
      : 'int mkfifo(const char *path, uint32_t mode)',
  ) as (path: string, mode: number) => number;
  const write = system.func('int64_t write(int fd, const void *bytes, size_t count)') as (
    fd: number,
    bytes: Uint8Array,
    count: number,
  ) => number;
  // macOS has none, and its shared memory no limit of its own.
  const fallocate =
    platform === 'darwin'
      ? () => 0
      : (system.func('int posix_fallocate(int fd, int64_t offset, int64_t length)') as (
          fd: number,
          offset: number,
          length: number,
        ) => number);

  const punchHole =
    platform === 'darwin'
      ? () => 0
      : (system.func('int fallocate(int fd, int mode, int64_t offset, int64_t length)') as (
          fd: number,
          mode: number,
          offset: number,
          length: number,
        ) => number);

  const schedYield = system.func('int sched_yield()') as () => number;

  const codes = new Map(Object.entries(koffi.os.errno).map(([code, number]) => [number, code]));
  const codeOf = (number: number): string => codes.get(number) ?? String(number);
  const checked = (call: string, result: number): number => {
    if (result < 0) throw new PosixError(call, codeOf(koffi.errno()));
    return result;
  };
  const aByte = new Uint8Array([1]);

  return {
    openShared: (name, flags) => {
      const mode = platform === 'darwin' ? ['uint', OWNER_ONLY] : [OWNER_ONLY];
      return checked('shm_open', shmOpen(name, flags, ...mode));
    },
    unlinkShared: (name) => void checked('shm_unlink', shmUnlink(name)),
    reserve: (fd, offset, bytes) => {
      for (;;) {
        const code = fallocate(fd, offset, bytes);
        if (code === 0) return;
        if (codeOf(code) !== 'EINTR') throw new PosixError('posix_fallocate', codeOf(code));
      }
    },
    // Where it fails the memory goes with the process.
    discard: (fd, bytes) => void punchHole(fd, PUNCH_HOLE, 0, bytes),
    map: (fd, bytes, writable) => {
      const at = mmap(null, bytes, writable ? READ | WRITE : READ, SHARED, fd, 0);
      if (BigInt.asUintN(64, koffi.address(at)) === FAILED)
        throw new PosixError('mmap', codeOf(koffi.errno()));
      return koffi.view(at, bytes);
    },
    tryLock: (fd, kind) => {
      for (;;) {
        if (flock(fd, LOCK[kind] | LOCK.now) === 0) return true;
        const code = codeOf(koffi.errno());
        if (code === 'EWOULDBLOCK' || code === 'EAGAIN') return false;
        if (code !== 'EINTR') throw new PosixError('flock', code);
      }
    },
    unlock: (fd) => void checked('flock', flock(fd, LOCK.free)),
    makeFifo: (path) => void checked('mkfifo', mkfifo(path, OWNER_ONLY)),
    // What can't be written was rung already (a full pipe) or is for nobody (its reader is gone).
    ring: (fd) => void write(fd, aByte, 1),
    yieldCore: () => void schedYield(),
    poll: (fd, what, onEvent) => {
      const handle = koffi.node.poll(fd, { [what]: true }, onEvent);
      // Who waits for another one's end should not live longer for that.
      if (what === 'disconnect') handle.unref();
      return handle;
    },
  };
}
