import type {
  ArchivedInstance,
  AtInstant,
  CensusLine,
  Claimed,
  ClaimedWork,
  ClaimRequest,
  Clock,
  Commit,
  CommitResult,
  DeadLetter,
  DeadLetterFilter,
  DeliveryRecord,
  DueTimer,
  Finish,
  FinishResult,
  InstanceFilter,
  InstancePage,
  InstanceRef,
  InstanceStore,
  JsonText,
  KeyRecord,
  LeaseRequest,
  LeaseResult,
  LoadRequest,
  LoadResult,
  ParkRequest,
  ParkResult,
  Purged,
  PurgeRequest,
  RemoveRequest,
  SagaName,
  SettleRequest,
  StoredHistory,
  StoreTransaction,
  WorkKey,
  WorkRecord,
  WriteOptions,
} from '../ports/index.js';
import { systemClock } from '../ports/index.js';
import { census } from './census.js';
import { commitOne, loadOne, stored } from './commits.js';
import { MemoryData } from './memory-data.js';
import { instanceName } from './names.js';
import { learnNames } from './learned-names.js';
import { parkOne } from './parking.js';
import { purge } from './purge.js';
import { page } from './queries.js';
import { removeOne, settleOne } from './removals.js';
import type { TimerToken } from './timers.js';

/** Options of {@link memoryStore}. */
export interface MemoryStoreOptions {
  /** The store's own clock, asked by calls whose `now` is `null`. Default: the machine's. */
  readonly clock?: Clock;
}

/** An {@link InstanceStore} in memory. */
export interface MemoryStore extends InstanceStore {
  /** Another connection to the same data, as a second node has one; its listeners are its own. */
  connect(): MemoryStore;
}

/**
 * A store that keeps everything in this process: the executable specification of {@link InstanceStore}, for tests and
 * simulation. Each call does all its work in one go and answers a turn later, so calls take effect one by one, in the order
 * they were made.
 */
export function memoryStore(options: MemoryStoreOptions = {}): MemoryStore {
  return new MemoryConnection(new MemoryData(), options.clock ?? systemClock);
}

/** Methods are `async`, which is what makes them answer a turn later and reject instead of throw. */
class MemoryConnection implements MemoryStore {
  readonly kind = 'memory';
  readonly notesConsumed = true;
  private readonly unsubscribe = new Set<() => void>();

  constructor(
    private readonly data: MemoryData,
    private readonly clock: Clock,
  ) {}

  connect(): MemoryStore {
    return new MemoryConnection(this.data, this.clock);
  }

  async start(): Promise<void> {}

  async close(): Promise<void> {
    for (const stop of this.unsubscribe) stop();
    this.unsubscribe.clear();
  }

  async instant(at: AtInstant): Promise<number> {
    return this.now(at);
  }

  async ping(): Promise<void> {}

  onWork(listener: () => void): () => void {
    const stop = this.data.hints.add(listener);
    this.unsubscribe.add(stop);
    return () => {
      stop();
      this.unsubscribe.delete(stop);
    };
  }

  async load(requests: readonly LoadRequest[], _at: AtInstant): Promise<readonly LoadResult[]> {
    return requests.map((request) => loadOne(this.data, request));
  }

  async commit(
    commits: readonly Commit[],
    options: WriteOptions,
  ): Promise<readonly (CommitResult | Error)[]> {
    const now = this.now(options);
    return commits.map((commit) => commitOne(this.data, commit, options, now));
  }

  async lease(request: LeaseRequest): Promise<LeaseResult> {
    const { instances, locks } = this.data;
    if (!locks.areFree([instanceName(request.ref)], null)) return { outcome: 'busy', retryMs: 0 };
    return instances.lease(request, this.now(request));
  }

  async unlease(ref: InstanceRef, token: string): Promise<void> {
    this.data.instances.unlease(ref, token);
  }

  async keys(ref: InstanceRef): Promise<readonly KeyRecord[]> {
    return this.data.instances.keysOf(ref);
  }

  async remove(request: RemoveRequest): Promise<'removed' | 'conflict'> {
    const end = removeOne(this.data, request, this.now(request));
    if (end === 'removed') this.data.hints.tell();
    return end;
  }

  async archived(ref: InstanceRef): Promise<ArchivedInstance | null> {
    return this.data.archive.find(ref);
  }

  async purge(request: PurgeRequest): Promise<Purged> {
    return purge(this.data, request, this.now(request));
  }

  async census(): Promise<readonly CensusLine[]> {
    return census(this.data);
  }

  async learnNames(names: readonly SagaName[]): Promise<readonly SagaName[]> {
    return learnNames(this.data.names, names);
  }

  async park(requests: readonly ParkRequest[], at: AtInstant): Promise<readonly ParkResult[]> {
    const now = this.now(at);
    return requests.map((request) => parkOne(this.data, request, now));
  }

  async deliveries(ref: InstanceRef): Promise<readonly DeliveryRecord[]> {
    return this.data.deliveries.list(ref);
  }

  async expireDeliveries(at: AtInstant): Promise<number> {
    return this.data.deliveries.expire(this.now(at));
  }

  async enqueue(work: readonly WorkRecord[], options: WriteOptions): Promise<boolean> {
    return this.data.writeWork(work, this.now(options), options).leased;
  }

  finish(items: readonly Finish[], options: WriteOptions): Promise<readonly (FinishResult | Error)[]> {
    return Promise.all(items.map((item) => this.finishOne(item, options)));
  }

  async consumed(messages: readonly WorkKey[]): Promise<readonly (string | null)[]> {
    return messages.map((message) => this.data.transactions.outcomeOf(message));
  }

  async claimWork(request: ClaimRequest): Promise<Claimed<ClaimedWork>> {
    return this.data.outbox.claim(request, this.now(request));
  }

  async beginWork(key: WorkKey, { owner }: WriteOptions): Promise<number | null> {
    return this.data.outbox.begin(key, owner);
  }

  async renewWork(keys: readonly WorkKey[], options: WriteOptions): Promise<void> {
    this.data.outbox.renew(keys, options, this.now(options));
  }

  async completeWork(keys: readonly WorkKey[]): Promise<void> {
    this.data.removeWork(keys);
  }

  async releaseWork(
    key: WorkKey,
    delayMs: number,
    _reason: string,
    at: AtInstant,
    counted = true,
  ): Promise<void> {
    this.data.outbox.release(key, delayMs, counted, this.now(at));
    this.data.hints.tell();
  }

  async buryWork(key: WorkKey, reason: string, at: AtInstant, detail: JsonText | null = null): Promise<void> {
    this.data.outbox.bury(key, reason, detail, this.now(at));
  }

  async claimTimers(request: ClaimRequest): Promise<Claimed<DueTimer>> {
    return this.data.timers.claim(request, this.now(request));
  }

  async beginTimer(timer: TimerToken, { owner }: WriteOptions): Promise<number | null> {
    return this.data.timers.begin(timer, owner);
  }

  async dropTimer(timer: TimerToken): Promise<void> {
    this.data.timers.drop(timer);
  }

  async releaseTimer(timer: TimerToken, delayMs: number, at: AtInstant, counted = true): Promise<void> {
    this.data.timers.release(timer, delayMs, counted, this.now(at));
  }

  async query(filter: InstanceFilter, at: AtInstant): Promise<InstancePage> {
    const { instances } = this.data;
    const { key } = filter;
    const all =
      key === undefined ? instances.all() : [...instances.all()].filter((row) => instances.shares(row, key));
    const { rows, next } = page(all, filter, this.now(at));
    return { items: rows.map((row) => stored(this.data, row)), next };
  }

  async history(ref: InstanceRef): Promise<readonly StoredHistory[]> {
    return this.data.histories.read(ref);
  }

  async deadLetters(filter: DeadLetterFilter): Promise<readonly DeadLetter[]> {
    return this.data.deadLetters.list(filter);
  }

  async settleDeadLetter(request: SettleRequest): Promise<boolean> {
    return settleOne(this.data, request, this.now(request));
  }

  async transaction<T>(work: (tx: StoreTransaction) => Promise<T>, at: AtInstant): Promise<T> {
    const { data } = this;
    return data.transactions.run(work, at, { data, now: (joined) => this.now(joined) });
  }

  within(manager: unknown, at: AtInstant): StoreTransaction {
    return this.data.transactions.join(manager, at);
  }

  private async finishOne(
    { message, outcome, work }: Finish,
    options: WriteOptions,
  ): Promise<FinishResult | Error> {
    const rows = work.map((row) => ({ ...row }));
    const first = await this.data.transactions.decide(message, outcome, this.now(options));
    this.data.removeWork([message]);
    if (!first) return { outcome: 'repeated' };
    return { outcome: 'finished', leased: this.data.writeWork(rows, this.now(options), options).leased };
  }

  private now({ now }: AtInstant): number {
    return now ?? this.clock.now();
  }
}
