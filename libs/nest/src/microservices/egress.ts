import 'reflect-metadata';
import type { InjectionToken, Provider } from '@nestjs/common';
import type { Envelope, MessageType } from '@nestjs-orchestrator/core';
import { lastValueFrom, type Observable } from 'rxjs';
import { OrchestratorConfigurationError } from '../boot-errors.js';
import { EGRESS } from '../module/orchestrator.tokens.js';

/** What is needed of a `ClientProxy`. */
export interface EmittingClient {
  emit(pattern: string, data: unknown): Observable<unknown>;
}

/** How messages leave through a `ClientProxy`. */
export interface EgressBinding {
  /** Stable name, part of stored rows. */
  readonly name: string;
  /** Token of the client, as given to `ClientsModule.register`. */
  readonly client: InjectionToken;
  /** The messages that another application answers. */
  readonly messages: readonly MessageType[];
  /**
   * Whether `emit` completes only when the transport has the message safe: RabbitMQ with a durable queue, `persistent` and publisher confirms (the
   * client's default) does; Redis and NATS don't.
   */
  readonly confirms: boolean;
  /** Must be `true` where `confirms` is `false`: says that you know that messages may get lost between the applications. */
  readonly lossy?: boolean;
  /** What is emitted. Default: the envelope. For RabbitMQ: `rabbitMqRecord`. */
  readonly record?: (envelope: Envelope) => unknown;
}

/** A binding with its client. */
export interface Egress {
  readonly binding: EgressBinding;
  readonly send: (envelope: Envelope) => Promise<void>;
}

/**
 * A provider that sends messages to another application through a `ClientProxy`: from the outbox, at least once, each with its id. Add it to the
 * `providers` of a module that imports the client.
 *
 * @throws OrchestratorConfigurationError for a transport without confirms that is not declared `lossy`
 */
export function egress(binding: EgressBinding): Provider {
  const { name, client, confirms, lossy, record = (envelope: Envelope) => envelope } = binding;
  if (!confirms && lossy !== true) {
    throw new OrchestratorConfigurationError(
      `egress() '${name}': its transport does not confirm what it takes, so messages may get lost on the way. ` +
        `Say { lossy: true } if that will do, or use one that confirms (RabbitMQ).`,
    );
  }
  if (confirms && lossy === true) {
    throw new OrchestratorConfigurationError(
      `egress() '${name}' is declared to confirm and to be lossy; drop one of them.`,
    );
  }
  const useFactory = (proxy: EmittingClient): Egress => ({
    binding,
    send: async (envelope) => {
      await lastValueFrom(proxy.emit(envelope.name, record(envelope)), { defaultValue: undefined });
    },
  });
  // For whoever looks at the application without making its instances.
  Reflect.defineMetadata(EGRESS, binding, useFactory);
  return { provide: EGRESS, inject: [client], useFactory };
}

/** The binding of a provider that {@link egress} has made, told by its factory. */
export function bindingOf(factory: object): EgressBinding | undefined {
  return Reflect.getOwnMetadata(EGRESS, factory) as EgressBinding | undefined;
}
