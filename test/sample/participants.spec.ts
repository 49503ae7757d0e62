import { migrate } from '@nestjs-orchestrator/typeorm';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { DataSource } from 'typeorm';
import { openDataSource } from '../../apps/sample/src/database/data-source.js';
import { migrateShop } from '../../apps/sample/src/database/migrate.js';
import { Warehouse } from '../../apps/sample/src/inventory/warehouse.js';
import { PaymentLedger } from '../../apps/sample/src/payments/payment-ledger.js';
import { Shipments } from '../../apps/sample/src/shipping/shipments.js';
import { balance } from '../../apps/sample/src/totals/balance.js';
import { readBooks } from '../../apps/sample/src/totals/totals.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let dataSource: DataSource;

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await openDataSource(database.url);
  await migrateShop(dataSource);
});
afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
});

async function rows(sql: string, ...parameters: unknown[]): Promise<Record<string, unknown>[]> {
  return dataSource.query<Record<string, unknown>[]>(sql, parameters);
}

it('the tables of the shop are made once, also by several processes at the same time', async () => {
  const fresh = await createTestDatabase();
  const others = await Promise.all([1, 2, 3].map(() => openDataSource(fresh.url)));
  await Promise.all(others.map(migrateShop));
  const [stock] =
    (await others[0]?.query<unknown[]>("SELECT available FROM shop.products WHERE sku = 'book'")) ?? [];
  expect(stock).toEqual({ available: 10_000 });
  await Promise.all(others.map((other) => other.destroy()));
  await fresh.drop();
});

describe('the accounts', () => {
  const charge = (orderId: string, key: string) =>
    dataSource.transaction((tx) => new PaymentLedger().charge(tx, orderId, 500, key));
  const refund = (orderId: string, key: string) =>
    dataSource.transaction((tx) => new PaymentLedger().refundOrVoid(tx, orderId, key));
  const entries = async (orderId: string) =>
    (
      await rows('SELECT kind, cents FROM shop.payment_entries WHERE order_id = $1 ORDER BY seq', orderId)
    ).map(({ kind, cents }) => `${String(kind)} ${String(cents)}`);

  it('charge an order once, whatever is asked of them', async () => {
    const first = await charge('p1', 'k1');
    expect(first).toEqual({ charged: true, transactionId: 'tx-k1' });
    expect(await Promise.all([charge('p1', 'k2'), charge('p1', 'k3')])).toEqual([first, first]);
    expect(await entries('p1')).toEqual(['charge 500']);
  });

  it('refund a charge once', async () => {
    await charge('p2', 'k4');
    await Promise.all([refund('p2', 'u1'), refund('p2', 'u1'), refund('p2', 'u2')]);
    expect(await entries('p2')).toEqual(['charge 500', 'refund 500']);
    expect(await charge('p2', 'k5')).toEqual({ charged: false, state: 'refunded' });
  });

  it('void a charge whose refund comes first', async () => {
    await refund('p3', 'u3');
    expect(await charge('p3', 'k6')).toEqual({ charged: false, state: 'voided' });
    expect(await entries('p3')).toEqual(['void 0']);
  });

  it('void an authorised charge, and give nothing back for a declined one', async () => {
    const ledger = new PaymentLedger();
    await ledger.open(dataSource.manager, 'p4', 500, 'authorised');
    await ledger.open(dataSource.manager, 'p5', 500, 'declined');
    await refund('p4', 'u4');
    await refund('p5', 'u5');
    expect(await entries('p4')).toEqual(['void 500']);
    expect(await entries('p5')).toEqual([]);
    expect(await charge('p4', 'k7')).toEqual({ charged: false, state: 'voided' });
  });

  it('charge or void, never both, when charge and refund come at once', async () => {
    const ids = Array.from({ length: 20 }, (_, i) => `race-${i}`);
    await Promise.all(ids.flatMap((id) => [charge(id, `c-${id}`), refund(id, `r-${id}`)]));
    for (const id of ids) {
      await refund(id, `r-${id}`);
      expect([['void 0'], ['charge 500', 'refund 500']]).toContainEqual(await entries(id));
    }
  });
});

describe('the warehouse', () => {
  const reserve = (orderId: string, sku: string, quantity: number) =>
    dataSource.transaction((tx) => new Warehouse(dataSource).reserve(tx, orderId, [{ sku, quantity }]));
  const release = (orderId: string) => new Warehouse(dataSource).release(orderId);
  const stock = async (sku: string) =>
    (await rows('SELECT available FROM shop.products WHERE sku = $1', sku))[0]?.['available'];

  it('reserves once and releases once', async () => {
    expect(await reserve('w1', 'lamp', 3)).toEqual({ outcome: 'reserved' });
    expect(await reserve('w1', 'lamp', 3)).toEqual({ outcome: 'reserved' });
    expect(await stock('lamp')).toBe(997);
    await Promise.all([release('w1'), release('w1')]);
    expect(await stock('lamp')).toBe(1000);
  });

  it('takes nothing for a reservation whose release comes first', async () => {
    await release('w2');
    expect(await reserve('w2', 'lamp', 3)).toEqual({ outcome: 'closed' });
    expect(await stock('lamp')).toBe(1000);
  });

  it('never promises more than there is', async () => {
    const outcomes = await Promise.all(Array.from({ length: 30 }, (_, i) => reserve(`w3-${i}`, 'chair', 3)));
    expect(outcomes.filter(({ outcome }) => outcome === 'reserved')).toHaveLength(16);
    expect(outcomes.find(({ outcome }) => outcome === 'missing')).toEqual({
      outcome: 'missing',
      sku: 'chair',
    });
    expect(await stock('chair')).toBe(2);
  });

  it('takes all lines or none', async () => {
    const lines = [
      { sku: 'lamp', quantity: 5 },
      { sku: 'chair', quantity: 1_000 },
    ];
    const result = await dataSource.transaction((tx) => new Warehouse(dataSource).reserve(tx, 'w4', lines));
    expect(result).toEqual({ outcome: 'missing', sku: 'chair' });
    expect(await stock('lamp')).toBe(1000);
  });
});

describe('the shipments', () => {
  it('book nothing for a shipment whose cancellation comes first', async () => {
    const shipments = new Shipments(dataSource);
    await shipments.cancel('s1');
    expect(await shipments.book(dataSource.manager, 's1', 'shipped', 't1')).toBe('cancelled');
  });

  it('call a parcel back, but leave a refused one refused', async () => {
    const shipments = new Shipments(dataSource);
    await shipments.book(dataSource.manager, 's2', 'shipped', 't2');
    await shipments.book(dataSource.manager, 's3', 'refused', null);
    await Promise.all(['s2', 's3'].map((id) => shipments.cancel(id)));
    const found = await rows(
      "SELECT state FROM shop.shipments WHERE order_id IN ('s2', 's3') ORDER BY order_id",
    );
    expect(found).toEqual([{ state: 'cancelled' }, { state: 'refused' }]);
  });

  it('deliver each parcel once, also by several couriers at the same time, and none that was called back', async () => {
    const shipments = new Shipments(dataSource);
    await shipments.deliver(1_000);
    const ids = Array.from({ length: 20 }, (_, at) => `trip-${at}`);
    await Promise.all(ids.map((id) => shipments.book(dataSource.manager, id, 'shipped', id)));
    await shipments.cancel('trip-0');
    expect(await shipments.waiting()).toBe(19);
    const trips = await Promise.all([1, 2, 3].map(() => shipments.deliver(5)));
    const last = await shipments.deliver(1_000);
    expect(last.left).toBe(0);
    expect([...trips, last].reduce((sum, { delivered }) => sum + delivered, 0)).toBe(19);
    expect(await shipments.deliver(5)).toEqual({ delivered: 0, left: 0 });
  });
});

it('the books of a shop at work balance: orders and stock are read as they are at one moment', async () => {
  const fresh = await createTestDatabase();
  onTestFinished(() => fresh.drop());
  const [shop, reader] = [await openDataSource(fresh.url), await openDataSource(fresh.url)];
  onTestFinished(async () => void (await Promise.all([shop.destroy(), reader.destroy()])));
  await migrateShop(shop);
  await migrate(shop);
  const line = { sku: 'lamp', quantity: 2 };
  await shop.query(
    `INSERT INTO shop.orders (order_id, idempotency_key, body_hash, customer_id, items, cents)
     VALUES ('at-work', 'key-at-work', 'hash', 'ada', $1, 5000)`,
    [JSON.stringify([line])],
  );
  // The order gets its lamps while its books are being read.
  let reserved: string | undefined;
  const createQueryRunner = reader.createQueryRunner.bind(reader);
  reader.createQueryRunner = (...mode) => {
    const runner = createQueryRunner(...mode);
    const query = runner.query.bind(runner);
    runner.query = async (sql: string, ...rest: unknown[]) => {
      if (sql.includes('FROM shop.products'))
        reserved = (await shop.transaction((tx) => new Warehouse(shop).reserve(tx, 'at-work', [line])))
          .outcome;
      return Reflect.apply(query, runner, [sql, ...rest]) as never;
    };
    return runner;
  };
  const { open, faults } = balance(await readBooks(reader));
  expect({ reserved, open, faults }).toEqual({ reserved: 'reserved', open: 1, faults: [] });
});
