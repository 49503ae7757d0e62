import { Inject, Injectable } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import type { TransportClientStatistics, TransportServerStatistics } from './transport/statistics.js';

/** Says of an object that it is a server or client of this framework, also to another copy of the package. */
export const MICROSERVICE_PART = Symbol.for('@nestjs-orchestrator/microservice-part');

/** A `TransportServer` or `TransportClient`, as others see it. */
export interface MicroservicePart {
  readonly [MICROSERVICE_PART]: true;
  stats(): TransportServerStatistics | TransportClientStatistics;
}

/**
 * The servers and clients of Nest microservices over transports of this framework that stand in the application: what its health and its metrics show. Those
 * that are providers, as the clients of `ClientsModule` are, are found; a server that is none is added:
 *
 * ```ts
 * const server = new TransportServer({ transport, service: 'payments' });
 * app.connectMicroservice({ strategy: server });
 * app.get(MicroserviceRegistry).add(server);
 * ```
 */
@Injectable()
export class MicroserviceRegistry {
  private readonly added = new Set<MicroservicePart>();

  constructor(@Inject(ModulesContainer) private readonly modules: ModulesContainer) {}

  /**
   * Shows a server or client that is no provider. A second time changes nothing.
   *
   * @throws TypeError for anything else
   */
  add(part: MicroservicePart): void {
    if (!isPart(part))
      throw new TypeError('MicroserviceRegistry.add() takes a TransportServer or a TransportClient.');
    this.added.add(part);
  }

  /** Each of them, as it stands now. */
  stats(): readonly (TransportServerStatistics | TransportClientStatistics)[] {
    const parts = new Set(this.added);
    for (const { providers } of this.modules.values())
      for (const { instance } of providers.values()) if (isPart(instance)) parts.add(instance);
    return [...parts].map((part) => part.stats());
  }
}

function isPart(value: unknown): value is MicroservicePart {
  return (
    typeof value === 'object' &&
    value !== null &&
    (value as Partial<MicroservicePart>)[MICROSERVICE_PART] === true
  );
}
