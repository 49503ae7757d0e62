import { Module, type DynamicModule } from '@nestjs/common';
import { APP_INTERCEPTOR, DiscoveryModule } from '@nestjs/core';
import { OrchestratorExplorer } from '../explorer/orchestrator.explorer.js';
import { OrchestratorLifecycle } from './orchestrator.lifecycle.js';
import { EgressExplorer } from '../microservices/egress.explorer.js';
import { TenantInterceptor } from '../tenancy/tenant.interceptor.js';
import type { ResilienceNames } from '../resilience/resilience-options.js';
import { OrchestratorCoreModule } from './orchestrator-core.module.js';
import { RESILIENCE_NAMES } from './orchestrator.tokens.js';

/**
 * Finds the application's sagas and handlers, starts the node and ends it. It imports the module of the options, and with it
 * whatever `forRootAsync` imports: Nest ends importers first, so the node is closed before a database that came by that way.
 */
@Module({})
export class OrchestratorRuntimeModule {
  static with(options: DynamicModule, names: ResilienceNames): DynamicModule {
    return {
      module: OrchestratorRuntimeModule,
      imports: [options, DiscoveryModule, OrchestratorCoreModule],
      providers: [
        { provide: RESILIENCE_NAMES, useValue: names },
        { provide: APP_INTERCEPTOR, useClass: TenantInterceptor },
        EgressExplorer,
        OrchestratorExplorer,
        OrchestratorLifecycle,
      ],
    };
  }
}
