import {
  closeSync,
  constants,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmdirSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { TransportUnavailableError } from '@nestjs-orchestrator/core';
import { LOCK_PATIENCE_MS, LockPatience } from '../lock-patience.js';
import type { LockIdentity } from '../segment/header.js';
import type { PollHandle, Posix } from './posix.js';

const LOCK_PAUSE_MS = 2;
const LONGEST_DEATH_MS = 200;

/** A folder can vanish that often while a lock is made in it; more often something else is the matter. */
const ATTEMPTS = 50;
const LOCK = 'lock';
const SIGN = '.alive';
const BELL = '.bell';

/** Files of an endpoint that another one has opened. */
interface OpenPeer {
  sign: number | undefined;
  bell: number | undefined;
  watch: PollHandle | undefined;
}

/**
 * A cluster's folder: the lock under which segment and registries are changed; and for each endpoint a file that it keeps
 * locked (the kernel drops the lock with the process, whatever becomes of its number) and a pipe that is its doorbell. Their names hold slot and
 * generation, so none is used twice as long as the folder is there.
 *
 * The last one takes the folder along, the lock with it, while it has that. Whoever gets a lock that was removed meanwhile has got nothing, and begins anew.
 */
export class ClusterFiles {
  private lockFd: number;
  private readonly peers = new Map<string, OpenPeer>();
  private own: { sign: number; bell: number; poll: PollHandle } | undefined = undefined;
  private readonly drain = Buffer.alloc(4_096);

  constructor(
    private readonly posix: Posix,
    private readonly folder: string,
  ) {
    this.lockFd = openLock(folder);
  }

  get identity(): LockIdentity {
    const { dev, ino } = fstatSync(this.lockFd);
    return { device: dev, inode: ino };
  }

  /**
   * Runs a task while no other endpoint runs one.
   *
   * @throws TransportUnavailableError (as a rejection) where the lock does not come free within 5 seconds
   */
  async exclusively<T>(task: () => T): Promise<T> {
    const patience = new LockPatience();
    while (!this.lock()) {
      if (patience.isOver()) {
        throw new TransportUnavailableError(
          'shared-memory',
          `the lock '${join(this.folder, LOCK)}' is held for more than ${LOCK_PATIENCE_MS} ms. ` +
            'A process that was stopped (SIGSTOP, debugger) may hold it: let it go on, or end it.',
        );
      }
      await delay(LOCK_PAUSE_MS);
    }
    try {
      return task();
    } finally {
      this.posix.unlock(this.lockFd);
    }
  }

  /** Runs a task if no other endpoint runs one, and none has taken the folder along. */
  tryExclusively(task: () => void): void {
    const { posix, lockFd } = this;
    if (!posix.tryLock(lockFd, 'exclusive')) return;
    try {
      if (isThere(lockFd)) task();
    } finally {
      posix.unlock(lockFd);
    }
  }

  /** Under the lock, where nobody lives: the folder goes, and the lock. Files that are none of ours keep the folder. */
  dissolve(): void {
    for (const file of readdirSync(this.folder))
      if (file.endsWith(SIGN) || file.endsWith(BELL)) rmSync(join(this.folder, file), { force: true });
    rmSync(join(this.folder, LOCK), { force: true });
    try {
      rmdirSync(this.folder);
    } catch (error) {
      // Somebody makes a new lock in it already, or a foreign file is in it.
      if (!isOccupied(error)) throw error;
    }
  }

  /** Under the lock: this process has the slot from now on; `onRing` is called when its bell is rung, again and again until it is silenced. */
  settle(slot: number, generation: number, onRing: () => void): void {
    const { O_RDWR, O_CREAT, O_EXCL, O_NONBLOCK } = constants;
    this.remove(slot, generation);
    const path = this.path(slot, generation);
    const sign = openSync(path + SIGN, O_RDWR | O_CREAT | O_EXCL, 0o600);
    let bell: number;
    try {
      this.posix.tryLock(sign, 'exclusive');
      this.posix.makeFifo(path + BELL);
      // For writing, too: it never comes to its end when the last ringer closes it.
      bell = openSync(path + BELL, O_RDWR | O_NONBLOCK);
    } catch (error) {
      closeSync(sign);
      this.remove(slot, generation);
      throw error;
    }
    const poll = this.posix.poll(bell, 'readable', onRing);
    this.own = { sign, bell, poll };
  }

  /** Gives back what `settle` took: from now on others see this endpoint as dead. */
  withdraw(): void {
    const { own } = this;
    if (own === undefined) return;
    this.own = undefined;
    own.poll.close();
    closeSync(own.bell);
    closeSync(own.sign);
  }

  /** Whether the process that has this generation of the slot lives, by the kernel. */
  isAlive(slot: number, generation: number): boolean {
    const peer = this.peer(slot, generation);
    if (peer.sign === undefined) return false;
    if (!this.posix.tryLock(peer.sign, 'shared')) return true;
    this.posix.unlock(peer.sign);
    return false;
  }

  ring(slot: number, generation: number): void {
    const { bell } = this.peer(slot, generation);
    if (bell !== undefined) this.posix.ring(bell);
  }

  /** Calls when the process closes its bell, as it does when it dies, or soon where it has done so already; once. */
  watch(slot: number, generation: number, onEnd: () => void): void {
    const peer = this.peer(slot, generation);
    if (peer.watch !== undefined) return;
    if (peer.bell === undefined) {
      setImmediate(() => this.settleDeath(slot, generation, onEnd, 1));
      return;
    }
    peer.watch = this.posix.poll(peer.bell, 'disconnect', () => {
      peer.watch?.close();
      this.settleDeath(slot, generation, onEnd, 1);
    });
  }

  /** The kernel closes the files of a process one after the other: its lock may go a moment after its bell. */
  private settleDeath(slot: number, generation: number, onEnd: () => void, pauseMs: number): void {
    if (!this.peers.has(nameOf(slot, generation))) return;
    if (pauseMs > LONGEST_DEATH_MS || !this.isAlive(slot, generation)) onEnd();
    else setTimeout(() => this.settleDeath(slot, generation, onEnd, pauseMs * 2), pauseMs).unref();
  }

  /** Closes what was opened for an endpoint. */
  forget(slot: number, generation: number): void {
    const name = nameOf(slot, generation);
    const peer = this.peers.get(name);
    if (peer === undefined) return;
    this.peers.delete(name);
    peer.watch?.close();
    for (const fd of [peer.bell, peer.sign]) if (fd !== undefined) closeSync(fd);
  }

  /** Under the lock: removes the files of an endpoint that is gone. */
  remove(slot: number, generation: number): void {
    const path = this.path(slot, generation);
    rmSync(path + SIGN, { force: true });
    rmSync(path + BELL, { force: true });
  }

  /** Under the lock: whether anybody lives in this cluster, whatever its segment says. The files of the dead are removed. */
  isAnybodyAlive(): boolean {
    let alive = false;
    for (const file of readdirSync(this.folder)) {
      const [slot = '', generation = ''] = file.replace(SIGN, '').split('-');
      if (!file.endsWith(SIGN)) continue;
      if (this.isAlive(Number(slot), Number(generation))) alive = true;
      else this.remove(Number(slot), Number(generation));
      this.forget(Number(slot), Number(generation));
    }
    return alive;
  }

  yieldCore(): void {
    this.posix.yieldCore();
  }

  /** Closes everything. */
  close(): void {
    this.withdraw();
    for (const name of this.peers.keys()) {
      const [slot, generation] = name.split('-').map(Number);
      this.forget(slot ?? 0, generation ?? 0);
    }
    closeSync(this.lockFd);
  }

  /** Whether this endpoint has the lock now. */
  private lock(): boolean {
    if (!this.posix.tryLock(this.lockFd, 'exclusive')) return false;
    if (isThere(this.lockFd)) return true;
    const removed = this.lockFd;
    this.lockFd = openLock(this.folder);
    closeSync(removed);
    return false;
  }

  /** Hears what has rung the own bell up to now. */
  silence(): void {
    if (this.own === undefined) return;
    try {
      readSync(this.own.bell, this.drain);
    } catch (error) {
      // Rung and heard already.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }

  private peer(slot: number, generation: number): OpenPeer {
    const name = nameOf(slot, generation);
    let peer = this.peers.get(name);
    if (peer === undefined) {
      const path = this.path(slot, generation);
      const { O_RDWR, O_WRONLY, O_NONBLOCK, O_NOFOLLOW } = constants;
      const sign = openIfThere(path + SIGN, O_RDWR | O_NOFOLLOW);
      const bell = openIfThere(path + BELL, O_WRONLY | O_NONBLOCK | O_NOFOLLOW);
      peer = { sign, bell, watch: undefined };
      this.peers.set(name, peer);
    }
    return peer;
  }

  private path(slot: number, generation: number): string {
    return join(this.folder, nameOf(slot, generation));
  }
}

const nameOf = (slot: number, generation: number): string => `${slot}-${generation}`;

/** The lock of a folder, which is made where it is not there; again where somebody takes it along in between. */
function openLock(folder: string): number {
  const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
  for (let attempt = 1; ; attempt += 1) {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      return openSync(join(folder, LOCK), O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || attempt === ATTEMPTS) throw error;
    }
  }
}

/** Whether a file still has its name. */
const isThere = (fd: number): boolean => fstatSync(fd).nlink > 0;

const isOccupied = (error: unknown): boolean =>
  ['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '');

/** Nothing where the file is gone, or where a pipe has no reader. */
function openIfThere(path: string, flags: number): number | undefined {
  try {
    return openSync(path, flags);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENXIO') return undefined;
    throw error;
  }
}
