import { createHash, randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { MessageBus } from '@nestjs-orchestrator/nest';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { invalid, Problem } from '../http/problem.js';
import { Catalogue } from '../inventory/catalogue.js';
import { OrderCreated } from './order.messages.js';
import type { NewOrder } from './order.schemas.js';

/** Accepts orders: each is durable, and on its way to its saga, when the caller is told so. */
@Injectable()
export class OrderIntake {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @Inject(MessageBus) private readonly bus: MessageBus,
    private readonly catalogue: Catalogue,
  ) {}

  /**
   * Accepts an order; answers its id. The same key with the same order is the same order.
   *
   * @throws Problem 400 for a product that does not exist, 409 for a key that was used for another order
   */
  async accept(order: NewOrder, key: string | undefined): Promise<string> {
    const cents = await this.price(order);
    const hash = createHash('sha256').update(JSON.stringify(order)).digest('hex');
    return this.dataSource.transaction(async (manager) => {
      const orderId = randomUUID();
      const made = await manager.query<unknown[]>(
        `INSERT INTO shop.orders (order_id, idempotency_key, body_hash, customer_id, items, cents)
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (idempotency_key) DO NOTHING RETURNING order_id`,
        [orderId, key ?? null, hash, order.customerId, JSON.stringify(order.items), cents],
      );
      if (made.length === 0) return this.earlier(manager, key, hash);
      // In the same transaction: an order without its event, or an event without its order, can't be.
      await this.bus.within(manager).publish(new OrderCreated({ orderId, cents, ...order }), { id: orderId });
      return orderId;
    });
  }

  private async earlier(manager: EntityManager, key: string | undefined, hash: string): Promise<string> {
    const [row] = await manager.query<{ order_id: string; body_hash: string }[]>(
      `SELECT order_id, body_hash FROM shop.orders WHERE idempotency_key = $1`,
      [key],
    );
    if (row?.body_hash !== hash) {
      const detail = `The Idempotency-Key '${key}' was used for another order. Use a new key for a new order.`;
      throw new Problem(409, 'IDEMPOTENCY_KEY_REUSED', detail);
    }
    return row.order_id;
  }

  private async price({ items }: NewOrder): Promise<number> {
    const prices = await this.catalogue.prices(items.map((item) => item.sku));
    const unknown = items.flatMap(({ sku }, index) =>
      prices.has(sku)
        ? []
        : [{ field: `items[${index}].sku`, message: `there is no product '${sku}'; see GET /products` }],
    );
    if (unknown.length > 0) throw invalid(unknown);
    return items.reduce((sum, { sku, quantity }) => sum + (prices.get(sku) ?? 0) * quantity, 0);
  }
}
