import {
  Inject,
  Injectable,
  Module,
  Optional,
  type DynamicModule,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { Orchestrator } from '@nestjs-orchestrator/core';
import type { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import { metrics, type Meter } from '@opentelemetry/api';
import { OrchestratorCoreModule } from '../module/orchestrator-core.module.js';
import { ORCHESTRATOR_HOST } from '../module/orchestrator.tokens.js';
import { MicroserviceRegistry } from '../microservices/microservice-registry.js';
import { ResilienceRegistry } from '../resilience/resilience-registry.js';
import { observeMicroservices } from './microservice-metrics.js';
import { observeOrchestrator } from './orchestrator-metrics.js';
import { observeBreakers, observeLimiters } from './resilience-metrics.js';
import { observeSagas } from './saga-metrics.js';

/** Options of {@link OrchestratorMetricsModule}. */
export interface OrchestratorMetricsOptions {
  /** Default: the meter `@nestjs-orchestrator/nest` of the global meter provider. */
  readonly meter?: Meter;
}

const METRICS_OPTIONS = Symbol.for('@nestjs-orchestrator/metrics-options');
const METER_NAME = '@nestjs-orchestrator/nest';

/** Reports from the start of the application to its end. */
@Injectable()
class MetricsReporter implements OnApplicationBootstrap, OnApplicationShutdown {
  private ways: readonly (() => void)[] = [];

  constructor(
    @Inject(METRICS_OPTIONS) private readonly options: OrchestratorMetricsOptions,
    @Inject(ORCHESTRATOR_HOST) private readonly host: OrchestratorHost,
    @Inject(ResilienceRegistry) private readonly resilience: ResilienceRegistry,
    @Inject(MicroserviceRegistry) private readonly microservices: MicroserviceRegistry,
    @Optional() @Inject(Orchestrator) private readonly orchestrator?: Orchestrator,
  ) {}

  onApplicationBootstrap(): void {
    const meter = this.options.meter ?? metrics.getMeter(METER_NAME);
    const { host, resilience, microservices, orchestrator } = this;
    this.ways = [
      observeSagas(meter, () => host.statistics()),
      observeLimiters(meter, () => resilience.entries('limiter')),
      observeBreakers(meter, () => resilience.entries('breaker')),
      observeMicroservices(meter, () => microservices.stats()),
      ...(orchestrator ? [observeOrchestrator(meter, orchestrator)] : []),
    ];
  }

  onApplicationShutdown(): void {
    for (const leave of this.ways) leave();
    this.ways = [];
  }
}

/**
 * Reports counts and gauges of machines, sagas, limiters, breakers and microservices to OpenTelemetry, which exports them as the application says; without a meter provider
 * nothing is read and nothing costs. Import it beside `OrchestratorModule.forRoot`.
 */
@Module({})
export class OrchestratorMetricsModule {
  static forRoot(options: OrchestratorMetricsOptions = {}): DynamicModule {
    return {
      module: OrchestratorMetricsModule,
      imports: [OrchestratorCoreModule],
      providers: [{ provide: METRICS_OPTIONS, useValue: options }, MetricsReporter],
    };
  }
}
