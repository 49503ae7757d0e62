import { afterAll, beforeAll, expect, it } from 'vitest';
import type { DataSource } from 'typeorm';
import { openDataSource } from '../../apps/sample/src/database/data-source.js';
import { balance } from '../../apps/sample/src/totals/balance.js';
import { readBooks } from '../../apps/sample/src/totals/totals.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { MortalSample } from './support/mortal-sample.js';
import { seeded } from './support/random.js';
import { buildSample, type SampleBuild } from './support/sample-build.js';

// `npm run test:fault -- --rounds 20 --seed 7` makes it longer, or the same again.
const rounds = Number(process.env['FAULT_ROUNDS'] ?? 2);
const orders = Number(process.env['FAULT_ORDERS'] ?? 200);
const seed = Number(process.env['FAULT_SEED'] ?? Math.floor(Math.random() * 1e9));
const CLIENTS = 8;

const kinds = [
  {},
  {},
  {},
  { payment: 'declined' },
  { payment: 'late-charge' },
  { payment: 'late-answer' },
  { stock: 'missing' },
  { carrier: 'fails' },
  { carrier: 'silent' },
];

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

/** Every order, by a few clients who repeat what got no answer under the same key. */
async function placeAll(to: MortalSample, random: () => number): Promise<string[]> {
  const ids: string[] = [];
  let placed = 0;
  const client = async (): Promise<void> => {
    for (let number = placed++; number < orders; number = placed++) {
      const order = {
        customerId: `customer ${number % 10}`,
        items: [
          { sku: 'book', quantity: 1 + Math.floor(random() * 3) },
          ...(number % 4 === 0 ? [{ sku: 'chair', quantity: 1 }] : []),
        ],
        simulate: kinds[number % kinds.length],
      };
      const headers = { 'Idempotency-Key': `order-${seed}-${number}` };
      ids.push((await to.request<{ orderId: string }>('POST', '/orders', order, headers)).orderId);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return ids;
}

/** Payments always answer, sooner or later; until then one might still be charged. */
async function everyPaymentAnswered(from: MortalSample, waiting: Set<string>): Promise<boolean> {
  for (const id of waiting) {
    const { history } = await from.order(id);
    if (!history.some(({ name }) => name === 'payment.processed' || name === 'payment.failed')) return false;
    waiting.delete(id);
  }
  return true;
}

it(
  `${orders} orders of all kinds come to a legal end and their books balance, though the process is killed ${rounds} times`,
  { timeout: 120_000 + rounds * 20_000 },
  async () => {
    process.stdout.write(`kill-orders: seed ${seed}, ${rounds} kills, ${orders} orders\n`);
    const random = seeded(seed);
    sample = await MortalSample.start(build.main, {
      POSTGRES_URL: database.url,
      PAYMENT_TIMEOUT: '15s',
      STOCK_TIMEOUT: '15s',
      CARRIER_TIMEOUT: '6s',
      LATE_PAYMENT: '17s',
    });
    const running = sample;
    const placing = placeAll(running, random);
    for (let round = 0; round < rounds; round++) {
      const lines = Math.floor(random() * (1_000 / rounds));
      await running.killAfter(lines, random() * 30);
    }
    const ids = await placing;
    expect(new Set(ids).size).toBe(orders);

    // Lines of both ends hold it: completed, and compensated.
    await running.until(async () => balance(await readBooks(dataSource)).open === 0, '"status":"comp');
    const waiting = new Set(ids);
    await running.until(() => everyPaymentAnswered(running, waiting), '"event":"payment.');

    const books = await readBooks(dataSource);
    const { faults, open, report } = balance(books);
    process.stdout.write(`${report}\n`);
    expect({ faults, open, orders: books.orders.length, kills: running.kills }).toEqual({
      faults: [],
      open: 0,
      orders,
      kills: rounds,
    });
    expect(books.orders.some(({ state }) => state === 'completed')).toBe(true);
    expect(books.orders.some(({ refunds }) => refunds > 0)).toBe(true);
    expect((await running.stop()).code).toBe(0);
  },
);
