import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { createTestDatabase } from '../support/database.js';
import { redisNamespace } from '../support/redis.js';
import { chosenPoints, deaths, dieAll, forgottenPoints, OTHER_POINTS, POINTS } from './support/deaths.js';
import { MortalSample } from './support/mortal-sample.js';
import { Outside } from './support/outside.js';
import { seeded } from './support/random.js';
import { buildSample, type SampleBuild } from './support/sample-build.js';

// `npm run test:fault -- --rounds 20 --seed 7` dies 20 times at each point, or the same again; `--points` names some of them.
const rounds = Number(process.env['FAULT_ROUNDS'] ?? 1);
const seed = Number(process.env['FAULT_SEED'] ?? Math.floor(Math.random() * 1e9));
const CLIENTS = 4;

/** Where the nodes keep their sagas. On Postgres the sample dies at the other points, in `kill-points.spec.ts`. */
const stores = [
  {
    kind: 'postgres',
    points: chosenPoints(OTHER_POINTS),
    open: async () => {
      const { url, drop } = await createTestDatabase();
      return { environment: { STORE_URL: url }, close: drop };
    },
  },
  {
    kind: 'redis',
    points: chosenPoints(POINTS),
    open: async () => {
      const { url, prefix } = redisNamespace();
      return { environment: { STORE_URL: url, STORE_PREFIX: prefix }, close: async () => {} };
    },
  },
];

let build: SampleBuild;
let outside: Outside;
const cleanUp: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  build = await buildSample();
});
afterEach(async () => {
  for (const each of cleanUp.splice(0).reverse()) await each();
});
afterAll(() => build.remove());

it('no fault point is forgotten', () => {
  expect(forgottenPoints()).toEqual([]);
});

it.each(stores.filter(({ points }) => points.length > 0))(
  `two nodes on one store ($kind) die ${rounds} times at each fault point while errands come in, and each effect has one id`,
  { timeout: 300_000 + rounds * POINTS.length * 20_000 },
  async ({ kind, points, open }) => {
    const random = seeded(seed);
    const plan = deaths(points, rounds, random);
    process.stdout.write(`kill-errands on ${kind}: seed ${seed}, ${plan.length} kills\n`);
    outside = await Outside.open();
    cleanUp.push(() => outside.close());
    const store = await open();
    cleanUp.push(store.close);
    const environment = { ...store.environment, OUTSIDE_URL: outside.url };
    const nodes: MortalSample[] = [];
    for (let n = 0; n < 2; n += 1) {
      const node = await MortalSample.start(build.errand, environment);
      nodes.push(node);
      cleanUp.push(() => node.stop());
    }

    const ids: string[] = [];
    const stop = new AbortController();
    const client = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        const id = `e${ids.length}`;
        ids.push(id);
        const node = nodes[ids.length % nodes.length] as MortalSample;
        await node.request('POST', '/errands', { id });
      }
    };
    const placing = Promise.all(Array.from({ length: CLIENTS }, client));
    const died = await dieAll(nodes, plan, ({ point, nth }, n) => {
      process.stdout.write(`kill-errands on ${kind}: ${n}. ${point}, coming ${nth}; ${ids.length} errands\n`);
    });
    stop.abort();
    await placing;

    expect(died).toEqual(points.flatMap((point) => Array<string>(rounds).fill(point)));
    const [first, second] = nodes as [MortalSample, MortalSample];
    await second.stop();
    const letters = (id: string): number => outside.ids('letter', id);
    const settled = async (): Promise<boolean> => {
      const { open: left } = await first.request<{ open: string[] }>('GET', '/open');
      return left.length === 0 && ids.every((id) => letters(id) > 0);
    };
    await first.until(settled, ' ');
    const undone = (id: string): boolean => Number(id.slice(1)) % 3 === 0;
    const wrong = ids.filter(
      (id) =>
        outside.ids('charge', id) !== 1 ||
        letters(id) !== 1 ||
        outside.ids('refund', id) !== (undone(id) ? 1 : 0),
    );
    expect(wrong).toEqual([]);
    expect(ids.length).toBeGreaterThan(points.length * rounds);
    process.stdout.write(
      `kill-errands on ${kind}: ${ids.length} errands, ${outside.repeats} effects repeated\n`,
    );
  },
);
