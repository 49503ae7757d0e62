import { Module } from '@nestjs/common';
import { CarrierHandlers } from './carrier.handlers.js';
import { Shipments } from './shipments.js';

@Module({ providers: [Shipments, CarrierHandlers], exports: [Shipments] })
export class ShippingModule {}
