import type { WorkKey, WorkRecord } from '../ports/index.js';
import { Archive } from './archive.js';
import { DeadLetters } from './dead-letters.js';
import { Deliveries } from './deliveries.js';
import { Histories } from './history.js';
import { Instances } from './instances.js';
import { Locks } from './locks.js';
import { Outbox, type BirthLease, type Written } from './outbox.js';
import { Timers } from './timers.js';
import { Tombstones } from './tombstones.js';
import { Transactions } from './transactions.js';
import { WorkHints } from './work-hints.js';

/** All that a memory store keeps; shared by the connections to it. */
export class MemoryData {
  readonly archive = new Archive();
  readonly deadLetters = new DeadLetters();
  readonly deliveries = new Deliveries(this.deadLetters);
  readonly histories = new Histories();
  readonly hints = new WorkHints();
  readonly instances = new Instances();
  readonly locks = new Locks();
  /** Names that nodes may write, as JSON. */
  readonly names = new Set<string>();
  readonly outbox = new Outbox(this.deadLetters);
  readonly timers = new Timers();
  readonly tombstones = new Tombstones();
  readonly transactions = new Transactions();

  /** Writes work and tells the nodes, unless the writer is the one to do all of it. */
  writeWork(work: readonly WorkRecord[], now: number, lease: BirthLease): Written {
    const written = this.outbox.write(work, now, lease);
    const delayed = work.some((row) => row.delayMs > 0);
    if (written.added > 0 && (delayed || !written.leased)) this.hints.tell();
    return written;
  }

  /** Removes finished work and tells the nodes if something behind it in its lane is next. */
  removeWork(keys: readonly WorkKey[]): void {
    if (this.outbox.remove(keys)) this.hints.tell();
  }
}
