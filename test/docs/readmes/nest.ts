// #region module
import { Module } from '@nestjs/common';
import { OrchestratorModule } from '@nestjs-orchestrator/nest';
import { OrderSaga, orderSaga } from './order.saga.js';

@Module({
  imports: [OrchestratorModule.forRoot({}), OrchestratorModule.forFeature([orderSaga])],
  providers: [OrderSaga],
})
export class AppModule {}
// #endregion
