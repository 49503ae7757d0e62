import { Module } from '@nestjs/common';
import { CardNetwork } from './card-network.js';
import { PaymentLedger } from './payment-ledger.js';
import { PaymentHandlers } from './payment.handlers.js';

@Module({ providers: [PaymentLedger, CardNetwork, PaymentHandlers] })
export class PaymentsModule {}
