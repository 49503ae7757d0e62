import { Module } from '@nestjs/common';
import { OrchestratorModule } from '@nestjs-orchestrator/nest';
import { CarrierHandlers } from './carrier.handlers.js';
import { CourierController } from './courier.controller.js';
import { CourierDesk } from './courier-desk.js';
import { CourierMachine, courier } from './courier.machine.js';
import { Shipments } from './shipments.js';

@Module({
  imports: [OrchestratorModule.forFeature([courier])],
  controllers: [CourierController],
  providers: [Shipments, CarrierHandlers, CourierMachine, CourierDesk],
  exports: [Shipments],
})
export class ShippingModule {}
