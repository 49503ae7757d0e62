import { Module } from '@nestjs/common';
import { OrchestratorModule } from '@nestjs-orchestrator/nest';
import { InventoryModule } from '../inventory/inventory.module.js';
import { PaymentsModule } from '../payments/payments.module.js';
import { ShippingModule } from '../shipping/shipping.module.js';
import { OrderBook } from './order-book.js';
import { OrderIntake } from './order-intake.js';
import { OrderSaga, orderSaga } from './order.saga.js';
import { OrdersController } from './orders.controller.js';

@Module({
  imports: [OrchestratorModule.forFeature([orderSaga]), PaymentsModule, InventoryModule, ShippingModule],
  controllers: [OrdersController],
  providers: [OrderSaga, OrderIntake, OrderBook],
})
export class OrdersModule {}
