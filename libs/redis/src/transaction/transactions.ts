import { StoreTransactionError, StoreUnavailableError } from '@nestjs-orchestrator/core';
import {
  systemClock,
  type AtInstant,
  type Cancellable,
  type Clock,
  type StoreTransaction,
  type WorkKey,
} from '@nestjs-orchestrator/core/ports';
import { Parameters } from '../connection/script.js';
import { workName } from '../naming/room.js';
import type { Hints } from '../notify/hints.js';
import { transactionManager, type RedisTransactionManager } from './manager.js';
import { decideScript } from './transaction.lua.js';
import { OpenTransaction, type TransactionGround } from './transaction.js';
import { waitForDecision } from './waiting.js';

/** How often what a transaction holds is renewed before it would run out. */
const RENEWALS = 3;

/** Transactions of the store: everything is kept until `work` has ended, and then written by one script. */
export class Transactions {
  private readonly open = new WeakMap<object, OpenTransaction>();
  private readonly renewals = new Set<Cancellable>();

  constructor(
    private readonly ground: TransactionGround,
    private readonly hints: Hints,
    private readonly clock: Pick<Clock, 'schedule'> = systemClock,
  ) {}

  async run<T>(work: (tx: StoreTransaction) => Promise<T>, at: AtInstant): Promise<T> {
    const tx = new OpenTransaction(this.ground, at);
    const manager = transactionManager();
    this.open.set(manager, tx);
    const renewal = this.renewing(tx);
    try {
      const result = await work(this.face(manager, tx));
      tx.end();
      await this.commit(tx);
      return result;
    } catch (error) {
      tx.end();
      await this.forget(tx);
      throw error;
    } finally {
      renewal.cancel();
      this.renewals.delete(renewal);
      this.open.delete(manager);
    }
  }

  /** What is open is left to others. */
  stop(): void {
    for (const renewal of this.renewals) renewal.cancel();
    this.renewals.clear();
  }

  /** The open transaction behind a manager. */
  join(manager: unknown): StoreTransaction {
    const tx = typeof manager === 'object' && manager !== null ? this.open.get(manager) : undefined;
    if (tx === undefined) {
      throw new StoreTransactionError(
        'within() was given something that is no open transaction of this store: Redis can only join the `manager` of a running `transaction()`. To send with a ' +
          'transaction of a database, use the store of that database.',
      );
    }
    return this.face(manager as RedisTransactionManager, tx);
  }

  private face(manager: RedisTransactionManager, tx: OpenTransaction): StoreTransaction {
    return {
      manager,
      consume: (message, outcome) => this.consume(tx, message, outcome),
      enqueue: async (work) => tx.enqueue(work),
      complete: async (keys) => tx.complete(keys),
      // Whether it could be leased is known when it commits, which is too late for an answer.
      handOver: async (done, work) => {
        tx.complete(done);
        tx.enqueue(work);
        return false;
      },
      load: (requests) => tx.load(requests),
      commit: (commit) => tx.commitLater(commit),
      park: (requests) => Promise.all(requests.map((request) => tx.parkLater(request))),
      deliveries: (ref) => tx.deliveries(ref),
    };
  }

  private async commit(tx: OpenTransaction): Promise<void> {
    const { lost, awaited, claimable } = await tx.commit();
    if (lost) {
      throw new StoreUnavailableError(
        `The transaction gave no sign of life for ${this.ground.patienceMs} ms, and what it held was left to others: nothing was written. It is tried again.`,
      );
    }
    if (awaited) this.hints.tellDecided();
    if (claimable) this.hints.tell();
  }

  private async forget(tx: OpenTransaction): Promise<void> {
    // Where the server is gone, what it held runs out by itself.
    if (await tx.forget().catch(() => false)) this.hints.tellDecided();
  }

  private async consume(tx: OpenTransaction, message: WorkKey, outcome: string): Promise<boolean> {
    tx.mustBeOfOne([message]);
    if (tx.hasDecided(message)) return false;
    const { rooms, connection, patienceMs } = this.ground;
    const room = rooms.of(message.tenant);
    const parameters = new Parameters(...room.fixed).push('0', workName(message));
    parameters.pushKey(room.deciding(message)).push(tx.token, patienceMs);
    const { keys, args } = parameters;
    const first = await waitForDecision(this.hints, this.clock, message, async () => {
      const answer = await connection.run({ script: decideScript, keys, args });
      const [verdict, leftMs] = answer as readonly [0 | 1 | 2, number];
      return verdict === 2 ? { leftMs } : { value: verdict === 1 };
    });
    if (first) tx.decide(message, outcome);
    tx.mustBeOpen();
    return first;
  }

  private renewing(tx: OpenTransaction): Cancellable {
    let next: Cancellable | null = null;
    const again = (): void => {
      next = this.clock.schedule(this.ground.patienceMs / RENEWALS, () => {
        again();
        // If it can't be renewed, the commit finds out.
        void tx.renew().catch(() => undefined);
      });
    };
    again();
    const renewal = { cancel: () => next?.cancel() };
    this.renewals.add(renewal);
    return renewal;
  }
}
