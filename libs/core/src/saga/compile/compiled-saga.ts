import type { Machine } from '@nestjs-orchestrator/statechart';
import type { MessageType } from '../../message/message.js';
import type { ErasedHandler, SagaBehaviour, TransitionSpec } from '../behaviour.js';
import type { AnySaga, Join } from '../saga-types.js';
import type { SagaPhase } from '../states.js';

/** Name of the state in which an instance does not exist yet. User's states can't begin with `$`. */
export const ABSENT = '$absent';

/** Event that takes a saga to the target which the handler of a transition has returned. */
export function computedTarget(transition: string, state: string): string {
  return `$to.${transition}.${state}`;
}

/** Event that is raised when all members of a composite event have come. */
export function compositeEvent(name: string): string {
  return `$all.${name}`;
}

/** Event that stands for a timer of that name. */
export function scheduleEvent(name: string): string {
  return `$schedule.${name}`;
}

/** A handler as the engine's `action` effects name it. */
export interface CompiledHandler {
  /** Its name among the effects. */
  readonly name: string;
  readonly run: ErasedHandler | undefined;
  /** For messages: `OrderSaga.onPaid`. */
  readonly label: string;
  /** Set where the handler decides the target: what it may return. */
  readonly targets: readonly string[] | undefined;
  /** Returns the whole initial data. */
  readonly starts: boolean;
  /** Path of a state that is left; set for what takes note of that. */
  readonly leaves?: string;
}

/** What answers a message while an instance is undone or after its end. */
export interface LateAnswer {
  readonly guard: TransitionSpec['guard'];
  readonly handler: CompiledHandler;
}

/** A join whose scope is known. */
export interface CompiledJoin extends Join {
  readonly name: string;
}

/** A definition with its behaviour, compiled for the engine. */
export interface CompiledSaga<G extends AnySaga = AnySaga> {
  readonly definition: G;
  readonly behaviour: SagaBehaviour<G>;
  readonly machine: Machine;
  readonly handlers: ReadonlyMap<string, CompiledHandler>;
  /** Names of the messages that start an instance. */
  readonly starts: ReadonlyMap<string, MessageType>;
  readonly joins: readonly CompiledJoin[];
  /** Paths of the states that answer an activity's outcome, by its name; inner ones first. */
  readonly answering: ReadonlyMap<string, readonly string[]>;
  /** By phase and message; the first whose guard holds answers. */
  readonly late: Readonly<Record<SagaPhase, ReadonlyMap<string, readonly LateAnswer[]>>>;
}
