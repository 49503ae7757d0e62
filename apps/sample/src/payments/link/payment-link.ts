import type { ClientProviderOptions, MicroserviceOptions } from '@nestjs/microservices';
import type { EgressBinding, IngressBinding } from '@nestjs-orchestrator/nest/microservices';
import type { Settings } from '../../config/settings.js';
import { rabbitMqLink } from './rabbitmq.js';
import { namedPipeLink, redisStreamsLink, sharedMemoryLink } from './transport.js';

type LinkClient =
  | Omit<Extract<ClientProviderOptions, { transport?: unknown }>, 'name'>
  | Omit<Extract<ClientProviderOptions, { customClass: unknown }>, 'name'>;

/** The two processes of the application when payment has one of its own. */
export type Party = 'orders' | 'payments';

/** How they talk: what Nest needs to send and to listen, and what the transport promises. */
export interface PaymentLink {
  /** Of the client that reaches the given process. */
  client(to: Party): LinkClient;
  /** How the given process listens. */
  listen(at: Party): MicroserviceOptions;
  // Each binding reads the context of its own transport.
  readonly ingress: IngressBinding;
  readonly egress: Pick<EgressBinding, 'confirms' | 'lossy' | 'record'>;
  /** Fails with what to do when nobody is there to carry the messages. */
  ready(): Promise<void>;
  /** Gives back what it has opened, when both ends are closed. */
  close(): void;
}

/** The link that the settings ask for; `null`: payment runs in the same process. */
export function paymentLink(settings: Settings): PaymentLink | null {
  switch (settings.payments) {
    case 'in-process':
      return null;
    case 'rabbitmq':
      return rabbitMqLink(settings.rabbitMqUrl, settings.queuePrefix);
    case 'named-pipe':
      return namedPipeLink(settings.queuePrefix);
    case 'shared-memory':
      return sharedMemoryLink(settings.queuePrefix);
    case 'redis-streams':
      return redisStreamsLink(settings.redisUrl, settings.queuePrefix);
  }
}
