import { errorText } from '../../errors/error-text.js';
import { tellable } from '../../errors/tellable.js';
import { toJson } from '../../message/json.js';
import type { Clock } from '../../ports/clock.js';
import type { FaultPoints } from '../../ports/fault-points.js';
import type { Random } from '../../ports/ids.js';
import type { InstanceStore, WriteOptions } from '../../ports/instance-store.js';
import type { LogFields, Logger } from '../../ports/logger.js';
import type { ClaimedWork, WorkRecord } from '../../ports/records.js';
import { Alone } from './alone.js';
import type { Consumed, Consumer } from './consumer.js';
import { Courtesy } from './courtesy.js';
import { AttemptsExhaustedError, GivenUp, giveUp, LeaseLostError } from './give-up.js';
import { Lanes } from './lanes.js';
import { Pump } from './pump.js';
import { unwritten } from './unwritten.js';
import { WorkPool } from './work-pool.js';
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
  private readonly pools: Readonly<Record<Consumer['pool'], WorkPool>>;
  /** Of destinations with a limit of their own. */
  private readonly ownPools = new Map<string, WorkPool>();
  private readonly consumers = new Map<string, Consumer>();
  private readonly pump: Pump;
  /** Rows that came by a claim: when one is done, the next of its lane may have become claimable. */
  private readonly claimed = new WeakSet<ClaimedWork>();
  /** Rows whose message can't have been handled before. */
  private readonly fresh = new WeakSet<ClaimedWork>();
  /** Runs work that may end this process. */
  private readonly alone = new Alone();
  private readonly courtesy: Courtesy;
  private readonly leaving = new Set<Promise<unknown>>();
  private pulling = false;
  private running = 0;
  /** The last claim left work behind for want of room. */
  private backlog = false;
  private whenIdle: (() => void)[] = [];

  constructor(
    private readonly ports: WorkRelayPorts,
    private readonly limits: RelayLimits,
  ) {
    this.courtesy = new Courtesy(ports.clock, ports.random);
    const { concurrency, handlerConcurrency } = limits;
    this.pools = {
      general: new WorkPool(concurrency, concurrency),
      handler: new WorkPool(handlerConcurrency, handlerConcurrency * AHEAD),
    };
    this.pump = new Pump(
      ports.clock,
      limits.pollIntervalMs,
      () => this.claim(),
      (error) => ports.logger.warn('Looking for work failed; trying again', { error: String(error) }),
    );
  }

  get inWork(): number {
    return this.running;
  }

  get queued(): number {
    return this.lanes.size - this.inWork;
  }

  /** Whether work for sagas could begin at once. */
  get hasRoom(): boolean {
    return this.pulling && this.pools.general.isFree;
  }

  register(destination: string, consumer: Consumer): void {
    this.consumers.set(destination, consumer);
    const { concurrency } = consumer;
    if (concurrency !== undefined)
      this.ownPools.set(destination, new WorkPool(concurrency, concurrency * AHEAD));
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
      const { tenant, destination, id, lane, payload, delayMs } = row;
      const claimed = { tenant, destination, id, lane, payload, delayMs, attempts: 1, suspect: false };
      if (unique) this.fresh.add(claimed);
      this.take(claimed);
    }
    this.pour();
    for (const pool of this.ownPools.values()) this.leave(pool.surplus());
  }

  /** Settles when nothing is under way, and what was being claimed is here to be given back. */
  async idle(): Promise<void> {
    await this.pump.idle();
    if (this.inWork > 0) await new Promise<void>((resolve) => this.whenIdle.push(resolve));
    await Promise.all(this.leaving);
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
    const { general, handler } = this.pools;
    const due = [
      await this.claimFor(general, this.sharing('general')),
      await this.claimFor(handler, this.sharing('handler')),
    ];
    for (const [destination, pool] of this.ownPools) due.push(await this.claimFor(pool, [destination]));
    this.pour();
    const known = due.filter((next) => next !== null);
    return known.length === 0 ? null : this.courtesy.after(Math.min(...known));
  }

  /** Destinations that share a pool. */
  private sharing(pool: Consumer['pool']): readonly string[] {
    return [...this.consumers]
      .filter(([name, consumer]) => consumer.pool === pool && !this.ownPools.has(name))
      .map(([name]) => name);
  }

  /** Claims what can run soon, and no more: a row that waits here when this node dies has lost one of its attempts for nothing. */
  private async claimFor(pool: WorkPool, destinations: readonly string[]): Promise<number | null> {
    const { free } = pool;
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

  private take(work: ClaimedWork): void {
    if (this.lanes.add(work)) this.enqueue(work);
  }

  private enqueue(work: ClaimedWork): void {
    const own = this.ownPools.get(work.destination);
    (own ?? this.pools[this.consumers.get(work.destination)?.pool ?? 'general']).add(work);
  }

  private pour(): void {
    if (!this.pulling) return;
    const { general, handler } = this.pools;
    this.pourPool(general);
    this.pourPool(handler);
    for (const [destination, pool] of this.ownPools) {
      // Its rows may hold connections, of which there are so many for all handlers.
      const isHandler = this.consumers.get(destination)?.pool === 'handler';
      this.pourPool(pool, ...(isHandler ? [this.pools.handler] : []));
    }
  }

  /** @param others pools in which the rows count as well */
  private pourPool(pool: WorkPool, ...others: readonly WorkPool[]): void {
    // Each row that is done asks, and mostly nothing waits.
    if (pool.isEmpty) return;
    const pools = [pool, ...others];
    while (pools.every(({ mayRun }) => mayRun)) {
      const work = pool.next();
      if (work === undefined) return;
      void this.work(work, pools);
    }
  }

  /** Leaves rows that were born leased to this node to whoever has room for them. */
  private leave(rows: readonly ClaimedWork[]): void {
    if (rows.length === 0) return;
    this.backlog = true;
    const { store, clock, logger } = this.ports;
    const at = { now: clock.storeNow() };
    const all = rows.flatMap((row) => [row, ...this.lanes.abandon(row)]);
    const task = Promise.all(
      all.map((row) =>
        store
          .releaseWork(row, 0, 'no room', at, false)
          .catch((failure: unknown) =>
            unwritten(logger, 'message', failure, { ...fieldsOf(row), reason: 'no room' }),
          ),
      ),
    ).finally(() => this.leaving.delete(task));
    this.leaving.add(task);
  }

  private async work(work: ClaimedWork, pools: readonly WorkPool[]): Promise<void> {
    this.running += 1;
    for (const pool of pools) pool.running += 1;
    try {
      await this.consume(work);
      const next = this.lanes.finish(work);
      if (next !== undefined) this.enqueue(next);
    } catch (error) {
      await this.giveUpOrBack(work, error);
    } finally {
      this.running -= 1;
      for (const pool of pools) pool.running -= 1;
      this.settle(work);
    }
  }

  private settle(work: ClaimedWork): void {
    this.pour();
    const roomAgain = this.backlog && this.hasRoomAgain();
    if (roomAgain || (work.lane !== null && this.claimed.has(work))) this.pump.hint();
    if (this.inWork > 0) return;
    for (const resolve of this.whenIdle.splice(0)) resolve();
  }

  private hasRoomAgain(): boolean {
    const { general, handler } = this.pools;
    return [general, handler, ...this.ownPools.values()].some(({ isHalfEmpty }) => isHalfEmpty);
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
    } catch (thrown) {
      const error = tellable(thrown);
      if (isNoFaultOfWork(error) || (mayRetry(error) && work.attempts < most)) throw error;
      return giveUp(consumer, work, error);
    }
  }

  private async giveUpOrBack(work: ClaimedWork, error: unknown): Promise<void> {
    const { store, clock, logger, random } = this.ports;
    const at = { now: clock.storeNow() };
    const fields = fieldsOf(work);
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
        this.courtesy.gaveBack(error);
        this.pump.within(this.courtesy.after(delay));
      }
      for (const row of behind) await store.releaseWork(row, 0, 'behind a failed message', at, false);
    } catch (failure) {
      unwritten(logger, 'message', failure, { ...fields, reason });
    }
  }

  /** What can't be told of a row must not keep it from being buried. */
  private async detail(work: ClaimedWork, error: unknown): Promise<string> {
    try {
      const more = await this.consumers.get(work.destination)?.describe?.(work);
      return toJson({ error: errorText(error), ...more }, 'dead letter');
    } catch (failure) {
      if (isNoFaultOfWork(failure)) throw failure;
      return toJson({ error: errorText(error), undescribed: errorText(failure) }, 'dead letter');
    }
  }
}

function fieldsOf({ destination, id, tenant, attempts }: ClaimedWork): LogFields {
  return { destination, messageId: id, tenant, attempts };
}
