/**
 * How Postgres executes every statement of the store on big tables: `npm run bench:plans -- --rows=1000000`. Each is looked at with its values before it runs
 * (what it read), and with any values (which plan is kept). Exits with 1 where one reads more rows than it may.
 */
import { typeormStore } from '@nestjs-orchestrator/typeorm';
import { DataSource } from 'typeorm';
import { startServer } from '../saga/server.js';
import { size } from '../saga/size.js';
import { callAll } from './calls.js';
import { Explainer } from './explainer.js';
import { fill, spoil } from './rows.js';

/** A statement reads so many rows at most, however many there are. */
const MOST_READ = 4_000;
/** Asked for by people, of all that there is. */
const READ_ALL: ReadonlySet<string> = new Set(['census', 'census_groups', 'census_undo']);

const rows = size('rows', 1_000_000);
const server = await startServer();
let faults = 0;
try {
  const url = await server.database('plans');
  const source = await new DataSource({ type: 'postgres', url, poolSize: 4 }).initialize();
  const store = typeormStore(source);
  await store.start();
  const started = performance.now();
  await fill(url, rows);
  console.log(`${rows} rows in each table, after ${Math.round((performance.now() - started) / 1_000)} s`);
  const explainer = await Explainer.watching(url);
  await callAll(store, rows, () => spoil(url));
  console.log('statement             rows read   pages     ms  by');
  for (const { operation, read, pages, ms, nodes, whole } of await explainer.ended()) {
    const isMuch = !READ_ALL.has(operation) && read > MOST_READ;
    if (isMuch) faults += 1;
    const figures = [
      operation.padEnd(20),
      String(read).padStart(10),
      String(pages).padStart(7),
      ms.toFixed(1).padStart(8),
    ];
    const note =
      whole.length > 0 ? `(planned each time: any values would read all of ${whole.join(', ')}) ` : '';
    console.log(`${figures.join(' ')}  ${note}${nodes.join(', ')}${isMuch ? '  <-- too much' : ''}`);
  }
  await store.close();
  await source.destroy();
} finally {
  await server.stop();
}
console.log(faults === 0 ? 'No statement reads more than it must.' : `${faults} statements read too much.`);
process.exitCode = faults === 0 ? 0 : 1;
