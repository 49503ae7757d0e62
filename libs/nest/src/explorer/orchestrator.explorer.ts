import { Inject, Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { MessageHandler } from '@nestjs-orchestrator/core';
import type { Logger } from '@nestjs-orchestrator/core/ports';
import type { SagaBehaviour } from '@nestjs-orchestrator/core/saga';
import { OrchestratorBootError, type BootFault } from '../boot-errors.js';
import type { DecoratedClass } from '../saga/saga-class.accessor.js';
import { ORCHESTRATOR_LOGGER, ORCHESTRATOR_OPTIONS } from '../module/orchestrator.tokens.js';
import { findCandidates, findFeatures } from './candidates.js';
import { findHandlers } from './find-handlers.js';
import { findSagas } from './find-sagas.js';
import { inheritedMembers } from './inherited.js';

/** What an application has for its node. */
export interface Exploration {
  readonly sagas: readonly SagaBehaviour[];
  readonly handlers: readonly MessageHandler[];
}

/** Finds the sagas and handlers of all modules of this application. */
@Injectable()
export class OrchestratorExplorer {
  constructor(
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(ORCHESTRATOR_LOGGER) private readonly logger: Logger,
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
    const candidates = findCandidates([...providers, ...this.discovery.getControllers()]);
    if (providers.filter(({ token }) => token === ORCHESTRATOR_OPTIONS).length > 1)
      report(
        'DUPLICATE_ROOT',
        `OrchestratorModule.forRoot() was called more than once. Call it in the application module and use forFeature elsewhere.`,
      );
    const sagas = findSagas(findFeatures(providers), candidates, report);
    const handlers = findHandlers(candidates, report);
    if (faults.length > 0) throw new OrchestratorBootError(faults);
    for (const { target } of candidates) this.warnOfInherited(target);
    return { sagas, handlers };
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
