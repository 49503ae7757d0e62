import { MicrostepLimitError, text } from '../errors.js';
import { MachineSnapshot } from '../snapshot/snapshot.js';
import type { EventObject, Pending, Snapshot, Step } from '../types.js';
import { cancelTimers, stopInvokes } from './activity-ops.js';
import type { Configuration } from './configuration.js';
import type { Frame } from './op.js';
import type { Outcome } from './plan.js';
import { runOps } from './run-ops.js';
import { selectEventless, selectOutcome } from './select.js';

/** Opens a frame on a snapshot: at rest, or in the middle of a macrostep. */
export function openFrame(configuration: Configuration, snapshot: Snapshot, event: EventObject): Frame {
  const { pending } = snapshot;
  return {
    runtime: configuration.runtime,
    configuration,
    view: null,
    context: snapshot.context,
    event,
    effects: [],
    queue: pending === null ? [] : [...pending.queue],
    epochs: snapshot.epochs,
    status: snapshot.status,
    output: snapshot.output,
    error: snapshot.error,
    touched: false,
    settled: pending?.settled ?? false,
    steps: pending?.steps ?? 0,
  };
}

/** Takes the transitions for an external event; false: no state answers it. */
export function takeExternal(frame: Frame, event: EventObject): boolean {
  frame.event = event;
  if (frame.runtime.chart.semantics === 'scxml') finalize(frame, event);
  const outcome = selectOutcome(frame.configuration, frame.context, event);
  reportGuards(frame);
  return takeSelected(frame, event, outcome);
}

/** Takes what was selected for an external event. */
export function takeSelected(frame: Frame, event: EventObject, outcome: Outcome | null): boolean {
  frame.event = event;
  frame.settled = false;
  if (outcome !== null) {
    take(frame, outcome);
    return true;
  }
  const fails = frame.runtime.chart.semantics === 'xstate' && event.type.startsWith('xstate.error.actor');
  if (fails) failWith(frame, event['error']);
  return fails;
}

/** SCXML 6.5: what an invoked session sends passes its `<finalize>` first. */
function finalize(frame: Frame, event: EventObject): void {
  if (event['invokeid'] === undefined) return;
  const invokes = frame.configuration.nodes.flatMap((node) => node.invokes);
  const actions = invokes
    .filter((invoke) => invoke.id === event['invokeid'])
    .flatMap((invoke) => invoke.finalize);
  runOps(
    actions.map((action) => frame.runtime.op(action)),
    frame,
  );
}

function reportGuards({ runtime, queue }: Frame): void {
  if (runtime.guardFailures.length === 0) return;
  for (const failure of runtime.guardFailures.splice(0)) {
    queue.push({
      type: 'error.execution',
      kind: 'platform',
      data: failure instanceof Error ? failure.message : text(failure),
    });
  }
}

/** An activity's error that nobody answers is the machine's. */
function failWith(frame: Frame, error: unknown): void {
  frame.status = 'error';
  frame.error = error;
  for (const node of frame.configuration.nodes) {
    runOps(cancelTimers(node), frame);
    runOps(stopInvokes(node), frame);
  }
}

/** Takes the next eventless transition, else consumes the next raised event; false: the macrostep is over. */
export function takeNext(frame: Frame): boolean {
  if (frame.status !== 'active') return false;
  const eventless = frame.settled ? null : selectEventless(frame.configuration, frame.context, frame.event);
  reportGuards(frame);
  if (eventless !== null) {
    countStep(frame);
    take(frame, eventless);
    frame.settled = !frame.touched;
    return true;
  }
  const event = frame.queue.shift();
  if (event === undefined) return false;
  countStep(frame);
  frame.event = event;
  frame.settled = false;
  const outcome = selectOutcome(frame.configuration, frame.context, event);
  reportGuards(frame);
  if (outcome !== null) take(frame, outcome);
  return true;
}

function take(frame: Frame, outcome: Outcome): void {
  frame.touched = outcome.moves;
  runOps(outcome.ops, frame);
  frame.view = null;
  frame.configuration = outcome.next;
}

/** Runs the first microstep of a machine's life. */
export function takeInitial(frame: Frame, outcome: Outcome): void {
  take(frame, outcome);
}

function countStep(frame: Frame): void {
  const { chart } = frame.runtime;
  if (++frame.steps > chart.maxIterations) {
    throw new MicrostepLimitError(chart.id, chart.maxIterations, frame.configuration.toJSON());
  }
}

/** The macrostep is over: what is left in the queue of a machine that is done goes with it. */
export function rest<C>(frame: Frame, changed: boolean): Step<C> {
  return stepOf(frame, null, changed);
}

/** Between two microsteps. */
export function pause<C>(frame: Frame, changed: boolean): Step<C> {
  const { queue, event, settled, steps } = frame;
  return stepOf(frame, frame.status === 'active' ? { queue, event, settled, steps } : null, changed);
}

function stepOf<C>(frame: Frame, pending: Pending | null, changed: boolean): Step<C> {
  const { configuration, context, epochs, status, output, error } = frame;
  const snapshot = new MachineSnapshot(configuration, context as C, epochs, pending, status, output, error);
  return { snapshot, effects: frame.effects, changed };
}
