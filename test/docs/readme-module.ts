import { Module } from '@nestjs/common';
import { Handles, type MessageContext, OrchestratorModule } from '@nestjs-orchestrator/nest';
import { typeormStore } from '@nestjs-orchestrator/typeorm';
import { DataSource } from 'typeorm';
import { orderSaga, OrderSaga, PaymentProcessed, ProcessPayment } from './readme-saga.js';

@Module({})
class DatabaseModule {}

class PaymentHandlers {
  @Handles(ProcessPayment)
  charge({ message: { orderId }, publish }: MessageContext<ProcessPayment>) {
    publish(new PaymentProcessed({ orderId, transactionId: 't-1' }));
  }
}

// #region module
@Module({
  imports: [
    OrchestratorModule.forRootAsync({
      imports: [DatabaseModule],
      inject: [DataSource],
      useFactory: (dataSource: DataSource) => ({ store: typeormStore(dataSource) }), // without a store: in memory, for tests
    }),
  ],
})
export class AppModule {}

@Module({
  imports: [OrchestratorModule.forFeature([orderSaga])],
  providers: [OrderSaga, PaymentHandlers],
})
export class OrdersModule {}
// #endregion
