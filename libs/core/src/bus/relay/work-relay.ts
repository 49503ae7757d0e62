import { errorText } from '../../errors/error-text.js';
import { OrchestratorError } from '../../errors/orchestrator-error.js';
import { toJson } from '../../message/json.js';
import type { Clock } from '../../ports/clock.js';
import type { FaultPoints } from '../../ports/fault-points.js';
import type { Random } from '../../ports/ids.js';
import type { InstanceStore, WriteOptions } from '../../ports/instance-store.js';
import type { Logger } from '../../ports/logger.js';
import type { ClaimedWork, WorkRecord } from '../../ports/records.js';
import { Alone } from './alone.js';
import type { Consumed, Consumer } from './consumer.js';
import { Lanes } from './lanes.js';
import { Pump } from './pump.js';
import {
  isDelay,
  isNoFaultOfWork,
  mayRetry,
  mustRunAlone,
  retryDelay,
  type RetryPolicy,
} from './retry-policy.js';

/** Rows of handlers that a node claims for each that it can run at a time. */
const AHEAD = 4;

/** Work whose tries are used up, though none of them reported a failure: it probably ends the process that runs it. */
export class AttemptsExhaustedError extends OrchestratorError {
  readonly code = 'ATTEMPTS_EXHAUSTED';
  constructor(work: ClaimedWork) {
    super(
      `'${work.id}' for ${work.destination} was begun ${work.attempts - 1} times and never ended, neither well nor with an error. ` +
        `Look for what ends the process that handles it, then replay it.`,
    );
  }
}

/** A row becomes a dead letter; the cause says why. */
class GivenUp extends Error {}

/** The lease on a row was over before it could begin: another node has it now. */
class LeaseLostError extends OrchestratorError {
  readonly code = 'LEASE_LOST';
}

/** What a relay needs of its node. */
export interface RelayPorts {
  readonly store: InstanceStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly faults: FaultPoints;
  readonly writeOptions: () => WriteOptions;
}

/** What the relay of work tells its node, besides. */
export interface WorkRelayPorts extends RelayPorts {
  /** A row has become a dead letter. */
  readonly buried: (work: ClaimedWork, reason: string) => Promise<void>;
}

/** Limits of a relay. */
export interface RelayLimits extends RetryPolicy {
  readonly concurrency: number;
  readonly handlerConcurrency: number;
  readonly pollIntervalMs: number;
}

/**
 * Dispatches the outbox: rows that this node wrote (born leased to it) at once, all others as it claims them. Every row is held under a lease that
 * is renewed while the node lives; whatever a dead node held is claimed by others when its lease is over.
 */
export class WorkRelay {
  private readonly lanes = new Lanes();
  private readonly ready: Readonly<Record<Consumer['pool'], ClaimedWork[]>> = { general: [], handler: [] };
  private readonly running = { general: 0, handler: 0 };
  private readonly consumers = new Map<string, Consumer>();
  private readonly pump: Pump;
  /** Rows that came by a claim: when one is done, the next of its lane may have become claimable. */
  private readonly claimed = new WeakSet<ClaimedWork>();
  /** Rows whose message can't have been handled before. */
  private readonly fresh = new WeakSet<ClaimedWork>();
  /** Runs work that may end this process. */
  private readonly alone = new Alone();
  private pulling = false;
  /** The last claim left work behind for want of room. */
  private backlog = false;
  private whenIdle: (() => void)[] = [];

  constructor(
    private readonly ports: WorkRelayPorts,
    private readonly limits: RelayLimits,
  ) {
    this.pump = new Pump(
      ports.clock,
      limits.pollIntervalMs,
      () => this.claim(),
      (error) => ports.logger.warn('Looking for work failed; trying again', { error: String(error) }),
    );
  }

  get inWork(): number {
    return this.running.general + this.running.handler;
  }

  get queued(): number {
    return this.lanes.size - this.inWork;
  }

  register(destination: string, consumer: Consumer): void {
    this.consumers.set(destination, consumer);
  }

  start(): void {
    this.pulling = true;
    this.pump.start();
  }

  /** Starts nothing any more; what is under way goes on. */
  stopPulling(): void {
    this.pulling = false;
    this.pump.stop();
  }

  /** There will be work to claim when this much time has passed. */
  lookWithin(delayMs: number): void {
    this.pump.within(delayMs);
  }

  /** There may be work to claim. */
  hint(): void {
    this.pump.hint();
  }

  /**
   * Takes work that was born leased to this node.
   *
   * @param unique the framework made its ids, which come never twice
   */
  offer(work: readonly WorkRecord[], unique: boolean): void {
    for (const row of work) {
      if (row.delayMs > 0) {
        this.pump.within(row.delayMs);
        continue;
      }
      const claimed: ClaimedWork = { ...row, attempts: 1, suspect: false };
      if (unique) this.fresh.add(claimed);
      this.take(claimed);
    }
    this.pour();
  }

  /** Settles when nothing is under way. */
  async idle(): Promise<void> {
    if (this.inWork > 0) await new Promise<void>((resolve) => this.whenIdle.push(resolve));
  }

  /** Gives back what was claimed but not started, so that other nodes need not wait for leases to end. */
  async giveBack(): Promise<void> {
    const { store, clock } = this.ports;
    const held = this.lanes.all();
    await Promise.allSettled(
      held.map((row) => store.releaseWork(row, 0, 'node stopped', { now: clock.storeNow() }, false)),
    );
  }

  /** Prolongs the leases of everything this node holds. */
  async renew(): Promise<void> {
    const held = this.lanes.all();
    if (held.length > 0) await this.ports.store.renewWork(held, this.ports.writeOptions());
  }

  private async claim(): Promise<number | null> {
    this.backlog = false;
    const due = [await this.claimFor('general'), await this.claimFor('handler')].filter(
      (next) => next !== null,
    );
    this.pour();
    return due.length === 0 ? null : Math.min(...due);
  }

  /** Claims what can run soon, and no more: a row that waits here when this node dies has lost one of its attempts for nothing. */
  private async claimFor(pool: Consumer['pool']): Promise<number | null> {
    const destinations = [...this.consumers]
      .filter(([, consumer]) => consumer.pool === pool)
      .map(([name]) => name);
    const free = this.room(pool) - this.running[pool] - this.ready[pool].length;
    if (free <= 0) this.backlog = true;
    if (!this.pulling || free <= 0 || destinations.length === 0) return null;
    const { items, nextDueMs } = await this.ports.store.claimWork({
      ...this.ports.writeOptions(),
      destinations,
      limit: free,
    });
    for (const row of items) {
      this.claimed.add(row);
      this.take(row);
    }
    if (items.length === free) this.backlog = true;
    return nextDueMs;
  }

  private room(pool: Consumer['pool']): number {
    const { concurrency, handlerConcurrency } = this.limits;
    return pool === 'general' ? concurrency : handlerConcurrency * AHEAD;
  }

  private take(work: ClaimedWork): void {
    if (this.lanes.add(work)) this.enqueue(work);
  }

  private enqueue(work: ClaimedWork): void {
    const consumer = this.consumers.get(work.destination);
    this.ready[consumer?.pool ?? 'general'].push(work);
  }

  private pour(): void {
    if (!this.pulling) return;
    this.pourPool('general', this.limits.concurrency);
    this.pourPool('handler', this.limits.handlerConcurrency);
  }

  private pourPool(pool: Consumer['pool'], limit: number): void {
    const ready = this.ready[pool];
    while (this.running[pool] < limit) {
      const work = ready.shift();
      if (work === undefined) return;
      this.running[pool]++;
      void this.work(work, pool);
    }
  }

  private async work(work: ClaimedWork, pool: Consumer['pool']): Promise<void> {
    try {
      await this.consume(work);
      const next = this.lanes.finish(work);
      if (next !== undefined) this.enqueue(next);
    } catch (error) {
      await this.giveUpOrBack(work, error);
    } finally {
      this.running[pool]--;
      this.settle(work);
    }
  }

  private settle(work: ClaimedWork): void {
    this.pour();
    const roomAgain = this.backlog && (this.isHalfEmpty('general') || this.isHalfEmpty('handler'));
    if (roomAgain || (work.lane !== null && this.claimed.has(work))) this.pump.hint();
    if (this.inWork > 0) return;
    for (const resolve of this.whenIdle.splice(0)) resolve();
  }

  private isHalfEmpty(pool: Consumer['pool']): boolean {
    return this.running[pool] + this.ready[pool].length <= this.room(pool) / 2;
  }

  private async consume(work: ClaimedWork): Promise<void> {
    const consumed = await (work.suspect ? this.consumeSuspect(work) : this.run(work));
    if (consumed === 'consumed') return;
    await this.ports.faults.reach('relay.complete.before');
    await this.ports.store.completeWork([work]);
    this.consumers.get(work.destination)?.gone?.(work);
  }

  /** Its last try ended without a word. This one is counted before it begins, so that it can't go round the nodes for ever. */
  private consumeSuspect(work: ClaimedWork): Promise<Consumed> {
    const begin = async (): Promise<Consumed> => {
      const attempts = await this.ports.store.beginWork(work, this.ports.writeOptions());
      if (attempts === null) throw new LeaseLostError(`Another node has '${work.id}' by now.`);
      return this.run({ ...work, attempts });
    };
    return mustRunAlone(this.limits, work.attempts + 1) ? this.alone.run(begin) : begin();
  }

  private async run(work: ClaimedWork): Promise<Consumed> {
    const consumer = this.consumers.get(work.destination);
    if (consumer === undefined) throw new Error(`This node has no consumer '${work.destination}'.`);
    const most = consumer.attemptsFor?.(work) ?? this.limits.maxAttempts;
    // Its last tries ended without a word: what kills its process must not go round the nodes.
    if (work.attempts > most) return giveUp(consumer, work, new AttemptsExhaustedError(work));
    try {
      return await consumer.consume(work, this.fresh.has(work));
    } catch (error) {
      if (isNoFaultOfWork(error) || (mayRetry(error) && work.attempts < most)) throw error;
      return giveUp(consumer, work, error);
    }
  }

  private async giveUpOrBack(work: ClaimedWork, error: unknown): Promise<void> {
    const { store, clock, logger, random } = this.ports;
    const at = { now: clock.storeNow() };
    const fields = {
      destination: work.destination,
      messageId: work.id,
      tenant: work.tenant,
      attempts: work.attempts,
    };
    const last = error instanceof GivenUp ? error.cause : error;
    const reason = last instanceof Error ? `${last.name}: ${last.message}` : String(last);
    const behind = this.lanes.abandon(work);
    // What stands behind it in its lane was leased with it, and comes back when those leases are over.
    if (error instanceof LeaseLostError) return;
    try {
      if (error instanceof GivenUp) {
        logger.error(`Message given up: ${reason}`, fields);
        await store.buryWork(work, reason, at, await this.detail(work, last));
        await this.ports.buried(work, reason);
      } else {
        const delay = retryDelay(this.limits, work.attempts, random.next(), error);
        if (isDelay(error)) logger.debug(`Message comes again in ${delay} ms: ${reason}`, fields);
        else logger.warn(`Message failed, next try in ${delay} ms: ${reason}`, fields);
        await store.releaseWork(work, delay, reason, at, !isNoFaultOfWork(error));
        this.pump.within(delay);
      }
      for (const row of behind) await store.releaseWork(row, 0, 'behind a failed message', at, false);
    } catch (storeError) {
      logger.warn('The store is away; its leases will bring the work back', {
        ...fields,
        error: String(storeError),
      });
    }
  }

  private async detail(work: ClaimedWork, error: unknown): Promise<string> {
    const more = await this.consumers.get(work.destination)?.describe?.(work);
    return toJson({ error: errorText(error), ...more }, 'dead letter');
  }
}

/** Asks the consumer what becomes of a row that nothing more can be done for. */
async function giveUp(consumer: Consumer, work: ClaimedWork, error: unknown): Promise<Consumed> {
  const end = await (consumer.giveUp?.(work, error) ?? 'bury');
  if (end === 'bury') throw new GivenUp('given up', { cause: error });
  return end;
}
