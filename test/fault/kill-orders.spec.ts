import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DataSource } from 'typeorm';
import { openDataSource } from '../../apps/sample/src/database/data-source.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { MortalSample } from './support/mortal-sample.js';
import { OrderLoad, SHORT_TIMEOUTS } from './support/order-load.js';
import { seeded } from './support/random.js';
import { buildSample, type SampleBuild } from './support/sample-build.js';

// `npm run test:fault -- --rounds 20 --seed 7` makes it longer, or the same again.
const rounds = Number(process.env['FAULT_ROUNDS'] ?? 2);
const orders = Number(process.env['FAULT_ORDERS'] ?? 120);
const seed = Number(process.env['FAULT_SEED'] ?? Math.floor(Math.random() * 1e9));

let build: SampleBuild;
let database: TestDatabase;
let dataSource: DataSource;
let sample: MortalSample | undefined;

beforeAll(async () => {
  [build, database] = await Promise.all([buildSample(), createTestDatabase()]);
  dataSource = await openDataSource(database.url);
});
afterAll(async () => {
  await sample?.stop();
  await dataSource.destroy();
  await database.drop();
  build.remove();
});

it(
  `${orders} orders of all kinds come to a legal end and their books balance, though the process is killed ${rounds} times`,
  { timeout: 300_000 + rounds * 30_000 },
  async () => {
    process.stdout.write(`kill-orders: seed ${seed}, ${rounds} kills, ${orders} orders\n`);
    const random = seeded(seed);
    sample = await MortalSample.start(build.main, { POSTGRES_URL: database.url, ...SHORT_TIMEOUTS });
    const running = sample;
    const load = new OrderLoad([running], random, String(seed), orders);
    const placing = load.place();
    for (let round = 0; round < rounds; round++) {
      const lines = Math.floor(random() * (600 / rounds));
      await running.killAfter(lines, random() * 30);
    }
    await placing;
    expect(new Set(load.ids).size).toBe(orders);
    const outcome = await load.settle(running, dataSource);
    expect(outcome).toMatchObject({ faults: [], open: 0, orders: new Set(load.ids).size });
    expect(outcome.completed).toBeGreaterThan(0);
    expect(outcome.refunded).toBeGreaterThan(0);
    expect(running.kills).toBe(rounds);
    expect((await running.stop()).code).toBe(0);
  },
);
