import { Inject, Injectable } from '@nestjs/common';
import { Orchestrator } from '@nestjs-orchestrator/core';
import type { CircuitState } from '@nestjs-orchestrator/core/resilience';
import type { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import { overThreshold, type JudgedFigures, type OrchestratorHealthThresholds } from './health-thresholds.js';
import { lostServers, microserviceHealth, type MicroserviceHealth } from './microservice-health.js';
import { resilienceHealth, type LimiterHealth } from './resilience-health.js';
import { transportHealth, type TransportHealth } from './transport-health.js';
import { MicroserviceRegistry } from '../microservices/microservice-registry.js';
import { ResilienceRegistry } from '../resilience/resilience-registry.js';
import { ORCHESTRATOR_HOST } from '../module/orchestrator.tokens.js';

/** How the node stands, in the form that `@nestjs/terminus` understands. */
export type OrchestratorHealthResult<K extends string> = Record<
  K,
  {
    /** `up`: takes requests and messages. `down`: not started, shutting down, or the store does not answer. */
    readonly status: 'up' | 'down';
    /** Kind of the store. */
    readonly store: string;
    /** Messages being handled. */
    readonly inWork: number;
    /** Messages claimed and waiting for their turn. */
    readonly queued: number;
    /** Why it is down. */
    readonly reason?: string;
    /** States of the named circuit breakers, if there are any: an open one says that what it protects fails, not this node. */
    readonly breakers?: Readonly<Record<string, CircuitState['kind']>>;
    /** Counts of the named rate limiters, if there are any, since the start. */
    readonly limiters?: Readonly<Record<string, LimiterHealth>>;
    /** Of a node whose machines meet those of other processes. */
    readonly transport?: TransportHealth;
    /** Servers and clients of Nest microservices, if there are any: a server that has lost its place takes nothing, so the node is down. */
    readonly microservices?: readonly MicroserviceHealth[];
  }
>;

/**
 * Health of this application's node. With `@nestjs/terminus`:
 * `health.check([() => orchestrator.check()])`; without it, read the result's `status`.
 */
@Injectable()
export class OrchestratorHealth {
  private ending = false;

  constructor(
    @Inject(ORCHESTRATOR_HOST) private readonly host: OrchestratorHost,
    @Inject(ResilienceRegistry) private readonly resilience: ResilienceRegistry,
    @Inject(Orchestrator) private readonly machines: Orchestrator,
    @Inject(MicroserviceRegistry) private readonly microservices: MicroserviceRegistry,
  ) {}

  /**
   * Asks the node and its store. Never rejects: a store that does not answer is `down`, and so is a node with a figure above its threshold, or with a
   * server of microservices that has lost its place.
   *
   * @param thresholds default: none
   */
  async check<const K extends string = 'orchestrator'>(
    key?: K,
    thresholds: OrchestratorHealthThresholds = {},
  ): Promise<OrchestratorHealthResult<K>> {
    const { status, error, ...figures } = await this.host.health();
    const parts = microserviceHealth(this.microservices);
    const over =
      error ??
      overThreshold(thresholds, this.judged(figures.queued)) ??
      lostServers(parts.microservices ?? []);
    const reason = this.ending ? 'shutting down' : over;
    const up = reason === undefined && status !== 'down';
    const result = {
      status: up ? 'up' : 'down',
      ...figures,
      ...(reason === undefined ? {} : { reason }),
      ...resilienceHealth(this.resilience),
      ...transportHealth(this.machines),
      ...parts,
    };
    return { [key ?? 'orchestrator']: result } as OrchestratorHealthResult<K>;
  }

  private judged(queued: number): JudgedFigures {
    const { queued: queuedEvents, waitingSenders, pendingRequests, latency } = this.machines.stats();
    return { queued, queuedEvents, waitingSenders, pendingRequests, latencyP99Ms: latency.p99 };
  }

  /**
   * From now on the answer is `down`, so that load balancers send no more requests.
   *
   * @internal
   */
  closing(): void {
    this.ending = true;
  }
}
