import type { Purged, PurgeRequest } from '@nestjs-orchestrator/core/ports';
import type { Database } from '../database/database.js';
import { purgeConsumedSql, purgeInboxSql, purgeLettersSql, purgeTombstonesSql } from './purge.sql.js';

/** One statement for each kind, so that none holds its locks for long. */
export async function purge(database: Database, request: PurgeRequest): Promise<Purged> {
  const { now, limit, inboxMs, lettersMs, tombstonesMs } = request;
  const run = async (name: string, sql: string, olderThan: number) => {
    const statement = database.statement(`purge_${name}`, sql);
    const { rows } = await database.run<{ count: number; seen?: number }>(statement, [now, olderThan, limit]);
    return rows[0] ?? { count: 0 };
  };
  const inbox = await run('inbox', purgeInboxSql, inboxMs);
  const consumed = await run('consumed', purgeConsumedSql, inboxMs);
  const letters = await run('letters', purgeLettersSql, lettersMs);
  const tombstones = await run('tombstones', purgeTombstonesSql, tombstonesMs);
  const looked = [inbox.seen ?? 0, consumed.count, letters.count, tombstones.count];
  return {
    inbox: inbox.count,
    consumed: consumed.count,
    letters: letters.count,
    tombstones: tombstones.count,
    more: looked.some((count) => count >= limit),
  };
}
