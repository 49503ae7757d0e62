import { Controller, Inject, type Type } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import type { MessageType } from '@nestjs-orchestrator/core';
import { OrchestratorConfigurationError } from '../boot-errors.js';
import { IngressGate } from './ingress-gate.js';

/** How messages of one transport come in. */
export interface IngressBinding<C = never> {
  /** For messages: `rabbitmq`. */
  readonly name: string;
  /**
   * The id by which a message that is delivered twice is known: given by its sender, never made from its content. `undefined`: it has none, and is
   * refused.
   */
  readonly messageId: (payload: unknown, context: C) => string | undefined;
  /** The message's body. Default: the `body` of what a remote route of ours sent, else the payload itself. */
  readonly body?: (payload: unknown, context: C) => unknown;
  /** Its tenant. Default: as `tenant` of `forRoot` says, else that of what a remote route of ours sent. */
  readonly tenant?: (payload: unknown, context: C) => string | undefined;
  /**
   * How the transport is told that a message is safe, which is when the commit of its outbox row is done; `false` where it can't be told: then what
   * arrives while the store is away is lost.
   */
  readonly acks:
    | false
    | {
        readonly done: (context: C) => unknown;
        /** `again`: it may succeed later. `never`: it can't be taken, whoever tries. */
        readonly refused: (context: C, how: 'again' | 'never') => unknown;
      };
}

/**
 * A controller that takes messages from a Nest microservice into the bus: sagas and handlers answer them as any others. Add it to the `controllers`
 * of a module; the transport is whatever strategy the application connects.
 *
 * @throws OrchestratorConfigurationError without messages
 */
export function ingress<C>(binding: IngressBinding<C>, messages: readonly MessageType[]): Type<object> {
  if (messages.length === 0)
    throw new OrchestratorConfigurationError(`ingress() of '${binding.name}' was given no messages to take.`);

  @Controller()
  class IngressController {
    constructor(@Inject(IngressGate) readonly gate: IngressGate) {
      gate.announce(binding);
    }
  }

  messages.forEach((type, index) => {
    const key = `take${index}`;
    const take = function (this: IngressController, payload: unknown, context: C): Promise<void> {
      return this.gate.take(binding, type, payload, context);
    };
    const descriptor = { value: take, writable: true, configurable: true, enumerable: false };
    Object.defineProperty(IngressController.prototype, key, descriptor);
    Payload()(IngressController.prototype, key, 0);
    Ctx()(IngressController.prototype, key, 1);
    (EventPattern(type.messageName) as MethodDecorator)(IngressController.prototype, key, descriptor);
  });
  return IngressController;
}
