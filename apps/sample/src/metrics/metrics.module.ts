import { Inject, Module, type DynamicModule, type OnApplicationShutdown } from '@nestjs/common';
import { OrchestratorMetricsModule } from '@nestjs-orchestrator/nest/metrics';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { MetricsController } from './metrics.controller.js';

/** `GET /metrics`: what the framework reports of this application, for Prometheus. */
@Module({ controllers: [MetricsController] })
export class MetricsModule implements OnApplicationShutdown {
  constructor(@Inject(MeterProvider) private readonly provider: MeterProvider) {}

  static forApplication(): DynamicModule {
    const exporter = new PrometheusExporter({ preventServerStart: true });
    const provider = new MeterProvider({ readers: [exporter] });
    return {
      module: MetricsModule,
      imports: [OrchestratorMetricsModule.forRoot({ meter: provider.getMeter('@nestjs-orchestrator') })],
      providers: [
        { provide: PrometheusExporter, useValue: exporter },
        { provide: MeterProvider, useValue: provider },
      ],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.provider.shutdown();
  }
}
