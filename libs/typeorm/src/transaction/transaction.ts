import { StoreUnavailableError } from '@nestjs-orchestrator/core';
import type { AtInstant, StoreTransaction } from '@nestjs-orchestrator/core/ports';
import type { QueryRunner } from 'typeorm';
import type { PgClient } from '../database/client.js';
import type { Database } from '../database/database.js';
import { mapped } from '../database/unavailable.js';
import { JoinedTransaction } from './joined.js';

/** Runs `work` in a transaction of its own; `committed` is told whether that left work to others. */
export async function transaction<T>(
  database: Database,
  work: (tx: StoreTransaction) => Promise<T>,
  at: AtInstant,
  committed: (claimable: boolean) => void,
): Promise<T> {
  const runner = database.dataSource.createQueryRunner('master');
  let broken: Error | null = null;
  const onError = (error: Error): void => void (broken = error);
  let client: PgClient | null = null;
  let claimable = false;
  try {
    client = (await runner.connect()) as PgClient;
    client.on('error', onError);
    await runner.startTransaction('READ COMMITTED');
    const result = await work(
      new JoinedTransaction(database, runner.manager, at, () => void (claimable = true)),
    );
    await runner.commitTransaction();
    committed(claimable);
    return result;
  } catch (error) {
    await rollback(runner);
    // Whatever `work` made of it: the cause is the connection, and the same may succeed later.
    if (broken !== null) throw lostConnection(broken);
    throw mapped(error);
  } finally {
    client?.removeListener('error', onError);
    await runner.release();
  }
}

/** A connection that is gone has rolled back already, and the first error tells more. */
async function rollback(runner: QueryRunner): Promise<void> {
  if (runner.isTransactionActive && !runner.isReleased)
    await runner.rollbackTransaction().catch(() => undefined);
}

function lostConnection(cause: Error): StoreUnavailableError {
  return new StoreUnavailableError('The connection broke in a transaction, which was rolled back.', {
    cause,
  });
}
