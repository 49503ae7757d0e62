import { Logger as NestCommonLogger, type Provider } from '@nestjs/common';
import { BatchService, MessageBus, Orchestrator } from '@nestjs-orchestrator/core';
import { OrchestratorHost, type HostOptions } from '@nestjs-orchestrator/core/internal';
import { memoryStore } from '@nestjs-orchestrator/core/memory';
import { SagaOperator } from '@nestjs-orchestrator/core/saga';
import type { Logger } from '@nestjs-orchestrator/core/ports';
import { OrchestratorConfigurationError } from '../boot-errors.js';
import { OrchestratorHealth } from '../health/orchestrator.health.js';
import { MachineRuntime } from '../machine/machine-runtime.js';
import { IngressGate } from '../microservices/ingress-gate.js';
import { MicroserviceRegistry } from '../microservices/microservice-registry.js';
import { NestLogger } from '../logging/nest-logger.js';
import { ResilienceRegistry } from '../resilience/resilience-registry.js';
import { CurrentTenant } from '../tenancy/current-tenant.js';
import type { OrchestratorModuleOptions } from './orchestrator-options.js';
import { ORCHESTRATOR_HOST, ORCHESTRATOR_LOGGER, ORCHESTRATOR_OPTIONS } from './orchestrator.tokens.js';

/** Providers of the core module; each application has its own. */
export const coreProviders: readonly Provider[] = [
  {
    provide: ORCHESTRATOR_LOGGER,
    useFactory: (options?: OrchestratorModuleOptions): Logger =>
      options?.logger ?? new NestLogger(new NestCommonLogger('Orchestrator')),
    inject: [{ token: ORCHESTRATOR_OPTIONS, optional: true }],
  },
  {
    provide: ORCHESTRATOR_HOST,
    useFactory: makeHost,
    inject: [ORCHESTRATOR_LOGGER, CurrentTenant, { token: ORCHESTRATOR_OPTIONS, optional: true }],
  },
  {
    provide: CurrentTenant,
    useFactory: (options?: OrchestratorModuleOptions): CurrentTenant =>
      new CurrentTenant(typeof options?.tenant === 'function' ? options.tenant : undefined),
    inject: [{ token: ORCHESTRATOR_OPTIONS, optional: true }],
  },
  {
    provide: MessageBus,
    useFactory: (host: OrchestratorHost): MessageBus => host.bus,
    inject: [ORCHESTRATOR_HOST],
  },
  {
    provide: ResilienceRegistry,
    useFactory: (logger: Logger, options?: OrchestratorModuleOptions): ResilienceRegistry => {
      const { resilience = {}, clock, random } = options ?? {};
      return new ResilienceRegistry(resilience, { clock, random, logger });
    },
    inject: [ORCHESTRATOR_LOGGER, { token: ORCHESTRATOR_OPTIONS, optional: true }],
  },
  {
    provide: MachineRuntime,
    useFactory: (logger: Logger, options?: OrchestratorModuleOptions): MachineRuntime => {
      const { machines = {}, transport, clock, ids, store } = options ?? {};
      return new MachineRuntime(machines, { clock, ids, logger, transport, store });
    },
    inject: [ORCHESTRATOR_LOGGER, { token: ORCHESTRATOR_OPTIONS, optional: true }],
  },
  {
    provide: Orchestrator,
    useFactory: (runtime: MachineRuntime): Orchestrator => runtime.application,
    inject: [MachineRuntime],
  },
  {
    provide: BatchService,
    useFactory: (
      orchestrator: Orchestrator,
      bus: MessageBus,
      options?: OrchestratorModuleOptions,
    ): BatchService => {
      const { clock, ids } = options ?? {};
      return new BatchService({
        orchestrator,
        bus,
        ...(clock === undefined ? {} : { clock }),
        ...(ids === undefined ? {} : { ids }),
      });
    },
    inject: [Orchestrator, MessageBus, { token: ORCHESTRATOR_OPTIONS, optional: true }],
  },
  {
    provide: SagaOperator,
    useFactory: (host: OrchestratorHost): SagaOperator => host.operator,
    inject: [ORCHESTRATOR_HOST],
  },
  MicroserviceRegistry,
  OrchestratorHealth,
  IngressGate,
];

function makeHost(
  logger: Logger,
  tenants: CurrentTenant,
  options: OrchestratorModuleOptions | undefined,
): OrchestratorHost {
  if (options === undefined) {
    throw new OrchestratorConfigurationError(
      'There are no options for the orchestrator. Add OrchestratorModule.forRoot({ … }) to the imports of the ' +
        'application module, and let the useFactory of forRootAsync return an object.',
    );
  }
  try {
    return new OrchestratorHost({ ...hostOptions(options, logger), currentTenant: () => tenants.get() });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new OrchestratorConfigurationError(
      `OrchestratorModule.forRoot() was given an option it can't use: ${reason}`,
      { cause },
    );
  }
}

function hostOptions(options: OrchestratorModuleOptions, logger: Logger): HostOptions {
  const {
    store,
    tenant,
    logger: _,
    resilience: _resilience,
    machines: _machines,
    transport: _transport,
    ...knobs
  } = options;
  return {
    ...knobs,
    ...(typeof tenant === 'string' ? { defaultTenant: tenant } : {}),
    logger,
    store: store ?? storeInMemory(knobs.clock, logger),
  };
}

function storeInMemory(clock: HostOptions['clock'], logger: Logger): HostOptions['store'] {
  logger.warn(
    "No store is configured: sagas and messages live in this process's memory and are lost at its end. " +
      'Give OrchestratorModule.forRoot() a store, for example typeormStore(dataSource).',
  );
  return memoryStore(clock === undefined ? {} : { clock });
}
