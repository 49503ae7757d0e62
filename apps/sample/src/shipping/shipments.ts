import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';

/** How a shipment stands. */
export type ShipmentState = 'requested' | 'shipped' | 'refused' | 'cancelled';

/** The parcels, one row per order. Each method may run again, and a cancellation may come before its shipment. */
@Injectable()
export class Shipments {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /** Notes what the carrier does with a parcel; answers how it stands, which differs if it was cancelled before. */
  async book(
    tx: EntityManager,
    orderId: string,
    wanted: Exclude<ShipmentState, 'cancelled'>,
    tracking: string | null,
  ): Promise<ShipmentState> {
    await tx.query(
      `INSERT INTO shop.shipments (order_id, state, tracking) VALUES ($1, $2, $3)
       ON CONFLICT (order_id) DO NOTHING`,
      [orderId, wanted, tracking],
    );
    const [row] = await tx.query<{ state: ShipmentState }[]>(
      `SELECT state FROM shop.shipments WHERE order_id = $1`,
      [orderId],
    );
    return row?.state ?? wanted;
  }

  /** Delivers shipped parcels, at most so many, and says how many are left. Several processes may drive at the same time. */
  async deliver(most: number): Promise<{ readonly delivered: number; readonly left: number }> {
    const delivered = await this.dataSource.query<unknown[]>(
      `WITH trip AS (
         SELECT order_id FROM shop.shipments WHERE state = 'shipped' AND delivered_at IS NULL
         LIMIT $1 FOR UPDATE SKIP LOCKED
       ), done AS (
         UPDATE shop.shipments SET delivered_at = now() FROM trip WHERE shipments.order_id = trip.order_id RETURNING 1
       )
       SELECT * FROM done`,
      [most],
    );
    return { delivered: delivered.length, left: await this.waiting() };
  }

  /** Parcels that are shipped and not delivered yet. */
  async waiting(): Promise<number> {
    const [row] = await this.dataSource.query<{ waiting: number }[]>(
      `SELECT count(*)::int AS waiting FROM shop.shipments WHERE state = 'shipped' AND delivered_at IS NULL`,
    );
    return row?.waiting ?? 0;
  }

  /** Calls the parcel back, from its customer if need be; one that has not been booked yet never will be. */
  async cancel(orderId: string): Promise<void> {
    await this.dataSource.query(
      `INSERT INTO shop.shipments (order_id, state) VALUES ($1, 'cancelled')
       ON CONFLICT (order_id) DO UPDATE SET state = 'cancelled' WHERE shipments.state IN ('requested', 'shipped')`,
      [orderId],
    );
  }
}
