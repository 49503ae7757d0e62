import { buildInitial } from './engine/build-outcome.js';
import { Configuration } from './engine/configuration.js';
import { evaluate } from './engine/expression.js';
import {
  openFrame,
  pause,
  rest,
  takeExternal,
  takeInitial,
  takeNext,
  takeSelected,
} from './engine/macrostep.js';
import type { Frame } from './engine/op.js';
import type { Outcome } from './engine/plan.js';
import { selectOutcome } from './engine/select.js';
import type { Runtime } from './engine/runtime.js';
import { InvalidEventError, text } from './errors.js';
import { type Machine, runtimeOf } from './machine.js';
import { adopt } from './snapshot/adopt.js';
import { MachineSnapshot } from './snapshot/snapshot.js';
import type { ContextOf, EventOf } from './typing/infer.js';
import type { Effect, EventObject, Snapshot, Step } from './types.js';

const NO_EFFECTS: readonly Effect[] = Object.freeze([]);

/** What eventless transitions see where no event led to them. */
const NO_EVENT: EventObject = Object.freeze({ type: 'xstate.none' });

/** Enters the initial states and runs to completion. `input` is what the config's `context` function and init event see. */
export function initialTransition<M extends Machine>(machine: M, input?: unknown): Step<ContextOf<M>> {
  const frame = openInitial(runtimeOf(machine), input);
  while (takeNext(frame));
  return rest(frame, true);
}

/** Enters the initial states, without the eventless transitions and raised events that follow: these are `microstep(…, null)`. */
export function initialMicrostep<M extends Machine>(machine: M, input?: unknown): Step<ContextOf<M>> {
  return pause(openInitial(runtimeOf(machine), input), true);
}

/** The snapshot of `initialTransition`. */
export function initialSnapshot<M extends Machine>(machine: M, input?: unknown): Snapshot<ContextOf<M>> {
  return initialTransition(machine, input).snapshot;
}

/**
 * Processes one event to completion (a macrostep): pure, `snapshot` stays as it is. A machine that is done or failed answers nothing.
 *
 * @throws GuardError, ExpressionError, UnboundNameError, InvalidDelayError, MicrostepLimitError, InvalidEventError, SnapshotError
 */
export function transition<M extends Machine, C>(
  machine: M,
  snapshot: Snapshot<C>,
  event: EventOf<M>,
): Step<C> {
  return process(runtimeOf(machine), snapshot, event as EventObject);
}

function process<C>(runtime: Runtime, snapshot: Snapshot<C>, event: EventObject): Step<C> {
  checkEvent(runtime, event);
  const configuration = adopt(runtime, snapshot);
  if (snapshot.status !== 'active') return unchanged(snapshot);
  const { pending, context } = snapshot;
  if (runtime.chart.semantics === 'scxml' || pending !== null) {
    const frame = openFrame(configuration, snapshot, event);
    return complete(frame, takeExternal(frame, event), snapshot);
  }
  const outcome = selectOutcome(configuration, context, event);
  if (outcome !== null && isQuick(outcome)) return quickStep(runtime, snapshot, outcome);
  const frame = openFrame(configuration, snapshot, event);
  return complete(frame, takeSelected(frame, event, outcome), snapshot);
}

/** Nothing to compute, and nothing follows: the step is what was worked out before. */
function isQuick({ effects, next }: Outcome): boolean {
  return effects !== null && next.eventless === null;
}

function quickStep<C>(runtime: Runtime, snapshot: Snapshot<C>, outcome: Outcome): Step<C> {
  const { context, epochs, configuration } = snapshot;
  const { next, effects } = outcome;
  if (next === configuration) return { snapshot, effects: effects ?? NO_EFFECTS, changed: true };
  if (epochs === null && context === runtime.sharedContext) return sharedStep(outcome) as Step<C>;
  const after = new MachineSnapshot(next, context, epochs, null, 'active', undefined, undefined);
  return { snapshot: after, effects: effects ?? NO_EFFECTS, changed: true };
}

/** One object for all instances, so that their steps leave nothing to collect. */
function sharedStep(outcome: Outcome): Step {
  const { next, effects } = outcome;
  return (outcome.sharedStep ??= Object.freeze({
    snapshot: next.restingSnapshot,
    effects: effects ?? NO_EFFECTS,
    changed: true,
  }));
}

function complete<C>(frame: Frame, taken: boolean, before: Snapshot<C>): Step<C> {
  let changed = taken;
  while (takeNext(frame)) changed = true;
  return changed ? rest(frame, true) : unchanged(atRest(before));
}

/**
 * One microstep. With an event: takes the transitions for it, also while raised events wait. With `null`: takes the next eventless
 * transition, else consumes the next raised event; `changed: false` says that nothing is left and the snapshot is at rest.
 * `transition` is the loop over it.
 *
 * @throws what `transition` throws
 */
export function microstep<M extends Machine, C>(
  machine: M,
  snapshot: Snapshot<C>,
  event: EventOf<M> | null,
): Step<C> {
  return processOne(runtimeOf(machine), snapshot, event as EventObject | null);
}

function processOne<C>(runtime: Runtime, snapshot: Snapshot<C>, event: EventObject | null): Step<C> {
  if (event !== null) checkEvent(runtime, event);
  const configuration = adopt(runtime, snapshot);
  if (snapshot.status !== 'active') return unchanged(snapshot);
  if (event === null && snapshot.pending === null) return unchanged(snapshot);
  const frame = openFrame(configuration, snapshot, event ?? snapshot.pending?.event ?? NO_EVENT);
  if (event !== null) return pause(frame, takeExternal(frame, event));
  return takeNext(frame) ? pause(frame, true) : rest(frame, false);
}

/** The same snapshot with another context; what waits stays, and eventless transitions are looked at anew. */
export function withContext<C>(snapshot: Snapshot, context: C): Snapshot<C> {
  const { configuration, epochs, status, output, error } = snapshot;
  const pending = { ...(snapshot.pending ?? NOTHING_PENDING), settled: false };
  return new MachineSnapshot(
    configuration,
    context,
    epochs,
    status === 'active' ? pending : null,
    status,
    output,
    error,
  );
}

/** Puts an event at the end of the queue of raised events. */
export function raiseInternal<C>(snapshot: Snapshot<C>, event: EventObject): Snapshot<C> {
  const { configuration, context, epochs, status, output, error } = snapshot;
  const pending = snapshot.pending ?? NOTHING_PENDING;
  const more = { ...pending, queue: [...pending.queue, event] };
  return new MachineSnapshot(
    configuration,
    context,
    epochs,
    status === 'active' ? more : null,
    status,
    output,
    error,
  );
}

const NOTHING_PENDING = { queue: [] as readonly EventObject[], event: NO_EVENT, settled: false, steps: 0 };

function openInitial(runtime: Runtime, input: unknown): Frame {
  const event = { type: 'xstate.init', input };
  const nowhere = new Configuration(runtime, [], new Map());
  const empty = new MachineSnapshot(nowhere, {}, null, null, 'active', undefined, undefined);
  const frame = openFrame(nowhere, empty, event);
  frame.context = initialContext(runtime, frame, input);
  takeInitial(frame, buildInitial(runtime, nowhere));
  return frame;
}

function initialContext(runtime: Runtime, frame: Frame, input: unknown): unknown {
  const { context, id } = runtime.chart;
  if (typeof context !== 'function') return runtime.sharedContext;
  const create = (): unknown => (context as (args: { input: unknown }) => unknown)({ input });
  return evaluate(create, frame, undefined, `${id}.context`) ?? {};
}

function checkEvent(runtime: Runtime, event: unknown): void {
  const type = (event as { type?: unknown } | null | undefined)?.type;
  if (typeof type === 'string' && type !== '' && type !== '*') return;
  const found = type === undefined ? text(event) : `an event of type ${text(type)}`;
  throw new InvalidEventError(runtime.chart.id, found);
}

function unchanged<C>(snapshot: Snapshot<C>): Step<C> {
  return { snapshot, effects: NO_EFFECTS, changed: false };
}

function atRest<C>(snapshot: Snapshot<C>): Snapshot<C> {
  if (snapshot.pending === null) return snapshot;
  const { configuration, context, epochs, status, output, error } = snapshot;
  return new MachineSnapshot(configuration, context, epochs, null, status, output, error);
}
