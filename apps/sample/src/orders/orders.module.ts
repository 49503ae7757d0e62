import { Module, type DynamicModule } from '@nestjs/common';
import { OrchestratorModule } from '@nestjs-orchestrator/nest';
import { InventoryModule } from '../inventory/inventory.module.js';
import { linkedPayments } from '../payments/link/linked.js';
import type { PaymentLink } from '../payments/link/payment-link.js';
import { PaymentsModule } from '../payments/payments.module.js';
import { ShippingModule } from '../shipping/shipping.module.js';
import { OrderBook } from './order-book.js';
import { OrderIntake } from './order-intake.js';
import { OrderSaga, orderSaga } from './order.saga.js';
import { OrdersController } from './orders.controller.js';

@Module({
  imports: [OrchestratorModule.forFeature([orderSaga]), InventoryModule, ShippingModule],
  controllers: [OrdersController],
  providers: [OrderSaga, OrderIntake, OrderBook],
})
export class OrdersModule {
  /** `payments`: how payment is reached in a process of its own; `null`: it runs here. */
  static with(payments: PaymentLink | null): DynamicModule {
    return { module: OrdersModule, imports: [payments === null ? PaymentsModule : linkedPayments(payments)] };
  }
}
