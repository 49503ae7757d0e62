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
import type { EntityManager } from 'typeorm';
import { Commits } from './commit/commits.js';
import type { Database } from './database/database.js';
import { expireDeliveries, openDeliveries } from './delivery/deliveries.js';
import { park } from './delivery/park.js';
import { historySql } from './instance/history.sql.js';
import { lease, unlease } from './instance/lease.js';
import { load } from './instance/load.js';
import { query } from './instance/query.js';
import { checkSchema, migrate } from './migrations/migrate.js';
import { WorkHints } from './notify/work-hints.js';
import type { TypeormStoreOptions } from './options.js';
import { census } from './operations/census.js';
import { learnNames } from './operations/learn-names.js';
import { purge } from './operations/purge.js';
import { archived, keysOf, remove } from './operations/remove.js';
import { claimWork } from './outbox/claim-work.js';
import { consumed, finish } from './outbox/finish.js';
import { deadLetters, settleDeadLetter } from './outbox/letters.js';
import { beginWork, buryWork, completeWork, enqueueWork, releaseWork, renewWork } from './outbox/outbox.js';
import { beginTimer, claimTimers, dropTimer, releaseTimer, type TimerToken } from './timer/timers.js';
import { JoinedTransaction } from './transaction/joined.js';
import { transaction } from './transaction/transaction.js';

/** The store: one method per operation, each in the file of its noun. */
export class PostgresStore implements InstanceStore {
  readonly kind = 'postgres';
  readonly notesConsumed = true;
  private readonly commits: Commits;
  private readonly hints: WorkHints;

  constructor(
    private readonly database: Database,
    private readonly migrations: NonNullable<TypeormStoreOptions['migrations']>,
  ) {
    this.commits = new Commits(database);
    this.hints = new WorkHints(database);
  }

  async start(): Promise<void> {
    const { database } = this;
    database.mustBeInitialised();
    database.guardNewConnections();
    if (this.migrations === 'run') await migrate(database.dataSource, { schema: database.schema });
    else await checkSchema(database);
    await this.hints.start();
  }

  close(): Promise<void> {
    return this.hints.stop();
  }

  load(requests: readonly LoadRequest[], _at: AtInstant): Promise<readonly LoadResult[]> {
    return load(this.database, requests);
  }

  async commit(
    commits: readonly Commit[],
    options: WriteOptions,
  ): Promise<readonly (CommitResult | Error)[]> {
    const { results, claimable } = await this.commits.commit(commits, options);
    this.tellIf(claimable);
    return results;
  }

  lease(request: LeaseRequest): Promise<LeaseResult> {
    return lease(this.database, request);
  }

  unlease(ref: InstanceRef, token: string): Promise<void> {
    return unlease(this.database, ref, token);
  }

  keys(ref: InstanceRef): Promise<readonly KeyRecord[]> {
    return keysOf(this.database, ref);
  }

  async remove(request: RemoveRequest): Promise<'removed' | 'conflict'> {
    const end = await remove(this.database, request);
    this.tellIf(end === 'removed');
    return end;
  }

  archived(ref: InstanceRef): Promise<ArchivedInstance | null> {
    return archived(this.database, ref);
  }

  purge(request: PurgeRequest): Promise<Purged> {
    return purge(this.database, request);
  }

  census(): Promise<readonly CensusLine[]> {
    return census(this.database);
  }

  learnNames(names: readonly SagaName[]): Promise<readonly SagaName[]> {
    return learnNames(this.database, names);
  }

  async park(requests: readonly ParkRequest[], at: AtInstant): Promise<readonly ParkResult[]> {
    const { results, claimable } = await park(this.database, requests, at);
    this.tellIf(claimable);
    return results;
  }

  deliveries(ref: InstanceRef): Promise<readonly DeliveryRecord[]> {
    return openDeliveries(this.database, ref);
  }

  expireDeliveries(at: AtInstant): Promise<number> {
    return expireDeliveries(this.database, at);
  }

  async enqueue(work: readonly WorkRecord[], options: WriteOptions): Promise<boolean> {
    const { leased, claimable } = await enqueueWork(this.database, work, options);
    this.tellIf(claimable);
    return leased;
  }

  async finish(items: readonly Finish[], options: WriteOptions): Promise<readonly (FinishResult | Error)[]> {
    const { results, claimable } = await finish(this.database, items, options);
    this.tellIf(claimable);
    return results;
  }

  consumed(messages: readonly WorkKey[]): Promise<readonly (string | null)[]> {
    return consumed(this.database, messages);
  }

  claimWork(request: ClaimRequest): Promise<Claimed<ClaimedWork>> {
    return claimWork(this.database, request);
  }

  beginWork(key: WorkKey, options: WriteOptions): Promise<number | null> {
    return beginWork(this.database, key, options);
  }

  renewWork(keys: readonly WorkKey[], options: WriteOptions): Promise<void> {
    return renewWork(this.database, keys, options);
  }

  async completeWork(keys: readonly WorkKey[]): Promise<void> {
    this.tellIf(await completeWork(this.database, keys));
  }

  async releaseWork(
    key: WorkKey,
    delayMs: number,
    reason: string,
    at: AtInstant,
    counted = true,
  ): Promise<void> {
    await releaseWork(this.database, key, delayMs, reason, at, counted);
    this.hints.tell();
  }

  buryWork(key: WorkKey, reason: string, at: AtInstant, detail: JsonText | null = null): Promise<void> {
    return buryWork(this.database, key, reason, at, detail);
  }

  claimTimers(request: ClaimRequest): Promise<Claimed<DueTimer>> {
    return claimTimers(this.database, request);
  }

  beginTimer(timer: TimerToken, options: WriteOptions): Promise<number | null> {
    return beginTimer(this.database, timer, options);
  }

  dropTimer(timer: TimerToken): Promise<void> {
    return dropTimer(this.database, timer);
  }

  releaseTimer(timer: TimerToken, delayMs: number, at: AtInstant, counted = true): Promise<void> {
    return releaseTimer(this.database, timer, delayMs, at, counted);
  }

  query(filter: InstanceFilter, at: AtInstant): Promise<InstancePage> {
    return query(this.database, filter, at);
  }

  async history({ tenant, saga, id }: InstanceRef): Promise<readonly StoredHistory[]> {
    const statement = this.database.statement('history', historySql);
    return (await this.database.run<StoredHistory>(statement, [tenant, saga, id])).rows;
  }

  deadLetters(filter: DeadLetterFilter): Promise<readonly DeadLetter[]> {
    return deadLetters(this.database, filter);
  }

  async settleDeadLetter(request: SettleRequest): Promise<boolean> {
    const settled = await settleDeadLetter(this.database, request);
    this.tellIf(settled);
    return settled;
  }

  transaction<T>(work: (tx: StoreTransaction) => Promise<T>, at: AtInstant): Promise<T> {
    return transaction(this.database, work, at, (claimable) => this.tellIf(claimable));
  }

  within(manager: unknown, at: AtInstant): StoreTransaction {
    return new JoinedTransaction(this.database, manager as EntityManager, at, (client) =>
      this.hints.tellOnCommit(client),
    );
  }

  onWork(listener: () => void): () => void {
    return this.hints.add(listener);
  }

  async instant({ now }: AtInstant): Promise<number> {
    if (now !== null) return now;
    const { rows } = await this.database.withClient((client) =>
      client.query<{ ms: number }>('SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS ms'),
    );
    return Math.floor((rows[0] as { readonly ms: number }).ms);
  }

  async ping(): Promise<void> {
    await this.database.withClient((client) => client.query('SELECT 1'));
  }

  private tellIf(claimable: boolean): void {
    if (claimable) this.hints.tell();
  }
}
