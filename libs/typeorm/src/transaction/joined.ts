import { StoreTransactionError } from '@nestjs-orchestrator/core';
import type {
  AtInstant,
  Commit,
  CommitResult,
  DeliveryRecord,
  InstanceRef,
  LoadRequest,
  LoadResult,
  ParkRequest,
  ParkResult,
  StoreTransaction,
  WorkKey,
  WorkRecord,
  WriteOptions,
} from '@nestjs-orchestrator/core/ports';
import type { EntityManager, QueryRunner } from 'typeorm';
import { commitParameters } from '../commit/commit-parameters.js';
import { commitSql } from '../commit/commit.sql.js';
import { verdict, type CommitRow } from '../commit/commits.js';
import type { PgClient, QueryAnswer } from '../database/client.js';
import type { Database } from '../database/database.js';
import { bound, type Statement } from '../database/statement.js';
import { mapped } from '../database/unavailable.js';
import { deliveriesSql } from '../delivery/deliveries.sql.js';
import { parkTogether } from '../delivery/park.js';
import { load } from '../instance/load.js';
import { completeWorkSql } from '../outbox/complete-work.sql.js';
import { enqueueParameters, leftToOthers, type EnqueueRow } from '../outbox/enqueue.js';
import { enqueueSql } from '../outbox/enqueue.sql.js';
import { handOverParameters, type HandOverRow } from '../outbox/hand-over.js';
import { handOverSql } from '../outbox/hand-over.sql.js';
import { keyColumns } from '../outbox/outbox.js';
import { consumeSql } from './consume.sql.js';

/** The transaction of an `EntityManager` as the store sees it. Its statements run on the same connection as the caller's. */
export class JoinedTransaction implements StoreTransaction {
  private readonly runner: QueryRunner;
  private last: Promise<unknown> = Promise.resolve();

  /** @param announce called in the transaction after a write that may leave work to others */
  constructor(
    private readonly database: Database,
    readonly manager: EntityManager,
    private readonly at: AtInstant,
    private readonly announce: (client: PgClient) => unknown,
  ) {
    this.runner = runnerOf(database, manager);
  }

  async consume({ tenant, destination, id }: WorkKey, outcome: string): Promise<boolean> {
    const { rows } = await this.run('consume', consumeSql, [this.at.now, tenant, destination, id, outcome]);
    return rows.length > 0;
  }

  async enqueue(work: readonly WorkRecord[]): Promise<void> {
    if (work.length === 0) return;
    const values = enqueueParameters(work, this.at, null);
    const { rows } = await this.run<EnqueueRow>('enqueue', enqueueSql, values);
    if (rows[0] && leftToOthers(work, rows[0])) await this.announceWork();
  }

  async complete(keys: readonly WorkKey[]): Promise<void> {
    if (keys.length === 0) return;
    const { rows } = await this.run<{ followed: boolean }>(
      'complete_work',
      completeWorkSql,
      keyColumns(keys),
    );
    if (rows[0]?.followed === true) await this.announceWork();
  }

  async handOver(
    done: readonly WorkKey[],
    work: readonly WorkRecord[],
    options: WriteOptions,
  ): Promise<boolean> {
    const values = handOverParameters(done, work, options);
    const { rows } = await this.run<HandOverRow>('hand_over', handOverSql, values);
    const { leased = null, added = 0, followed = false } = rows[0] ?? {};
    if (followed || leftToOthers(work, { leased, added })) await this.announceWork();
    return leased === true;
  }

  load(requests: readonly LoadRequest[]): Promise<readonly LoadResult[]> {
    return load(this.database, requests, this.ask);
  }

  /** Alone in its statement: nobody else's commit is in the caller's transaction. */
  async commit(commit: Commit): Promise<CommitResult> {
    const values = commitParameters([commit], { now: this.at.now, owner: null, leaseMs: 0 });
    try {
      const { rows } = await this.run<CommitRow>('commit', commitSql, values);
      const [row] = rows;
      if (row === undefined || row.n === null) return { outcome: 'conflict' };
      const { version, woken } = row;
      // Also without work: others may wait for the instance, and nobody in this process is told by the caller's commit.
      await this.announceWork();
      return { outcome: 'committed', version, leased: false, woken };
    } catch (error) {
      const answer = verdict(error);
      if (answer instanceof Error) throw answer;
      return answer;
    }
  }

  async park(requests: readonly ParkRequest[]): Promise<readonly ParkResult[]> {
    if (requests.length === 0) return [];
    const { results, claimable } = await parkTogether(this.database, requests, this.at, this.ask);
    if (claimable) await this.announceWork();
    return results;
  }

  async deliveries({ tenant, saga, id }: InstanceRef): Promise<readonly DeliveryRecord[]> {
    return (await this.run<DeliveryRecord>('deliveries', deliveriesSql, [tenant, saga, id])).rows;
  }

  private async announceWork(): Promise<void> {
    await this.inTurn(async (client) => this.announce(client));
  }

  private run<Row>(operation: string, sql: string, values: unknown[]): Promise<QueryAnswer<Row>> {
    return this.ask<Row>(this.database.statement(operation, sql), values);
  }

  /** One statement after the other, also when the caller awaits none of several calls: a connection can have one at a time. */
  private readonly ask = <Row>(prepared: Statement, values: readonly unknown[]): Promise<QueryAnswer<Row>> =>
    this.inTurn(async (client) => {
      try {
        return await client.query<Row>(bound(prepared, values));
      } catch (error) {
        throw mapped(error);
      }
    });

  private inTurn<T>(task: (client: PgClient) => Promise<T>): Promise<T> {
    const run = async (): Promise<T> => task(await this.client());
    const turn = this.last.then(run, run);
    this.last = turn;
    // Told to whoever asked; the next turn comes either way.
    turn.catch(() => undefined);
    return turn;
  }

  private async client(): Promise<PgClient> {
    mustBeOpen(this.runner);
    return (await this.runner.connect()) as PgClient;
  }
}

function runnerOf(database: Database, manager: EntityManager): QueryRunner {
  const runner = (manager as Partial<EntityManager> | null | undefined)?.queryRunner;
  if (runner === undefined || runner.manager === undefined) {
    throw new StoreTransactionError(
      'within() was given something that is no EntityManager of a transaction: pass the one that `dataSource.transaction()` hands out.',
    );
  }
  if (runner.dataSource !== database.dataSource) {
    throw new StoreTransactionError(
      'within() was given a transaction of another DataSource than the store has: its commit would not be the store’s.',
    );
  }
  mustBeOpen(runner);
  return runner;
}

function mustBeOpen(runner: QueryRunner): void {
  if (runner.isTransactionActive && !runner.isReleased) return;
  throw new StoreTransactionError('This transaction has ended: await all its calls before it is committed.');
}
