import {
  microstep,
  withContext,
  type Effect,
  type EventObject,
  type Snapshot,
} from '@nestjs-orchestrator/statechart';
import { computedTarget, type CompiledHandler, type CompiledSaga } from '../compile/compiled-saga.js';
import { HandlerError } from '../../handling/handler-errors.js';
import type { HandlerOutcome } from './call-handler.js';

type AfterEffect = Extract<Effect, { type: 'after' }>;

/** What a macrostep leaves behind. */
export interface MacrostepResult {
  /** No active state answers the event; nothing ran. */
  readonly answered: boolean;
  readonly snapshot: Snapshot;
  /** Timers that are to be armed when the step is committed, by id; left again within the step: absent. */
  readonly arm: ReadonlyMap<string, AfterEffect>;
  /** Ids of timers to disarm. */
  readonly disarm: ReadonlySet<string>;
}

/**
 * Runs `event` to completion, with handlers that may be asynchronous: per microstep the engine picks it, its handlers run in order on
 * the draft, the draft becomes the context, and only then are computed targets, raised events and `always` looked at.
 */
export async function macrostep(
  saga: CompiledSaga,
  start: Snapshot,
  event: EventObject,
  handle: (handler: CompiledHandler, draft: unknown) => Promise<HandlerOutcome>,
): Promise<MacrostepResult> {
  const timers = new TimerChanges();
  let step = microstep(saga.machine, start, event);
  if (!step.changed) return { answered: false, snapshot: start, arm: timers.arm, disarm: timers.disarm };
  for (;;) {
    let draft = step.snapshot.context;
    let target: string | undefined;
    for (const effect of step.effects) {
      if (effect.type === 'action') {
        const outcome = await handle(handlerOf(saga, effect.name), draft);
        draft = outcome.data;
        target = outcome.target ?? target;
      } else {
        timers.apply(effect);
      }
    }
    const snapshot = withContext(step.snapshot, draft);
    step = microstep(saga.machine, snapshot, target === undefined ? null : { type: computedTarget(target) });
    if (!step.changed) {
      if (target !== undefined)
        throw new HandlerError(`Saga '${saga.definition.name}' can't go to '${target}' from here.`);
      return { answered: true, snapshot: step.snapshot, arm: timers.arm, disarm: timers.disarm };
    }
  }
}

function handlerOf(saga: CompiledSaga, name: string): CompiledHandler {
  const handler = saga.handlers.get(name);
  if (handler === undefined)
    throw new HandlerError(`Saga '${saga.definition.name}' has no handler '${name}'.`);
  return handler;
}

/** The last word on each timer within one macrostep. */
class TimerChanges {
  readonly arm = new Map<string, AfterEffect>();
  readonly disarm = new Set<string>();

  apply(effect: Effect): void {
    if (effect.type === 'after') {
      this.disarm.delete(effect.id);
      this.arm.set(effect.id, effect);
    } else if (effect.type === 'cancel') {
      this.arm.delete(effect.id);
      this.disarm.add(effect.id);
    } else {
      throw new HandlerError(`A saga's machine asked for '${effect.type}', which sagas do not run.`);
    }
  }
}
