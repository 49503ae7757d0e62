import type { MessageType } from '../message/message.js';
import type { CompensationContext, GuardContext, SagaContext } from './contexts.js';
import type { AnySaga } from './saga-types.js';

/** A handler with its types erased: returns the initial data (start), a computed target, or nothing. */
export type ErasedHandler = (ctx: SagaContext<never, unknown, never>) => unknown;
/** A guard whose data and event types were checked where it was declared. */
export type ErasedGuard = (ctx: GuardContext<unknown, unknown>) => boolean;
/** A compensation whose input was checked where it was declared. */
export type ErasedCompensation = (input: never, ctx: CompensationContext) => unknown;

/** What makes a transition be looked at. */
export type Trigger =
  | { readonly kind: 'start'; readonly event: MessageType }
  | { readonly kind: 'event'; readonly event: MessageType }
  | { readonly kind: 'after'; readonly delayMs: number };

/** One whole transition, as a decorator or the builder declares it. */
export interface TransitionSpec {
  readonly trigger: Trigger;
  /** Source states; empty for a start. */
  readonly during: readonly string[];
  /** One target; several: the handler returns one of them; none: the saga stays. */
  readonly to: string | readonly string[] | undefined;
  readonly guard: ErasedGuard | undefined;
  /** `undefined` where there is nothing to do but to move. */
  readonly handler: ErasedHandler | undefined;
  /** For messages: `OrderSaga.onPaid`, or the place in the builder. */
  readonly label: string;
}

/** Everything that a class or a builder adds to a definition. */
export interface SagaBehaviour<G extends AnySaga = AnySaga> {
  readonly definition: G;
  readonly transitions: readonly TransitionSpec[];
  readonly compensations: ReadonlyMap<string, ErasedCompensation>;
  /** For messages: the class's name, or `buildSaga`. */
  readonly label: string;
}
