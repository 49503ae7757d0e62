import type { ClientProviderOptions, MicroserviceOptions } from '@nestjs/microservices';
import type { EgressBinding, IngressBinding } from '@nestjs-orchestrator/nest/microservices';
import type { Settings } from '../../config/settings.js';
import { rabbitMqLink } from './rabbitmq.js';

/** The two processes of the application when payment has one of its own. */
export type Party = 'orders' | 'payments';

/** How they talk: what Nest needs to send and to listen, and what the transport promises. */
export interface PaymentLink {
  /** Of the client that reaches the given process. */
  client(to: Party): Omit<Extract<ClientProviderOptions, { transport?: unknown }>, 'name'>;
  /** How the given process listens. */
  listen(at: Party): MicroserviceOptions;
  readonly ingress: IngressBinding;
  readonly egress: Pick<EgressBinding, 'confirms' | 'lossy' | 'record'>;
  /** Fails with what to do when nobody is there to carry the messages. */
  ready(): Promise<void>;
}

/** The link that the settings ask for; `null`: payment runs in the same process. */
export function paymentLink(settings: Settings): PaymentLink | null {
  switch (settings.payments) {
    case 'in-process':
      return null;
    case 'rabbitmq':
      return rabbitMqLink(settings.rabbitMqUrl, settings.queuePrefix);
  }
}
