import { closeSync, constants, fstatSync, mkdirSync, openSync, readdirSync, readSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { TransportUnavailableError } from '@nestjs-orchestrator/core';
import { LOCK_PATIENCE_MS, LockPatience } from '../lock-patience.js';
import type { LockIdentity } from '../segment/header.js';
import type { PollHandle, Posix } from './posix.js';

const LOCK_PAUSE_MS = 2;
const LONGEST_DEATH_MS = 200;

const SIGN = '.alive';
const BELL = '.bell';

/** Files of an endpoint that another one has opened. */
interface OpenPeer {
  sign: number | undefined;
  bell: number | undefined;
  watch: PollHandle | undefined;
}

/**
 * A cluster's folder: the lock under which segment and registries are changed, which is never removed; and for each endpoint a file that it keeps
 * locked (the kernel drops the lock with the process, whatever becomes of its number) and a pipe that is its doorbell. Their names hold slot and
 * generation, so none is ever used twice.
 */
export class ClusterFiles {
  private readonly lockFd: number;
  private readonly peers = new Map<string, OpenPeer>();
  private own: { sign: number; bell: number; poll: PollHandle } | undefined = undefined;
  private readonly drain = Buffer.alloc(4_096);

  constructor(
    private readonly posix: Posix,
    private readonly folder: string,
  ) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const { O_RDWR, O_CREAT, O_NOFOLLOW } = constants;
    this.lockFd = openSync(join(folder, 'lock'), O_RDWR | O_CREAT | O_NOFOLLOW, 0o600);
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
    const { posix, lockFd } = this;
    const patience = new LockPatience();
    while (!posix.tryLock(lockFd, 'exclusive')) {
      if (patience.isOver()) {
        throw new TransportUnavailableError(
          'shared-memory',
          `the lock '${join(this.folder, 'lock')}' is held for more than ${LOCK_PATIENCE_MS} ms. ` +
            'A process that was stopped (SIGSTOP, debugger) may hold it: let it go on, or end it.',
        );
      }
      await delay(LOCK_PAUSE_MS);
    }
    try {
      return task();
    } finally {
      posix.unlock(lockFd);
    }
  }

  /** Runs a task if no other endpoint runs one. */
  tryExclusively(task: () => void): void {
    const { posix, lockFd } = this;
    if (!posix.tryLock(lockFd, 'exclusive')) return;
    try {
      task();
    } finally {
      posix.unlock(lockFd);
    }
  }

  /** Under the lock: this process has the slot from now on; `onRing` is called when its bell is rung. */
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
    const poll = this.posix.poll(bell, 'readable', () => {
      this.silence(bell);
      onRing();
    });
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

  private silence(bell: number): void {
    try {
      readSync(bell, this.drain);
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
