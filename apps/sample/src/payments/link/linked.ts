import { Module, type DynamicModule } from '@nestjs/common';
import { ClientsModule, type ClientProviderOptions } from '@nestjs/microservices';
import { OrchestratorModule, type MessageType } from '@nestjs-orchestrator/nest';
import { egress, ingress } from '@nestjs-orchestrator/nest/microservices';
import {
  PaymentFailed,
  PaymentProcessed,
  PaymentRefunded,
  ProcessPayment,
  RefundPayment,
} from '../../orders/order.messages.js';
import type { Party, PaymentLink } from './payment-link.js';

const COMMANDS = [ProcessPayment, RefundPayment];
const ANSWERS = [PaymentProcessed, PaymentFailed, PaymentRefunded];

@Module({})
class LinkedModule {}

/** What the orders need when payment is another process: the way there for commands, and the way in for answers. */
export function linkedPayments(link: PaymentLink): DynamicModule {
  return linked(link, 'payments', COMMANDS, ANSWERS);
}

/** The other half, in the process of payment. */
export function linkedOrders(link: PaymentLink): DynamicModule {
  return linked(link, 'orders', ANSWERS, COMMANDS);
}

function linked(
  link: PaymentLink,
  to: Party,
  sent: readonly MessageType[],
  taken: readonly MessageType[],
): DynamicModule {
  return {
    module: LinkedModule,
    imports: [
      OrchestratorModule.forFeature([]),
      ClientsModule.register([{ name: to, ...link.client(to) } as ClientProviderOptions]),
    ],
    controllers: [ingress(link.ingress, taken)],
    providers: [egress({ ...link.egress, name: to, client: to, messages: sent })],
  };
}
