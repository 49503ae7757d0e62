import { milliseconds, type Duration } from '@nestjs-orchestrator/core';
import {
  SagaDefinitionError,
  type AnySaga,
  type DefinitionFault,
  type ErasedActivity,
  type ErasedCompensation,
  type ErasedHandler,
  type HookSpec,
  type SagaBehaviour,
  type TransitionSpec,
  type Trigger,
} from '@nestjs-orchestrator/core/saga';
import { inReadingOrder } from '../explorer/reading-order.js';
import { readSagaMembers, type SagaMemberRole } from './saga.metadata.js';

type TransitionRole = Exclude<SagaMemberRole, { kind: 'compensation' | 'entry' | 'exit' | 'activity' }>;
type Report = (path: string, message: string) => void;

/**
 * The behaviour that a saga class's decorators describe, bound to an instance of it.
 *
 * @throws SagaDefinitionError for what the compiler would have refused: a bad duration, decorators of another saga, two methods for one
 * compensation
 */
export function readSagaBehaviour(
  definition: AnySaga,
  instance: object,
  target: DecoratedClass,
): SagaBehaviour {
  const faults: DefinitionFault[] = [];
  const report: Report = (path, message) => void faults.push({ path, message });
  const transitions: TransitionSpec[] = [];
  const hooks: HookSpec[] = [];
  const compensations = new Map<string, ErasedCompensation>();
  const activities = new Map<string, ErasedActivity>();
  for (const { key, role, definition: other } of inReadingOrder(readSagaMembers(target))) {
    const label = `${target.name}.${String(key)}`;
    if (other !== definition) {
      report(label, `has a decorator of another definition, '${other.name}' version ${other.version}`);
    } else if (role.kind === 'compensation') {
      if (compensations.has(role.name)) report(label, `is the second method for compensation '${role.name}'`);
      compensations.set(role.name, bind<ErasedCompensation>(instance, key));
    } else if (role.kind === 'activity') {
      if (activities.has(role.name)) report(label, `is the second method for activity '${role.name}'`);
      activities.set(role.name, bind<ErasedActivity>(instance, key));
    } else if (role.kind === 'entry' || role.kind === 'exit') {
      const handler = bind<ErasedHandler>(instance, key);
      hooks.push({ kind: role.kind, states: list(role.states), handler, label });
    } else {
      transitions.push(transitionOf(role, bind<ErasedHandler>(instance, key), label, report));
    }
  }
  if (faults.length > 0) throw new SagaDefinitionError(definition.name, faults);
  return { definition, transitions, hooks, joins: new Map(), compensations, activities, label: target.name };
}

/** A class, as far as its metadata and messages need it. */
export type DecoratedClass = object & { readonly name: string };

function transitionOf(
  role: TransitionRole,
  handler: ErasedHandler,
  label: string,
  report: Report,
): TransitionSpec {
  const { to } = role;
  const during = role.kind === 'start' ? [] : list(role.during);
  const guard = 'guard' in role ? role.guard : undefined;
  return { trigger: triggerOf(role, label, report), during, to, guard, handler, label };
}

function triggerOf(role: TransitionRole, label: string, report: Report): Trigger {
  switch (role.kind) {
    case 'start':
    case 'event':
      return { kind: role.kind, event: role.event };
    case 'after':
      return { kind: 'after', delayMs: delayOf(role.delay, label, report) };
    case 'composite':
    case 'schedule':
      return { kind: role.kind, name: role.name };
    case 'outcome':
      return { kind: 'outcome', activity: role.activity, outcome: role.outcome };
    case 'always':
    case 'done':
      return { kind: role.kind };
    default:
      return role satisfies never;
  }
}

function delayOf(delay: Duration, label: string, report: Report): number {
  try {
    return milliseconds(delay);
  } catch (error) {
    report(label, (error as Error).message);
    return 0;
  }
}

function list(during: string | readonly string[]): readonly string[] {
  return typeof during === 'string' ? [during] : during;
}

/** Looked up when it is called, so that a spy put on the instance is seen. */
function bind<F extends (...args: never[]) => unknown>(instance: object, key: string | symbol): F {
  const methods = instance as Record<string | symbol, (...args: unknown[]) => unknown>;
  return ((...args: unknown[]) => methods[key]?.(...args)) as unknown as F;
}
