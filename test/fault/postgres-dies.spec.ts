import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DataSource } from 'typeorm';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '@nestjs-orchestrator/embedded-postgres';
import { openDataSource } from '../../apps/sample/src/database/data-source.js';
import { freePort } from '../support/redis-server.js';
import { MortalSample } from './support/mortal-sample.js';
import { OrderLoad, SHORT_TIMEOUTS } from './support/order-load.js';
import { outage, staysAway } from './support/outage.js';
import { seeded } from './support/random.js';
import { buildSample, type SampleBuild } from './support/sample-build.js';

const rounds = Number(process.env['FAULT_ROUNDS'] ?? 1);
const seed = Number(process.env['FAULT_SEED'] ?? Math.floor(Math.random() * 1e9));
/** Orders between two deaths of the database. */
const BETWEEN = 25;

let build: SampleBuild;
let dataDir: string;
let server: EmbeddedPostgres;
let dataSource: DataSource | undefined;
let sample: MortalSample | undefined;

/** On a port that no outgoing connection gets while it is away. */
async function openServer(): Promise<EmbeddedPostgres> {
  return startEmbeddedPostgres({ dataDir, stopOnExit: true, port: await freePort() });
}

beforeAll(async () => {
  dataDir = mkdtempSync(join(realpathSync(tmpdir()), 'nestjs-orchestrator-dies-'));
  [build, server] = await Promise.all([buildSample(), openServer()]);
});
afterAll(async () => {
  await sample?.stop();
  await dataSource?.destroy();
  await server.stop();
  rmSync(dataDir, { recursive: true });
  build.remove();
});

it(
  `Postgres is killed ${rounds} times under load, ${outage}: the process goes on by itself when it is back, and the books balance`,
  { timeout: 300_000 + rounds * 120_000 },
  async () => {
    process.stdout.write(`postgres-dies: seed ${seed}, ${rounds} kills\n`);
    sample = await MortalSample.start(build.main, { POSTGRES_URL: server.url, ...SHORT_TIMEOUTS });
    const load = new OrderLoad([sample], seeded(seed), String(seed));
    const placing = load.place();
    for (let round = 0; round < rounds; round++) {
      await load.reached(load.ids.length + BETWEEN);
      process.kill(server.pid, 'SIGKILL');
      // It is dead; this only waits for the last of its processes and gives the directory free.
      await server.stop();
      await staysAway();
      server = await startEmbeddedPostgres({ dataDir, stopOnExit: true, port: server.port });
    }
    await load.reached(load.ids.length + BETWEEN);
    load.stop();
    await placing;

    dataSource = await openDataSource(server.url);
    const outcome = await load.settle(sample, dataSource);
    expect(outcome).toMatchObject({ faults: [], open: 0, orders: new Set(load.ids).size });
    expect(outcome.completed).toBeGreaterThan(0);
    expect(outcome.refunded).toBeGreaterThan(0);
    expect(sample.kills).toBe(0);
    expect((await sample.stop()).code).toBe(0);
  },
);
