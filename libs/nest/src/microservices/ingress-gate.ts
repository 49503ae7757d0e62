import { Inject, Injectable } from '@nestjs/common';
import {
  isOrchestratorError,
  MessageBus,
  OrchestratorError,
  parseMessage,
  type MessageType,
} from '@nestjs-orchestrator/core';
import type { Logger } from '@nestjs-orchestrator/core/ports';
import { ORCHESTRATOR_LOGGER } from '../module/orchestrator.tokens.js';
import { CurrentTenant } from '../tenancy/current-tenant.js';
import type { IngressBinding } from './ingress.js';

/** A message came in without an id; nobody could tell its second delivery from another message. */
export class MessageIdMissingError extends OrchestratorError {
  readonly code = 'MESSAGE_ID_MISSING';
  constructor(binding: string, messageName: string) {
    super(
      `Ingress '${binding}' got '${messageName}' without an id. Let its sender give it one, and 'messageId' of the binding find it.`,
    );
  }
}

/** Fields of an envelope, as a remote route of ours sends it. */
interface Letter {
  readonly id?: unknown;
  readonly tenant?: unknown;
  readonly correlationId?: unknown;
  readonly headers?: unknown;
  readonly body?: unknown;
}

/** Takes messages from microservices into the bus; each is acknowledged when it is durable. */
@Injectable()
export class IngressGate {
  constructor(
    @Inject(MessageBus) private readonly bus: MessageBus,
    @Inject(CurrentTenant) private readonly tenants: CurrentTenant,
    @Inject(ORCHESTRATOR_LOGGER) private readonly logger: Logger,
  ) {}

  /** Says at boot what is promised. */
  announce<C>({ name, acks }: IngressBinding<C>): void {
    if (acks !== false) {
      this.logger.info(
        `Ingress '${name}': a message is acknowledged after its commit; a repeated delivery has no further effect`,
      );
      return;
    }
    this.logger.warn(
      `Ingress '${name}': its transport has no acknowledgements, so what arrives while the store is away, or this process is down, is lost`,
    );
  }

  /** Never rejects: what went wrong is told to the transport and logged. */
  async take<C>(binding: IngressBinding<C>, type: MessageType, payload: unknown, context: C): Promise<void> {
    const { name, acks } = binding;
    try {
      await this.publish(binding, type, payload, context);
    } catch (error) {
      const how = mayPass(error) ? 'again' : 'never';
      const lost = acks === false ? '; it is lost' : '';
      this.logger.error(`Ingress '${name}' could not take '${type.messageName}'${lost}: ${String(error)}`);
      if (acks !== false) await acks.refused(context, how);
      return;
    }
    if (acks !== false) await acks.done(context);
  }

  private async publish<C>(
    binding: IngressBinding<C>,
    type: MessageType,
    payload: unknown,
    context: C,
  ): Promise<void> {
    const letter = letterOf(payload);
    const id = binding.messageId(payload, context);
    if (typeof id !== 'string' || id === '') throw new MessageIdMissingError(binding.name, type.messageName);
    const body = binding.body === undefined ? (letter?.body ?? payload) : binding.body(payload, context);
    const message = (await parseMessage(type, body)) as object;
    await this.bus.publish(message, {
      id,
      ...this.tenant(binding, payload, context, letter),
      ...tracks(letter),
    });
  }

  private tenant<C>(
    binding: IngressBinding<C>,
    payload: unknown,
    context: C,
    letter: Letter | undefined,
  ): { readonly tenant?: string } {
    const told = binding.tenant
      ? binding.tenant(payload, context)
      : this.tenants.of({ kind: 'rpc', data: payload, context });
    const tenant = told ?? (this.tenants.isTold ? undefined : letter?.tenant);
    return typeof tenant === 'string' ? { tenant } : {};
  }
}

function letterOf(payload: unknown): Letter | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined;
  const letter = payload as Letter;
  return typeof letter.id === 'string' && typeof letter.body === 'object' ? letter : undefined;
}

function tracks(letter: Letter | undefined): { readonly correlationId?: string } {
  return typeof letter?.correlationId === 'string' ? { correlationId: letter.correlationId } : {};
}

function mayPass(error: unknown): boolean {
  return !isOrchestratorError(error) || error.retryable;
}
