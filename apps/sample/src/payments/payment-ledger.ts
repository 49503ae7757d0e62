import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';

/** What became of a charge. */
export type ChargeResult =
  | { readonly charged: true; readonly transactionId: string }
  | { readonly charged: false; readonly state: string };

/**
 * The accounts: one row per order says how its payment stands, entries say what moved money. Each method may run again, and
 * a refund may come before its charge.
 */
@Injectable()
export class PaymentLedger {
  /** Notes a payment that will be charged later, or that was declined. Does nothing where there is one already. */
  async open(
    tx: EntityManager,
    orderId: string,
    cents: number,
    state: 'authorised' | 'declined',
  ): Promise<void> {
    await tx.query(
      `INSERT INTO shop.payments (order_id, cents, state) VALUES ($1, $2, $3) ON CONFLICT (order_id) DO NOTHING`,
      [orderId, cents, state],
    );
  }

  /** Whether the refund of an order came before its charge, so that nothing needs to be asked for any more. */
  async isVoided(tx: EntityManager, orderId: string): Promise<boolean> {
    const standing = await this.standing(tx, orderId);
    return !standing.charged && standing.state === 'voided';
  }

  /** Charges an order once, unless its refund came first. */
  async charge(tx: EntityManager, orderId: string, cents: number, key: string): Promise<ChargeResult> {
    const transactionId = `tx-${key}`;
    const changed = await tx.query<{ order_id: string }[]>(
      `INSERT INTO shop.payments (order_id, cents, state, transaction_id) VALUES ($1, $2, 'charged', $3)
       ON CONFLICT (order_id) DO UPDATE SET state = 'charged', transaction_id = excluded.transaction_id
         WHERE payments.state = 'authorised'
       RETURNING order_id`,
      [orderId, cents, transactionId],
    );
    if (changed.length === 0) return this.standing(tx, orderId);
    await this.enter(tx, orderId, 'charge', cents, key);
    return { charged: true, transactionId };
  }

  /** Gives the money back; a charge that has not come yet is voided, so that it never will. */
  async refundOrVoid(tx: EntityManager, orderId: string, key: string): Promise<void> {
    const [changed] = await tx.query<{ state: string; cents: number }[]>(
      `INSERT INTO shop.payments (order_id, cents, state) VALUES ($1, 0, 'voided')
       ON CONFLICT (order_id) DO UPDATE
         SET state = CASE payments.state WHEN 'charged' THEN 'refunded' ELSE 'voided' END
         WHERE payments.state IN ('authorised', 'charged')
       RETURNING state, cents`,
      [orderId],
    );
    if (changed === undefined) return;
    const kind = changed.state === 'refunded' ? 'refund' : 'void';
    await this.enter(tx, orderId, kind, changed.cents, key);
  }

  private async standing(tx: EntityManager, orderId: string): Promise<ChargeResult> {
    const [row] = await tx.query<{ state: string; transaction_id: string | null }[]>(
      `SELECT state, transaction_id FROM shop.payments WHERE order_id = $1`,
      [orderId],
    );
    if (row?.state === 'charged' && row.transaction_id !== null) {
      return { charged: true, transactionId: row.transaction_id };
    }
    return { charged: false, state: row?.state ?? 'unknown' };
  }

  private async enter(
    tx: EntityManager,
    orderId: string,
    kind: 'charge' | 'refund' | 'void',
    cents: number,
    key: string,
  ): Promise<void> {
    await tx.query(
      `INSERT INTO shop.payment_entries (idempotency_key, order_id, kind, cents) VALUES ($1, $2, $3, $4)`,
      [key, orderId, kind, cents],
    );
  }
}
