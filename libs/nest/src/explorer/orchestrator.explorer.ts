import { Inject, Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { MessageHandler } from '@nestjs-orchestrator/core';
import type { Logger } from '@nestjs-orchestrator/core/ports';
import type { SagaBehaviour } from '@nestjs-orchestrator/core/saga';
import { OrchestratorBootError, type BootFault } from '../boot-errors.js';
import type { DecoratedClass } from '../saga/saga-class.accessor.js';
import {
  ORCHESTRATOR_LOGGER,
  ORCHESTRATOR_OPTIONS,
  RESILIENCE_NAMES,
} from '../module/orchestrator.tokens.js';
import { MachineRuntime, type MachinePlan } from '../machine/machine-runtime.js';
import type { Protection } from '../resilience/protected-method.js';
import type { NamedKind } from '../resilience/resilience.metadata.js';
import type { ResilienceNames } from '../resilience/resilience-options.js';
import { ResilienceRegistry } from '../resilience/resilience-registry.js';
import { findCandidates, findFeatures, type Candidate } from './candidates.js';
import { findHandlers } from './find-handlers.js';
import { findMachines } from './find-machines.js';
import { findPolicies } from './find-policies.js';
import { findSagas } from './find-sagas.js';
import { inheritedMembers } from './inherited.js';

type Report = (code: BootFault['code'], message: string) => void;

/** What an application has for its node. */
export interface Exploration {
  readonly sagas: readonly SagaBehaviour[];
  readonly handlers: readonly MessageHandler[];
  readonly machines: readonly MachinePlan[];
  readonly protections: readonly Protection[];
}

/** Finds the sagas and handlers of all modules of this application. */
@Injectable()
export class OrchestratorExplorer {
  constructor(
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(ORCHESTRATOR_LOGGER) private readonly logger: Logger,
    @Inject(ResilienceRegistry) private readonly resilience: ResilienceRegistry,
    @Inject(MachineRuntime) private readonly machines: MachineRuntime,
    @Inject(RESILIENCE_NAMES) private readonly names: ResilienceNames,
  ) {}

  /**
   * Reads the application as it stands; starts nothing.
   *
   * @throws OrchestratorBootError with all faults at once, SagaDefinitionError
   */
  explore(): Exploration {
    const faults: BootFault[] = [];
    const report = (code: BootFault['code'], message: string): void => void faults.push({ code, message });
    const providers = this.discovery.getProviders();
    const candidates = findCandidates(providers, this.discovery.getControllers());
    if (providers.filter(({ token }) => token === ORCHESTRATOR_OPTIONS).length > 1)
      report(
        'DUPLICATE_ROOT',
        `OrchestratorModule.forRoot() was called more than once. Call it in the application module and use forFeature elsewhere.`,
      );
    const features = findFeatures(providers);
    const sagas = findSagas(features, candidates, this.resilience, report);
    const machines = findMachines(features, candidates, report);
    const handlers = findHandlers(candidates, report);
    const protections = this.findPolicies(candidates, report);
    this.reportUnusedGroups(report);
    if (faults.length > 0) throw new OrchestratorBootError(faults);
    for (const { target } of candidates) this.warnOfInherited(target);
    return { sagas, handlers, machines, protections };
  }

  private reportUnusedGroups(report: Report): void {
    for (const name of this.machines.unusedGroups()) {
      report(
        'UNKNOWN_CHANNEL_GROUP',
        `machines.channelGroups of OrchestratorModule.forRoot() has options for '${name}', a channel group that no ` +
          `forFeature([…], { channelGroup: '${name}' }) declares.`,
      );
    }
  }

  private findPolicies(candidates: readonly Candidate[], report: Report): readonly Protection[] {
    const injectable: Record<string, readonly string[] | undefined> = {
      breaker: this.names.breakers,
      limiter: this.names.limiters,
    };
    for (const kind of ['breaker', 'limiter'] as const) {
      for (const name of injectable[kind] ?? []) {
        if (this.resilience.get(kind, name) !== undefined) continue;
        report(
          'UNKNOWN_NAME',
          `forRootAsync announces ${kind} '${name}' in 'provides', which resilience.${kind}s of its options does not have.`,
        );
      }
    }
    const isProvided = (kind: NamedKind, name: string): boolean => injectable[kind]?.includes(name) ?? false;
    return findPolicies(candidates, this.resilience, isProvided, report);
  }

  private warnOfInherited(target: DecoratedClass): void {
    const members = inheritedMembers(target);
    if (members.length === 0) return;
    this.logger.warn(
      `${target.name} inherits ${members.join(', ')}; decorators count only for the class they stand in. ` +
        `Repeat them in ${target.name} if it should handle these too.`,
    );
  }
}
