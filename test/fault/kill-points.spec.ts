import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DataSource } from 'typeorm';
import { openDataSource } from '../../apps/sample/src/database/data-source.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { chosenPoints, deaths, dieAll, SAMPLE_POINTS } from './support/deaths.js';
import { MortalSample } from './support/mortal-sample.js';
import { OrderLoad, SHORT_TIMEOUTS } from './support/order-load.js';
import { seeded } from './support/random.js';
import { buildSample, type SampleBuild } from './support/sample-build.js';

// `npm run test:fault -- --rounds 20 --seed 7` dies 20 times at each point, or the same again; `--points` names some of them.
const rounds = Number(process.env['FAULT_ROUNDS'] ?? 1);
const seed = Number(process.env['FAULT_SEED'] ?? Math.floor(Math.random() * 1e9));
const points = chosenPoints(SAMPLE_POINTS);

let build: SampleBuild;
let database: TestDatabase;
let dataSource: DataSource;
const nodes: MortalSample[] = [];

beforeAll(async () => {
  [build, database] = await Promise.all([buildSample(), createTestDatabase()]);
  dataSource = await openDataSource(database.url);
});
afterAll(async () => {
  for (const node of nodes) await node.stop();
  await dataSource.destroy();
  await database.drop();
  build.remove();
});

it.skipIf(points.length === 0)(
  `two nodes on one database die ${rounds} times at each of ${points.length} fault points while orders come in, and the books balance`,
  { timeout: 300_000 + rounds * points.length * 30_000 },
  async () => {
    const random = seeded(seed);
    const plan = deaths(points, rounds, random);
    process.stdout.write(`kill-points: seed ${seed}, ${plan.length} kills\n`);
    const environment = { POSTGRES_URL: database.url, ...SHORT_TIMEOUTS };
    for (let i = 0; i < 2; i++) nodes.push(await MortalSample.start(build.mortal, environment));
    const load = new OrderLoad(nodes, random, String(seed));
    const placing = load.place();
    const died = await dieAll(nodes, plan, ({ point, nth }, n) => {
      process.stdout.write(`kill-points: ${n}. ${point}, coming ${nth}; ${load.ids.length} orders\n`);
    });
    load.stop();
    await placing;

    expect(died).toEqual(points.flatMap((point) => Array<string>(rounds).fill(point)));
    const [first, second] = nodes as [MortalSample, MortalSample];
    expect((await second.stop()).code).toBe(0);
    const outcome = await load.settle(first, dataSource);
    expect(outcome).toMatchObject({ faults: [], open: 0, orders: new Set(load.ids).size });
    expect(outcome.completed).toBeGreaterThan(0);
    expect(outcome.refunded).toBeGreaterThan(0);
    expect((await first.stop()).code).toBe(0);
  },
);
