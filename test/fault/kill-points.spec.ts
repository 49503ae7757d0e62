import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DataSource } from 'typeorm';
import { openDataSource } from '../../apps/sample/src/database/data-source.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { faultPointNames } from './support/fault-point-names.js';
import { MortalSample } from './support/mortal-sample.js';
import { OrderLoad, SHORT_TIMEOUTS } from './support/order-load.js';
import { seeded } from './support/random.js';
import { buildSample, type SampleBuild } from './support/sample-build.js';

// `npm run test:fault -- --rounds 20 --seed 7` dies 20 times at each point, or the same again.
const rounds = Number(process.env['FAULT_ROUNDS'] ?? 1);
const seed = Number(process.env['FAULT_SEED'] ?? Math.floor(Math.random() * 1e9));
/** A point is left at one of its first comings, so that each death finds other work under way. */
const COMINGS = 12;
/** Points that no order of the sample comes to. */
const ELSEWHERE = new Set([
  // A message that is published twice under one id is settled without a commit.
  'relay.complete.before',
  // The sample has no durable activity, no remote route, and no instance that is so contended that it needs a lease.
  'activity.before',
  'activity.done',
  'remote.send.before',
  'remote.send.after',
  'saga.leased',
]);

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

interface Death {
  readonly point: string;
  readonly nth: number;
}

/** Each point so many times, in an order that the seed fixes. */
function deaths(points: readonly string[], random: () => number): Death[] {
  const all = points.flatMap((point) =>
    Array.from({ length: rounds }, () => ({ point, nth: 1 + Math.floor(random() * COMINGS), at: random() })),
  );
  return all.toSorted((a, b) => a.at - b.at);
}

const points = faultPointNames().filter((name) => !ELSEWHERE.has(name));

it(
  `two nodes on one database die ${rounds} times at each of ${points.length} fault points while orders come in, and the books balance`,
  { timeout: 180_000 + rounds * points.length * 30_000 },
  async () => {
    const random = seeded(seed);
    const plan = deaths(points, random);
    process.stdout.write(`kill-points: seed ${seed}, ${plan.length} kills\n`);
    const environment = { POSTGRES_URL: database.url, ...SHORT_TIMEOUTS };
    for (let i = 0; i < 2; i++) nodes.push(await MortalSample.start(build.mortal, environment));
    const load = new OrderLoad(nodes, random, String(seed));
    const placing = load.place();

    const died: string[] = [];
    const next = async (node: MortalSample): Promise<void> => {
      for (let death = plan.shift(); death !== undefined; death = plan.shift()) {
        const { signal } = await node.dieAt(death.point, death.nth);
        expect(signal).toBe('SIGKILL');
        died.push(death.point);
        process.stdout.write(
          `kill-points: ${died.length}. ${death.point}, coming ${death.nth}; ${load.ids.length} orders\n`,
        );
      }
      await node.revive();
    };
    await Promise.all(nodes.map(next));
    load.stop();
    await placing;

    expect(died.toSorted()).toEqual(points.flatMap((point) => Array<string>(rounds).fill(point)));
    const [first, second] = nodes as [MortalSample, MortalSample];
    expect((await second.stop()).code).toBe(0);
    const outcome = await load.settle(first, dataSource);
    expect(outcome).toMatchObject({ faults: [], open: 0, orders: new Set(load.ids).size });
    expect(outcome.completed).toBeGreaterThan(0);
    expect(outcome.refunded).toBeGreaterThan(0);
    expect((await first.stop()).code).toBe(0);
  },
);
