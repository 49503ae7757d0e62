import { Module, type DynamicModule } from '@nestjs/common';
import { OrchestratorModule, type OrchestratorModuleOptions } from '@nestjs-orchestrator/nest';
import { typeormStore } from '@nestjs-orchestrator/typeorm';
import { DataSource } from 'typeorm';
import { resilience } from '../config/resilience.js';
import { DatabaseModule } from '../database/database.module.js';
import { linkedOrders } from './link/linked.js';
import type { PaymentLink } from './link/payment-link.js';
import { PaymentsModule } from './payments.module.js';

/** In- and outbox of its own, so that nothing but the link connects it with the orders. */
const SCHEMA = 'payments_orchestrator';

/** Payment as an application of its own. */
@Module({})
export class PaymentsAppModule {
  /** `overrides` win over the settings made here. */
  static forDatabase(
    url: string,
    link: PaymentLink,
    overrides: OrchestratorModuleOptions = {},
  ): DynamicModule {
    return {
      module: PaymentsAppModule,
      imports: [
        DatabaseModule.forUrl(url),
        OrchestratorModule.forRootAsync({
          inject: [DataSource],
          useFactory: (dataSource: DataSource) => ({
            store: typeormStore(dataSource, { schema: SCHEMA }),
            leaseMs: 3_000,
            resilience,
            ...overrides,
          }),
        }),
        PaymentsModule,
        linkedOrders(link),
      ],
    };
  }
}
