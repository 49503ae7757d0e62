import { Injectable } from '@nestjs/common';
// oxlint-disable-next-line typescript/consistent-type-imports -- Nest injects by the classes
import { message, MessageBus } from '@nestjs-orchestrator/nest';
// oxlint-disable-next-line typescript/consistent-type-imports -- Nest injects by the classes
import { DataSource } from 'typeorm';
import { z } from 'zod';

class OrderPlaced extends message('order.placed', z.object({ orderId: z.string() })) {}

// #region transaction
@Injectable()
export class OrderDesk {
  constructor(
    private readonly bus: MessageBus,
    private readonly dataSource: DataSource,
  ) {}

  /** The order's row, the saga and its first command: all of them, or none. */
  place(orderId: string, sku: string) {
    return this.dataSource.transaction(async (manager) => {
      await manager.query('INSERT INTO orders (id, sku) VALUES ($1, $2)', [orderId, sku]);
      const { sagas } = await this.bus.within(manager).handle(new OrderPlaced({ orderId }));
      return sagas[0]?.state;
    });
  }
}
// #endregion
