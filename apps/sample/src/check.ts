import 'reflect-metadata';
import { settings } from './config/settings.js';
import { openDataSource } from './database/data-source.js';
import { joinPostgres } from './database/postgres.js';
import { explain } from './startup/failure.js';
import { balance } from './totals/balance.js';
import { readBooks } from './totals/totals.js';

/** `npm run check:orders`: prints totals; ends with 0 if they balance and every order has reached its end. */
async function main(): Promise<void> {
  const postgres = await joinPostgres(settings);
  try {
    const dataSource = await openDataSource(postgres.url);
    try {
      const { open, faults, report } = balance(await readBooks(dataSource));
      process.stdout.write(`${report}\n`);
      process.exitCode = open === 0 && faults.length === 0 ? 0 : 1;
    } finally {
      await dataSource.destroy();
    }
  } finally {
    await postgres.stop();
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${explain(error)}\n`);
  process.exitCode = 1;
});
