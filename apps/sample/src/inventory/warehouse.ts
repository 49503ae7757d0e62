import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';

/** So many pieces of one product. */
export interface Line {
  readonly sku: string;
  readonly quantity: number;
}

/** What became of a reservation. */
export type ReserveResult =
  | { readonly outcome: 'reserved' }
  | { readonly outcome: 'missing'; readonly sku: string }
  /** It was released before it came, or refused before. */
  | { readonly outcome: 'closed' };

/** The shelves. Stock is never negative; each method may run again, and a release may come before its reservation. */
@Injectable()
export class Warehouse {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /** Takes all lines off the shelf, or none. */
  async reserve(tx: EntityManager, orderId: string, lines: readonly Line[]): Promise<ReserveResult> {
    const state = await this.open(tx, orderId, 'reserved');
    if (state !== 'new') return { outcome: state === 'reserved' ? 'reserved' : 'closed' };
    const missing = await this.lockShelves(tx, lines);
    if (missing !== undefined) {
      await tx.query(`UPDATE shop.reservations SET state = 'missing' WHERE order_id = $1`, [orderId]);
      return { outcome: 'missing', sku: missing };
    }
    await tx.query(
      `INSERT INTO shop.reservation_lines (order_id, sku, quantity)
       SELECT $1, sku, quantity FROM unnest($2::text[], $3::int[]) AS line (sku, quantity)`,
      [orderId, ...columns(lines)],
    );
    await this.move(tx, lines, -1);
    return { outcome: 'reserved' };
  }

  /** Notes that the warehouse has refused. */
  async refuse(tx: EntityManager, orderId: string): Promise<void> {
    await this.open(tx, orderId, 'missing');
  }

  /** Puts everything back; a reservation that has not come yet never will. */
  release(orderId: string): Promise<void> {
    return this.dataSource.transaction(async (tx) => {
      const state = await this.open(tx, orderId, 'released');
      if (state !== 'reserved') return;
      const lines = await tx.query<Line[]>(
        `SELECT sku, quantity FROM shop.reservation_lines WHERE order_id = $1`,
        [orderId],
      );
      await this.lockShelves(tx, lines);
      await this.move(tx, lines, 1);
      await tx.query(`UPDATE shop.reservations SET state = 'released' WHERE order_id = $1`, [orderId]);
    });
  }

  /** Makes and locks the order's row; `new` if it was not there before, otherwise the state it is in. */
  private async open(tx: EntityManager, orderId: string, state: string): Promise<string> {
    const made = await tx.query<unknown[]>(
      `INSERT INTO shop.reservations (order_id, state) VALUES ($1, $2)
       ON CONFLICT (order_id) DO NOTHING RETURNING order_id`,
      [orderId, state],
    );
    if (made.length > 0) return 'new';
    const [row] = await tx.query<{ state: string }[]>(
      `SELECT state FROM shop.reservations WHERE order_id = $1 FOR UPDATE`,
      [orderId],
    );
    return row?.state ?? 'new';
  }

  /** Locks in one order, so that two orders never wait for each other; names the first product of which there is too little. */
  private async lockShelves(tx: EntityManager, lines: readonly Line[]): Promise<string | undefined> {
    const [skus] = columns(lines);
    const shelves = await tx.query<{ sku: string; available: number }[]>(
      `SELECT sku, available FROM shop.products WHERE sku = ANY ($1::text[]) ORDER BY sku FOR UPDATE`,
      [skus],
    );
    const available = new Map(shelves.map((shelf) => [shelf.sku, shelf.available]));
    return lines.find(({ sku, quantity }) => (available.get(sku) ?? 0) < quantity)?.sku;
  }

  private async move(tx: EntityManager, lines: readonly Line[], sign: 1 | -1): Promise<void> {
    await tx.query(
      `UPDATE shop.products SET available = available + $1 * line.quantity
       FROM unnest($2::text[], $3::int[]) AS line (sku, quantity) WHERE products.sku = line.sku`,
      [sign, ...columns(lines)],
    );
  }
}

function columns(lines: readonly Line[]): [skus: string[], quantities: number[]] {
  return [lines.map((line) => line.sku), lines.map((line) => line.quantity)];
}
