import {
  microstep,
  withContext,
  type EventObject,
  type Snapshot,
  type Step,
} from '@nestjs-orchestrator/statechart';
import { computedTarget, type CompiledHandler, type CompiledSaga } from '../compile/compiled-saga.js';
import { HandlerError } from '../../handling/handler-errors.js';
import type { HandlerOutcome } from './call-handler.js';
import { forgetLeft, join, joinsCounting, type Joined } from './joins.js';
import { AfterTimers, NO_TIMER_CHANGES, type TimerChanges } from './timer-changes.js';

/** What a macrostep leaves behind. */
export interface MacrostepResult {
  /** No active state answers the event; nothing ran. */
  readonly answered: boolean;
  readonly snapshot: Snapshot;
  /** Members of composite events that have come so far. */
  readonly joined: Joined;
  /** `after` timers to be armed and disarmed when the step is committed; armed and left again within the step: in neither. */
  readonly timers: TimerChanges;
}

/** Where a macrostep begins. */
export interface MacrostepStart {
  readonly snapshot: Snapshot;
  readonly joined: Joined;
}

type Handle = (handler: CompiledHandler, draft: unknown) => Promise<HandlerOutcome>;

/**
 * Runs `event` to completion, with handlers that may be asynchronous: per microstep the engine picks it, its handlers run in order on
 * the draft, the draft becomes the context, and only then are computed targets, composite events, raised events and `always` looked at.
 */
export async function macrostep(
  saga: CompiledSaga,
  start: MacrostepStart,
  event: EventObject,
  handle: Handle,
): Promise<MacrostepResult> {
  const timers = new AfterTimers();
  const counting = joinsCounting(saga.joins, event.type, start.snapshot);
  let { joined } = start;
  let step = microstep(saga.machine, start.snapshot, event);
  if (!step.changed && counting.length === 0) {
    return { answered: false, snapshot: start.snapshot, joined, timers: NO_TIMER_CHANGES };
  }
  const targets: string[] = [];
  for (let counted = false; ;) {
    let snapshot = step.changed ? await runEffects(saga, step, timers, targets, handle) : step.snapshot;
    // Only where the event has led to tells whether it counts there, also if its handler has decided that.
    if (!counted && targets.length === 0) {
      ({ joined, snapshot } = join(counting, event.type, joined, snapshot));
      counted = true;
    }
    joined = forgetLeft(saga.joins, joined, snapshot);
    const target = targets.shift();
    step = microstep(saga.machine, snapshot, target === undefined ? null : { type: target });
    if (step.changed) continue;
    if (target === undefined)
      return { answered: true, snapshot: step.snapshot, joined, timers: timers.changes() };
    throw new HandlerError(
      `Saga '${saga.definition.name}' can't go where a handler sent it (${target}): its state has been left already, by another region's handler.`,
    );
  }
}

/** Runs the handlers of one microstep on a draft, which becomes the context. Targets that they return go to the end of `targets`. */
async function runEffects(
  saga: CompiledSaga,
  { snapshot, effects }: Step,
  timers: AfterTimers,
  targets: string[],
  handle: Handle,
): Promise<Snapshot> {
  let draft = snapshot.context;
  for (const effect of effects) {
    if (effect.type === 'action') {
      const handler = handlerOf(saga, effect.name);
      const outcome = await handle(handler, draft);
      draft = outcome.data;
      if (outcome.target !== undefined) targets.push(computedTarget(handler.name, outcome.target));
    } else {
      timers.apply(effect);
    }
  }
  return withContext(snapshot, draft);
}

function handlerOf(saga: CompiledSaga, name: string): CompiledHandler {
  const handler = saga.handlers.get(name);
  if (handler === undefined)
    throw new HandlerError(`Saga '${saga.definition.name}' has no handler '${name}'.`);
  return handler;
}
