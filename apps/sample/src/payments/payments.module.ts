import { Module } from '@nestjs/common';
import { PaymentLedger } from './payment-ledger.js';
import { PaymentHandlers } from './payment.handlers.js';

@Module({ providers: [PaymentLedger, PaymentHandlers], exports: [PaymentLedger] })
export class PaymentsModule {}
