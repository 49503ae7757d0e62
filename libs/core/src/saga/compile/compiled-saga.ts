import type { Machine } from '@nestjs-orchestrator/statechart';
import type { MessageType } from '../../message/message.js';
import type { ErasedHandler, SagaBehaviour } from '../behaviour.js';
import type { AnySaga } from '../saga-types.js';

/** Name of the state in which an instance does not exist yet. User's states can't begin with `$`. */
export const ABSENT = '$absent';

/** Event that takes a saga to the target which its handler returned. */
export function computedTarget(state: string): string {
  return `$to.${state}`;
}

/** A handler as the engine's `action` effects name it. */
export interface CompiledHandler {
  readonly run: ErasedHandler | undefined;
  /** For messages: `OrderSaga.onPaid`. */
  readonly label: string;
  /** Set where the handler decides the target: what it may return. */
  readonly targets: readonly string[] | undefined;
  /** Returns the whole initial data. */
  readonly starts: boolean;
}

/** A definition with its behaviour, compiled for the engine. */
export interface CompiledSaga<G extends AnySaga = AnySaga> {
  readonly definition: G;
  readonly behaviour: SagaBehaviour<G>;
  readonly machine: Machine;
  readonly handlers: ReadonlyMap<string, CompiledHandler>;
  /** Names of the messages that start an instance. */
  readonly starts: ReadonlyMap<string, MessageType>;
}
