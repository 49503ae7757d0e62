import type { DataSource } from 'typeorm';
import { shopMigrations } from './shop.sql.js';

/** Any number that no other program uses as a lock in this database. */
const LOCK = 7_044_151;

/** Brings the application's own tables up to date. May run on every start and in several processes at once. */
export function migrateShop(dataSource: DataSource): Promise<void> {
  return dataSource.transaction(async (manager) => {
    await manager.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
    await manager.query('CREATE SCHEMA IF NOT EXISTS shop');
    await manager.query('CREATE TABLE IF NOT EXISTS shop.migrations (version int PRIMARY KEY)');
    const [row] = await manager.query<{ done: number }[]>(
      'SELECT coalesce(max(version), 0)::int AS done FROM shop.migrations',
    );
    for (const [index, sql] of shopMigrations.entries()) {
      if (index < (row?.done ?? 0)) continue;
      await manager.query(sql);
      await manager.query('INSERT INTO shop.migrations (version) VALUES ($1)', [index + 1]);
    }
  });
}
