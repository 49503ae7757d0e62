import type { Type } from '@nestjs/common';
import { DiscoveryService, ModulesContainer, NestFactory } from '@nestjs/core';
import type { SagaBehaviour } from '@nestjs-orchestrator/core/saga';
import { OrchestratorBootError, type BootFault } from '../boot-errors.js';
import { bindingOf } from '../microservices/egress.js';
import { EGRESS } from '../module/orchestrator.tokens.js';
import { findCandidates, findFeatures } from './candidates.js';
import { findHandlers } from './find-handlers.js';
import { findSagas } from './find-sagas.js';

/** What can be said of an application without making any of its providers. */
export interface ApplicationDescription {
  /** Its sagas; their handlers can't be called, since the classes have no instances. */
  readonly sagas: readonly SagaBehaviour[];
  /** Names of its `@Handles` methods. */
  readonly handlers: readonly string[];
  /** Names of its ways to other applications. */
  readonly egress: readonly string[];
}

/**
 * Reads which sagas, message handlers and ways out an application has. Its modules are scanned, as Nest does in its preview mode: no provider is made,
 * nothing connects and nothing starts. What the modules themselves do when they are imported, is done.
 *
 * A provider that is made by a factory, or given as a value, is not seen, since its class is not known before.
 *
 * @throws OrchestratorBootError, SagaDefinitionError
 */
export async function describeApplication(module: Type): Promise<ApplicationDescription> {
  const application = await NestFactory.createApplicationContext(module, {
    preview: true,
    logger: false,
    abortOnError: false,
  });
  const discovery = new DiscoveryService(application.get(ModulesContainer, { strict: false }));
  const providers = discovery.getProviders();
  const candidates = findCandidates(providers, discovery.getControllers());
  const faults: BootFault[] = [];
  const report = (code: BootFault['code'], message: string): void => void faults.push({ code, message });
  const sagas = findSagas(findFeatures(providers), candidates, undefined, report);
  const handlers = findHandlers(candidates, report).map(({ name }) => name);
  if (faults.length > 0) throw new OrchestratorBootError(faults);
  const egress = providers.flatMap(({ token, isAlias, metatype }) => {
    const binding = token === EGRESS && !isAlias && metatype !== null ? bindingOf(metatype) : undefined;
    return binding === undefined ? [] : [binding.name];
  });
  return { sagas, handlers, egress };
}
