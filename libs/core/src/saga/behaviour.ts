import type { MessageType } from '../message/message.js';
import type { ErasedActivity } from './activity/activity-types.js';
import type { CompensationContext, GuardContext, SagaContext } from './contexts.js';
import type { SagaGate } from './saga-gate.js';
import type { AnySaga, Join } from './saga-types.js';

/** A handler with its types erased: returns the initial data (start), a computed target, or nothing. */
export type ErasedHandler = (ctx: SagaContext<never, unknown, never, never>) => unknown;
/** A guard whose data and event types were checked where it was declared. */
export type ErasedGuard = (ctx: GuardContext<unknown, unknown>) => boolean;
/** A compensation whose input was checked where it was declared. */
export type ErasedCompensation = (input: never, ctx: CompensationContext) => unknown;

/** What makes a transition be looked at. */
export type Trigger =
  | { readonly kind: 'start'; readonly event: MessageType }
  | { readonly kind: 'event'; readonly event: MessageType }
  /** All members of a composite event have come. */
  | { readonly kind: 'composite'; readonly name: string }
  /** A stay in the state has lasted this long. */
  | { readonly kind: 'after'; readonly delayMs: number }
  /** A timer that a handler has set is due. */
  | { readonly kind: 'schedule'; readonly name: string }
  /** An activity that waits for nothing else has succeeded, or failed for good. */
  | { readonly kind: 'outcome'; readonly activity: string; readonly outcome: 'done' | 'failed' }
  /** As soon as the state is entered or something was handled in it. */
  | { readonly kind: 'always' }
  /** The state's children have come to their end. */
  | { readonly kind: 'done' };

/** One whole transition, as a decorator or the builder declares it. */
export interface TransitionSpec {
  readonly trigger: Trigger;
  /** Source states; empty for a start. `compensating` and `ended` stand for those phases. */
  readonly during: readonly string[];
  /** One target; several: the handler returns one of them; none: the saga stays. */
  readonly to: string | readonly string[] | undefined;
  readonly guard: ErasedGuard | undefined;
  /** `undefined` where there is nothing to do but to move. */
  readonly handler: ErasedHandler | undefined;
  /** For messages: `OrderSaga.onPaid`, or the place in the builder. */
  readonly label: string;
}

/** What is done whenever a state is entered or left. */
export interface HookSpec {
  readonly kind: 'entry' | 'exit';
  readonly states: readonly string[];
  readonly handler: ErasedHandler;
  /** For messages. */
  readonly label: string;
}

/** Everything that a class, a builder or a row of steps adds to a definition. */
export interface SagaBehaviour<G extends AnySaga = AnySaga> {
  readonly definition: G;
  readonly transitions: readonly TransitionSpec[];
  readonly hooks: readonly HookSpec[];
  /** Joins beside those of the definition, made by steps in parallel. */
  readonly joins: ReadonlyMap<string, Join>;
  readonly compensations: ReadonlyMap<string, ErasedCompensation>;
  readonly activities?: ReadonlyMap<string, ErasedActivity>;
  /** Stands before its messages; put there by `protectSaga`. */
  readonly gate?: SagaGate;
  /** For messages: the class's name, or `buildSaga`. */
  readonly label: string;
}

/** What happens, as messages and diagrams call it. */
export function causeOf(trigger: Trigger): string {
  switch (trigger.kind) {
    case 'start':
    case 'event':
      return nameOf(trigger.event);
    case 'composite':
      return `all of ${trigger.name}`;
    case 'after':
      return `after ${trigger.delayMs} ms`;
    case 'schedule':
      return `schedule ${trigger.name}`;
    case 'outcome':
      return `${trigger.activity} ${trigger.outcome}`;
    case 'always':
    case 'done':
      return trigger.kind;
    default:
      return trigger satisfies never;
  }
}

/** A class that is not there yet has none; it is reported where the definition is checked. */
function nameOf(event: MessageType | undefined): string {
  return event?.messageName ?? 'undefined';
}

/** Targets of a transition: none, one or those that its handler chooses from. */
export function targetsOf({ to }: TransitionSpec): readonly string[] {
  if (to === undefined) return [];
  return typeof to === 'string' ? [to] : to;
}
