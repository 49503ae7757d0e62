import { Injectable } from '@nestjs/common';
import { Handles, type MessageContext } from '@nestjs-orchestrator/nest';
import { transactionOf } from '../database/data-source.js';
import { ReserveStock, StockMissing, StockReserved } from '../orders/order.messages.js';
import { Warehouse } from './warehouse.js';

/** The inventory service. */
@Injectable()
export class StockHandlers {
  constructor(private readonly warehouse: Warehouse) {}

  @Handles(ReserveStock)
  async reserve(ctx: MessageContext<ReserveStock>): Promise<void> {
    const { orderId, items, behaviour } = ctx.message;
    if (behaviour === 'missing') {
      await this.warehouse.refuse(transactionOf(ctx), orderId);
      ctx.publish(new StockMissing({ orderId, reason: 'out of stock' }));
      return;
    }
    const result = await this.warehouse.reserve(transactionOf(ctx), orderId, items);
    switch (result.outcome) {
      case 'reserved':
        ctx.publish(new StockReserved({ orderId }));
        break;
      case 'missing':
        ctx.publish(new StockMissing({ orderId, reason: `not enough of '${result.sku}' in stock` }));
        break;
      case 'closed':
        ctx.publish(new StockMissing({ orderId, reason: 'the reservation was released before it came' }));
        break;
    }
  }
}
