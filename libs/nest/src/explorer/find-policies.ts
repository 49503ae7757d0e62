import { OrchestratorError } from '@nestjs-orchestrator/core';
import type { BootFault } from '../boot-errors.js';
import { readHandles } from '../handlers/handles.metadata.js';
import { readMachineMembers } from '../machine/machine.metadata.js';
import { UnknownNameError, policyLayer, type PolicyLayer } from '../resilience/policy-layers.js';
import { isProtected, type Protection } from '../resilience/protected-method.js';
import {
  readCallSignal,
  readInjections,
  readPolicies,
  type NamedKind,
  type PolicyMember,
} from '../resilience/resilience.metadata.js';
import type { ResilienceRegistry } from '../resilience/resilience-registry.js';
import { readSagaMembers } from '../saga/saga.metadata.js';
import type { Candidate } from './candidates.js';
import { inReadingOrder } from './reading-order.js';
import { NOUNS, reportUnknown } from './unknown-names.js';

type Report = (code: BootFault['code'], message: string) => void;

/** Members of machine classes that record sends, or must be pure. */
const RECORDING: ReadonlySet<string> = new Set(['action', 'guard', 'delay']);

/** The methods of all providers that have `@Use…` decorators, and what these say made for this application. */
export function findPolicies(
  candidates: readonly Candidate[],
  registry: ResilienceRegistry,
  injectable: (kind: NamedKind, name: string) => boolean,
  report: Report,
): readonly Protection[] {
  for (const candidate of candidates) reportInjections(candidate, registry, injectable, report);
  return candidates.flatMap((candidate) => {
    const byMethod = new Map<string | symbol, PolicyMember[]>();
    for (const member of inReadingOrder(readPolicies(candidate.target))) {
      byMethod.set(member.key, [...(byMethod.get(member.key) ?? []), member]);
    }
    if (byMethod.size === 0 || !canProtect(candidate, report)) return [];
    return [...byMethod].flatMap(
      ([key, members]) => protectionOf(candidate, key, members, registry, report) ?? [],
    );
  });
}

function protectionOf(
  candidate: Candidate,
  key: string | symbol,
  members: readonly PolicyMember[],
  registry: ResilienceRegistry,
  report: Report,
): Protection | undefined {
  const { target, instance, module } = candidate;
  const method = `${target.name}.${String(key)}`;
  if (!methodCanBeProtected(candidate, key, `${method} (in ${module})`, report)) return undefined;
  const layers: PolicyLayer[] = [];
  for (const { role } of members) {
    try {
      layers.push(policyLayer(role, registry, method));
    } catch (error) {
      if (error instanceof UnknownNameError)
        reportUnknown(`${method} (in ${module}) uses`, error.kind, error.unknown, registry, report);
      else if (error instanceof OrchestratorError || error instanceof TypeError)
        report('POLICY_OPTION', `${method} (in ${module}): ${error.message}`);
      else throw error;
    }
  }
  return { instance, key, layers, signalAt: readCallSignal(target, key) };
}

function canProtect({ target, module, scope, controller }: Candidate, report: Report): boolean {
  const start = `${target.name} (in ${module}) has @Use… methods`;
  if (controller) {
    report(
      'POLICY_ON_CONTROLLER',
      `${start} and is a controller, whose methods Nest has bound to their routes before. Move them to a provider that the ` +
        `controller calls; limit routes with @UseGuards(RateLimitGuard('…')).`,
    );
    return false;
  }
  if (scope === undefined) return true;
  report(
    'SCOPED_PROVIDER',
    `${start} and is ${scope}. Policies are put on singletons when the application starts: remove the scope, or move the ` +
      `methods to a provider without one.`,
  );
  return false;
}

function methodCanBeProtected(
  { target, instance }: Candidate,
  key: string | symbol,
  place: string,
  report: Report,
): boolean {
  const recorded =
    readHandles(target).some((member) => member.key === key) ||
    readSagaMembers(target).some((member) => member.key === key && member.role.kind !== 'compensation') ||
    readMachineMembers(target).some((member) => member.key === key && RECORDING.has(member.role.kind));
  if (recorded) {
    report(
      'POLICY_ON_HANDLER',
      `${place} is a handler with @Use… decorators. What handlers record counts once for each delivery, and failed deliveries come ` +
        `again by themselves: put the decorators on the provider that the handler calls.`,
    );
    return false;
  }
  if (isProtected(instance, key)) {
    report(
      'SHARED_INSTANCE',
      `${place} has @Use… decorators and its instance already belongs to another application of this process. Give each ` +
        `application an instance of its own.`,
    );
    return false;
  }
  if (Object.isExtensible(instance)) return true;
  report(
    'SEALED_INSTANCE',
    `${place} has @Use… decorators, and its instance is frozen or sealed. Don't freeze it.`,
  );
  return false;
}

function reportInjections(
  { target, module }: Candidate,
  registry: ResilienceRegistry,
  injectable: (kind: NamedKind, name: string) => boolean,
  report: Report,
): void {
  for (const { kind, name } of readInjections(target)) {
    const place = `${target.name} (in ${module}) injects`;
    const [noun, option] = NOUNS[kind];
    if (registry.get(kind, name) === undefined) reportUnknown(place, kind, name, registry, report);
    else if (!injectable(kind, name))
      report(
        'NOT_PROVIDED',
        `${place} ${noun} '${name}', which forRootAsync does not announce. Name it there: provides: { ${option}: ['${name}'] }.`,
      );
  }
}
