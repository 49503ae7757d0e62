import type {
  ArchivedInstance,
  AtInstant,
  CensusLine,
  Claimed,
  ClaimedWork,
  ClaimRequest,
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
} from '@nestjs-orchestrator/core/ports';
import { commitAll } from './commit/commits.js';
import type { Connection } from './connection/connection.js';
import { checkPermissions, STORE_COMMANDS } from './connection/permissions.js';
import { checkLayout, checkServer, layoutKey } from './connection/server.js';
import { expireDeliveries, openDeliveries } from './delivery/deliveries.js';
import { park } from './delivery/park.js';
import { history } from './instance/history.js';
import { keysOf, lease, unlease } from './instance/lease.js';
import { Loads } from './instance/load.js';
import { query } from './instance/query.js';
import { Rooms } from './naming/rooms.js';
import { Hints } from './notify/hints.js';
import { census } from './operations/census.js';
import { learnNames } from './operations/learn-names.js';
import { purge } from './operations/purge.js';
import { archivedInstance, removeInstance } from './operations/remove.js';
import type { RedisStoreOptions } from './options.js';
import { claimWork } from './outbox/claim-work.js';
import { deadLetters, settleDeadLetter } from './outbox/dead-letters.js';
import { Outbox } from './outbox/outbox.js';
import { beginTimer, claimTimers, dropTimer, releaseTimer, type TimerToken } from './timer/timers.js';
import { Participants } from './transaction/participants.js';
import { Transactions } from './transaction/transactions.js';

/** The store: one method per operation, each in the file of its noun. */
export class RedisInstanceStore implements InstanceStore {
  readonly kind = 'redis';
  readonly notesConsumed = true;
  private readonly rooms: Rooms;
  private readonly loads: Loads;
  private readonly outbox: Outbox;
  private readonly hints: Hints;
  private readonly participants: Participants;
  private readonly transactions: Transactions;

  constructor(
    private readonly connection: Connection,
    private readonly options: Required<RedisStoreOptions>,
  ) {
    this.rooms = new Rooms(connection, options.prefix);
    this.loads = new Loads(connection, this.rooms);
    this.outbox = new Outbox(connection, this.rooms);
    this.hints = new Hints(connection, options.prefix);
    this.participants = new Participants(connection, this.rooms, this.hints);
    const { rooms, loads } = this;
    const ground = { connection, rooms, loads, patienceMs: options.decisionMs };
    this.transactions = new Transactions(ground, this.hints);
  }

  async start(): Promise<void> {
    await this.connection.open();
    await checkPermissions(this.connection, {
      commands: STORE_COMMANDS,
      key: layoutKey(this.options.prefix),
      channel: this.hints.channel,
    });
    await checkServer(this.connection, this.options.logger);
    await checkLayout(this.connection, this.options.prefix);
    await this.hints.start();
  }

  async close(): Promise<void> {
    this.hints.stop();
    this.transactions.stop();
    this.connection.close();
  }

  load(requests: readonly LoadRequest[], _at: AtInstant): Promise<readonly LoadResult[]> {
    return this.loads.load(requests);
  }

  async commit(
    commits: readonly Commit[],
    options: WriteOptions,
  ): Promise<readonly (CommitResult | Error)[]> {
    const { results, claimable } = await commitAll(this.connection, this.rooms, commits, options);
    this.tellIf(claimable);
    return results;
  }

  lease(request: LeaseRequest): Promise<LeaseResult> {
    return lease(this.connection, this.rooms, request);
  }

  unlease(ref: InstanceRef, token: string): Promise<void> {
    return unlease(this.connection, this.rooms, ref, token);
  }

  keys(ref: InstanceRef): Promise<readonly KeyRecord[]> {
    return keysOf(this.connection, this.rooms, ref);
  }

  async remove(request: RemoveRequest): Promise<'removed' | 'conflict'> {
    const end = await removeInstance(this.connection, this.rooms, request);
    this.tellIf(end === 'removed');
    return end;
  }

  archived(ref: InstanceRef): Promise<ArchivedInstance | null> {
    return archivedInstance(this.connection, this.rooms, ref);
  }

  purge(request: PurgeRequest): Promise<Purged> {
    return purge(this.connection, this.rooms, request);
  }

  census(): Promise<readonly CensusLine[]> {
    return census(this.connection, this.rooms, this.loads);
  }

  learnNames(names: readonly SagaName[]): Promise<readonly SagaName[]> {
    return learnNames(this.connection, this.options.prefix, names);
  }

  async park(requests: readonly ParkRequest[], at: AtInstant): Promise<readonly ParkResult[]> {
    const { results, claimable } = await park(this.connection, this.rooms, requests, at);
    this.tellIf(claimable);
    return results;
  }

  deliveries(ref: InstanceRef): Promise<readonly DeliveryRecord[]> {
    return openDeliveries(this.connection, this.rooms, ref);
  }

  expireDeliveries(at: AtInstant): Promise<number> {
    return expireDeliveries(this.connection, this.rooms, at);
  }

  async enqueue(work: readonly WorkRecord[], options: WriteOptions): Promise<boolean> {
    const { leased, claimable } = await this.outbox.enqueue(work, options);
    this.tellIf(claimable);
    return leased;
  }

  finish(items: readonly Finish[], options: WriteOptions): Promise<readonly (FinishResult | Error)[]> {
    return this.participants.finish(items, options);
  }

  consumed(messages: readonly WorkKey[]): Promise<readonly (string | null)[]> {
    return this.participants.consumed(messages);
  }

  claimWork(request: ClaimRequest): Promise<Claimed<ClaimedWork>> {
    return claimWork(this.connection, this.rooms, request);
  }

  beginWork(key: WorkKey, options: WriteOptions): Promise<number | null> {
    return this.outbox.begin(key, options);
  }

  renewWork(keys: readonly WorkKey[], options: WriteOptions): Promise<void> {
    return this.outbox.renew(keys, options);
  }

  async completeWork(keys: readonly WorkKey[]): Promise<void> {
    this.tellIf(await this.outbox.complete(keys));
  }

  async releaseWork(
    key: WorkKey,
    delayMs: number,
    _reason: string,
    at: AtInstant,
    counted = true,
  ): Promise<void> {
    await this.outbox.release(key, delayMs, counted, at);
    this.hints.tell();
  }

  buryWork(key: WorkKey, reason: string, at: AtInstant, detail: JsonText | null = null): Promise<void> {
    return this.outbox.bury(key, reason, detail, at);
  }

  claimTimers(request: ClaimRequest): Promise<Claimed<DueTimer>> {
    return claimTimers(this.connection, this.rooms, request);
  }

  beginTimer(timer: TimerToken, options: WriteOptions): Promise<number | null> {
    return beginTimer(this.connection, this.rooms, timer, options);
  }

  dropTimer(timer: TimerToken): Promise<void> {
    return dropTimer(this.connection, this.rooms, timer);
  }

  releaseTimer(timer: TimerToken, delayMs: number, at: AtInstant, counted = true): Promise<void> {
    return releaseTimer(this.connection, this.rooms, timer, { delayMs, counted }, at);
  }

  query(filter: InstanceFilter, at: AtInstant): Promise<InstancePage> {
    return query(this.connection, this.rooms, this.loads, filter, at);
  }

  history(ref: InstanceRef): Promise<readonly StoredHistory[]> {
    return history(this.connection, this.rooms, ref);
  }

  deadLetters(filter: DeadLetterFilter): Promise<readonly DeadLetter[]> {
    return deadLetters(this.connection, this.rooms, filter);
  }

  async settleDeadLetter(request: SettleRequest): Promise<boolean> {
    const { settled, claimable } = await settleDeadLetter(this.connection, this.rooms, request);
    this.tellIf(claimable);
    return settled;
  }

  transaction<T>(work: (tx: StoreTransaction) => Promise<T>, at: AtInstant): Promise<T> {
    return this.transactions.run(work, at);
  }

  within(manager: unknown, _at: AtInstant): StoreTransaction {
    return this.transactions.join(manager);
  }

  onWork(listener: () => void): () => void {
    return this.hints.add(listener);
  }

  async instant({ now }: AtInstant): Promise<number> {
    return now ?? this.connection.time();
  }

  ping(): Promise<void> {
    return this.connection.ping();
  }

  private tellIf(claimable: boolean): void {
    if (claimable) this.hints.tell();
  }
}
