import { Module } from '@nestjs/common';
import { BatchService, MessageBus, Orchestrator } from '@nestjs-orchestrator/core';
import { SagaOperator } from '@nestjs-orchestrator/core/saga';
import { OrchestratorHealth } from '../health/orchestrator.health.js';
import { IngressGate } from '../microservices/ingress-gate.js';
import { MicroserviceRegistry } from '../microservices/microservice-registry.js';
import { MachineRuntime } from '../machine/machine-runtime.js';
import { ResilienceRegistry } from '../resilience/resilience-registry.js';
import { CurrentTenant } from '../tenancy/current-tenant.js';
import { coreProviders } from './orchestrator-core.providers.js';
import { ORCHESTRATOR_HOST, ORCHESTRATOR_LOGGER } from './orchestrator.tokens.js';

/**
 * The application's node and what is injected of it. Static, so that every `forFeature` module shares one. Never global: Nest
 * ends global modules last, and the node must be closed before the database it works on.
 */
@Module({
  providers: [...coreProviders],
  exports: [
    CurrentTenant,
    IngressGate,
    ORCHESTRATOR_HOST,
    ORCHESTRATOR_LOGGER,
    MessageBus,
    BatchService,
    Orchestrator,
    SagaOperator,
    OrchestratorHealth,
    MicroserviceRegistry,
    MachineRuntime,
    ResilienceRegistry,
  ],
})
export class OrchestratorCoreModule {}
