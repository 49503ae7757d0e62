import { StoreTransactionError } from '../errors/store-errors.js';
import type { AtInstant, StoreTransaction, WorkKey, WorkRecord } from '../ports/index.js';
import { JoinedInstances } from './joined-instances.js';
import type { MemoryData } from './memory-data.js';
import { workName } from './names.js';

/** What a transaction writes to when it commits. */
export interface TransactionTarget {
  readonly data: MemoryData;
  now(at: AtInstant): number;
}

interface Decision {
  readonly outcome: string;
  readonly at: number;
}

/** The whole of the transactions over one set of data: who decides which message, and what was decided. */
export class Transactions {
  private readonly consumed = new Map<string, Decision>();
  private readonly deciding = new Map<string, OpenTransaction>();
  private readonly open = new WeakMap<object, OpenTransaction>();

  async run<T>(
    work: (tx: StoreTransaction) => Promise<T>,
    at: AtInstant,
    target: TransactionTarget,
  ): Promise<T> {
    const tx = new OpenTransaction(target);
    const handle = Object.freeze({ kind: 'memory transaction' });
    this.open.set(handle, tx);
    try {
      const result = await work(this.face(handle, tx, at));
      tx.commit();
      for (const [name, outcome] of tx.decisions) this.consumed.set(name, { outcome, at: target.now(at) });
      return result;
    } finally {
      this.open.delete(handle);
      for (const name of tx.decisions.keys()) this.deciding.delete(name);
      tx.end();
    }
  }

  /** Consumes a message at once, in no transaction; waits while one is about to decide it. */
  async decide(message: WorkKey, outcome: string, at: number): Promise<boolean> {
    const name = workName(message);
    for (let holder = this.deciding.get(name); holder; holder = this.deciding.get(name))
      await holder.whenEnded;
    if (this.consumed.has(name)) return false;
    this.consumed.set(name, { outcome, at });
    return true;
  }

  /** Whether a message was consumed, or is being consumed in an open transaction. */
  isDecided(message: WorkKey): boolean {
    const name = workName(message);
    return this.consumed.has(name) || this.deciding.has(name);
  }

  /** Notes a message as consumed, which must not be decided. */
  note(message: WorkKey, outcome: string, at: number): void {
    this.consumed.set(workName(message), { outcome, at });
  }

  /** With which outcome a message was consumed. */
  outcomeOf(message: WorkKey): string | null {
    return this.consumed.get(workName(message))?.outcome ?? null;
  }

  /** The open transaction behind a handle. */
  join(manager: unknown, at: AtInstant): StoreTransaction {
    const tx = typeof manager === 'object' && manager !== null ? this.open.get(manager) : undefined;
    if (tx === undefined) {
      throw new StoreTransactionError(
        'within() was given something that is no open transaction of this memory store: pass the `manager` of a running `transaction()`.',
      );
    }
    return this.face(manager as object, tx, at);
  }

  /** Forgets at most `limit` decisions that are older; how many. */
  purge(before: number, limit: number): number {
    const old = [...this.consumed].filter(([, { at }]) => at <= before).slice(0, limit);
    for (const [name] of old) this.consumed.delete(name);
    return old.length;
  }

  private face(manager: object, tx: OpenTransaction, at: AtInstant): StoreTransaction {
    const { instances } = tx;
    const enqueue = (work: readonly WorkRecord[]): void => {
      const rows = work.map((row) => ({ ...row }));
      tx.add((target) => void target.data.writeWork(rows, target.now(at), null));
    };
    const complete = (keys: readonly WorkKey[]): void => {
      const names = keys.map((key) => ({ ...key }));
      tx.add(({ data }) => data.removeWork(names));
    };
    return {
      manager,
      consume: async (message, outcome) => this.consume(tx, workName(message), outcome),
      enqueue: async (work) => enqueue(work),
      complete: async (keys) => complete(keys),
      // Whether it could be leased is known when it commits, which is too late for an answer.
      handOver: async (done, work) => {
        complete(done);
        enqueue(work);
        return false;
      },
      load: async (requests) => {
        tx.mustBeOpen();
        return requests.map((request) => instances.load(request));
      },
      commit: async (commit) => {
        tx.mustBeOpen();
        return instances.commit(commit, at, (write) => tx.add(write));
      },
      park: async (requests) => {
        tx.mustBeOpen();
        return requests.map((request) => instances.park(request, at, (write) => tx.add(write)));
      },
      deliveries: async (ref) => {
        tx.mustBeOpen();
        return instances.deliveries(ref);
      },
    };
  }

  private async consume(tx: OpenTransaction, name: string, outcome: string): Promise<boolean> {
    tx.mustBeOpen();
    for (let holder = this.deciding.get(name); holder && holder !== tx; holder = this.deciding.get(name)) {
      await tx.waitFor(holder);
    }
    if (this.consumed.has(name) || tx.decisions.has(name)) return false;
    this.deciding.set(name, tx);
    tx.decisions.set(name, outcome);
    return true;
  }
}

/** One transaction: what it decided and what it will write, until it commits or is forgotten. */
class OpenTransaction {
  readonly decisions = new Map<string, string>();
  private readonly writes: ((target: TransactionTarget) => void)[] = [];
  private settle = (): void => {};
  readonly whenEnded = new Promise<void>((resolve) => (this.settle = resolve));
  private waitsFor: OpenTransaction | null = null;
  private ended = false;
  readonly instances: JoinedInstances;

  constructor(private readonly target: TransactionTarget) {
    this.instances = new JoinedInstances(target, this);
  }

  add(write: (target: TransactionTarget) => void): void {
    this.mustBeOpen();
    this.writes.push(write);
  }

  commit(): void {
    for (const write of this.writes) write(this.target);
  }

  end(): void {
    this.target.data.locks.releaseAll(this);
    this.ended = true;
    this.settle();
  }

  mustBeOpen(): void {
    if (!this.ended) return;
    throw new StoreTransactionError('This transaction has ended: await all its calls before `work` returns.');
  }

  /** Waits until `holder` has ended; two that wait for each other would do so for ever. */
  async waitFor(holder: OpenTransaction): Promise<void> {
    for (let next: OpenTransaction | null = holder; next !== null; next = next.waitsFor) {
      if (next === this) {
        throw new StoreTransactionError(
          'Deadlock: two transactions each wait for a message that the other decides.',
        );
      }
    }
    this.waitsFor = holder;
    await holder.whenEnded;
    this.waitsFor = null;
    this.mustBeOpen();
  }
}
