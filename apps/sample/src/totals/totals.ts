import { typeormStore } from '@nestjs-orchestrator/typeorm';
import type { DataSource, EntityManager } from 'typeorm';

/** One order with everything that was written about it. */
export interface OrderAccount {
  readonly orderId: string;
  readonly cents: number;
  /** State and status of its saga; `null`: it has not begun. */
  readonly state: string | null;
  readonly status: string | null;
  readonly charges: number;
  readonly charged: number;
  readonly refunds: number;
  readonly refunded: number;
  readonly voids: number;
  readonly shipment: string | null;
  /** Pieces that are taken off the shelf for it, by sku. */
  readonly reserved: Readonly<Record<string, number>>;
}

/** One product's stock. */
export interface StockAccount {
  readonly sku: string;
  readonly initial: number;
  readonly available: number;
}

/** All that the books hold. */
export interface Books {
  readonly orders: readonly OrderAccount[];
  readonly stock: readonly StockAccount[];
}

type Written = Omit<OrderAccount, 'state' | 'status'>;

/**
 * Reads the books: the sagas through their store, then the application's tables as they are at one moment, so that the books of a shop at work add up as
 * well: what an order has done since then, it had not ended.
 */
export async function readBooks(dataSource: DataSource): Promise<Books> {
  const sagas = await readSagas(dataSource);
  const { written, stock } = await dataSource.transaction('REPEATABLE READ', async (tx) => ({
    written: await readAccounts(tx),
    stock: await tx.query<StockAccount[]>('SELECT sku, initial, available FROM shop.products ORDER BY sku'),
  }));
  const orders = written.map((row) => ({
    ...row,
    ...(sagas.get(row.orderId) ?? { state: null, status: null }),
  }));
  return { orders, stock };
}

function readAccounts(tx: EntityManager): Promise<Written[]> {
  return tx.query<Written[]>(`
    SELECT o.order_id AS "orderId", o.cents,
      coalesce(e.charges, 0)::int AS charges, coalesce(e.charged, 0)::int AS charged,
      coalesce(e.refunds, 0)::int AS refunds, coalesce(e.refunded, 0)::int AS refunded,
      coalesce(e.voids, 0)::int AS voids, s.state AS shipment, coalesce(r.reserved, '{}') AS reserved
    FROM shop.orders o
    LEFT JOIN shop.shipments s USING (order_id)
    LEFT JOIN (
      SELECT order_id,
        count(*) FILTER (WHERE kind = 'charge') AS charges, sum(cents) FILTER (WHERE kind = 'charge') AS charged,
        count(*) FILTER (WHERE kind = 'refund') AS refunds, sum(cents) FILTER (WHERE kind = 'refund') AS refunded,
        count(*) FILTER (WHERE kind = 'void') AS voids
      FROM shop.payment_entries GROUP BY order_id
    ) e USING (order_id)
    LEFT JOIN (
      SELECT order_id, jsonb_object_agg(sku, quantity) AS reserved
      FROM shop.reservation_lines JOIN shop.reservations USING (order_id)
      WHERE state = 'reserved' GROUP BY order_id
    ) r USING (order_id)
    ORDER BY o.seq`);
}

async function readSagas(
  dataSource: DataSource,
): Promise<ReadonlyMap<string, { readonly state: string; readonly status: string }>> {
  const store = typeormStore(dataSource);
  const found = new Map<string, { readonly state: string; readonly status: string }>();
  let cursor: string | null = null;
  do {
    const filter = { tenant: 'default', saga: 'order', limit: 1_000, ...(cursor === null ? {} : { cursor }) };
    const page = await store.query(filter, { now: null });
    for (const { data, state, status } of page.items) {
      found.set((JSON.parse(data) as { orderId: string }).orderId, { state, status });
    }
    cursor = page.next;
  } while (cursor !== null);
  return found;
}
