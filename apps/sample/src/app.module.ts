import { Module, type DynamicModule } from '@nestjs/common';
import { OrchestratorModule, type OrchestratorModuleOptions } from '@nestjs-orchestrator/nest';
import { typeormStore } from '@nestjs-orchestrator/typeorm';
import { DataSource } from 'typeorm';
import { DatabaseModule } from './database/database.module.js';
import { HealthModule } from './health/health.module.js';
import { resilience } from './config/resilience.js';
import { settings } from './config/settings.js';
import { MetricsModule } from './metrics/metrics.module.js';
import { OrdersModule } from './orders/orders.module.js';
import { paymentLink } from './payments/link/payment-link.js';

@Module({})
export class AppModule {
  /** The whole application on the Postgres at `url`. `overrides` win over the settings made here. */
  static forDatabase(url: string, overrides: OrchestratorModuleOptions = {}): DynamicModule {
    return {
      module: AppModule,
      imports: [
        DatabaseModule.forUrl(url),
        OrchestratorModule.forRootAsync({
          inject: [DataSource],
          useFactory: (dataSource: DataSource) => ({
            store: typeormStore(dataSource),
            // What a killed process had in hand is taken up after so long: well within the time-outs of an order.
            leaseMs: 3_000,
            resilience,
            ...overrides,
          }),
        }),
        OrdersModule.with(paymentLink(settings)),
        HealthModule,
        MetricsModule.forApplication(),
      ],
    };
  }
}
