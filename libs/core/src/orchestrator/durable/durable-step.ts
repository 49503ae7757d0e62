import {
  type Effect,
  type EventObject,
  initialMicrostep,
  isCurrent,
  type Machine,
  microstep,
  type Snapshot,
  type Step,
} from '@nestjs-orchestrator/statechart';
import { hashedId } from '../../message/hashed-id.js';
import { DurableLogicError } from './durable-errors.js';
import type { DurableActivity, DurableRecord, DurableTimer, PendingEffect } from './durable-record.js';

/** What makes a step happen. */
export interface Stimulus {
  readonly event: EventObject;
  readonly messageId: string;
  /** It counts only while this stay goes on. */
  readonly stay?: { readonly node: string; readonly epoch: number };
  /** It is no event for the machine: only the notes about this message go. */
  readonly note?: true;
}

/** A step as planned: nothing of it is done before it is committed. */
export interface PlannedStep {
  readonly changed: boolean;
  readonly next: Omit<DurableRecord, 'version' | 'epoch'>;
  /** Of `next.pending`, those that this step has added. */
  readonly added: readonly PendingEffect[];
}

interface Plan {
  readonly id: string;
  readonly messageId: string;
  readonly now: number;
  readonly timers: Map<string, DurableTimer>;
  readonly activities: Map<string, DurableActivity>;
  readonly added: PendingEffect[];
  ordinal: number;
}

/** The first step of a machine. */
export function planStart(
  machine: Machine,
  id: string,
  input: unknown,
  messageId: string,
  now: number,
): PlannedStep {
  const event = { type: 'xstate.init', input };
  return complete(
    machine,
    initialMicrostep(machine, input),
    event,
    planOf(id, messageId, now, undefined),
    [],
  );
}

/** One event, to completion. `pending`: what of earlier steps is not done. */
export function planStep(
  machine: Machine,
  id: string,
  record: DurableRecord,
  { event, messageId, stay, note: isNote }: Stimulus,
  pending: readonly PendingEffect[],
  now: number,
): PlannedStep {
  const plan = planOf(id, messageId, now, record);
  forget(plan);
  const counts = isNote !== true && (stay === undefined || isCurrent(machine, record.snapshot, stay));
  if (counts) return complete(machine, microstep(machine, record.snapshot, event), event, plan, pending);
  return { changed: false, added: [], next: nextOf(record.snapshot, plan, pending) };
}

function planOf(id: string, messageId: string, now: number, record: DurableRecord | undefined): Plan {
  return {
    id,
    messageId,
    now,
    timers: new Map(record?.timers.map((timer) => [timer.id, timer])),
    activities: new Map(record?.activities.map((activity) => [activity.id, activity])),
    added: [],
    ordinal: 0,
  };
}

/** The timer or activity whose firing or outcome this message is has done its work. */
function forget({ timers, activities, messageId }: Plan): void {
  for (const [id, { message }] of timers) if (message === messageId) timers.delete(id);
  for (const [id, { message }] of activities) if (message === messageId) activities.delete(id);
}

function complete(
  machine: Machine,
  first: Step,
  event: EventObject,
  plan: Plan,
  pending: readonly PendingEffect[],
): PlannedStep {
  let step = first;
  let cause = event;
  const contexts: unknown[] = [];
  for (;;) {
    const { context, pending: raised } = step.snapshot;
    for (const effect of step.effects) {
      note(plan, effect, cause);
      while (contexts.length < plan.added.length) contexts.push(context);
    }
    const next = raised?.queue[0];
    const following = microstep(machine, step.snapshot, null);
    cause = following.snapshot.pending?.event ?? next ?? cause;
    step = following;
    if (!following.changed) break;
  }
  const added = plan.added.map((each, at) =>
    contexts[at] === step.snapshot.context ? each : { ...each, context: contexts[at] },
  );
  return { changed: first.changed, added, next: nextOf(step.snapshot, plan, [...pending, ...added]) };
}

function nextOf(snapshot: Snapshot, plan: Plan, pending: readonly PendingEffect[]): PlannedStep['next'] {
  const active = snapshot.status === 'active';
  return {
    snapshot,
    revived: 0,
    pending,
    timers: active ? [...plan.timers.values()] : [],
    activities: active ? [...plan.activities.values()] : [],
  };
}

/** Contract 3: instance, causing message, name of the effect, ordinal. */
function idOf(plan: Plan, name: string): string {
  plan.ordinal += 1;
  return hashedId(plan.id, plan.messageId, name, `${plan.ordinal}`);
}

/** Notes down what a step asks for: in the record's timers and activities, or as pending. */
function note(plan: Plan, effect: Effect, event: EventObject): void {
  if (effect.type === 'invoke' || effect.type === 'stop') noteActivity(plan, effect);
  else if (effect.type === 'spawn') throw new DurableLogicError(plan.id, effect.src);
  else if (!noteTimer(plan, effect)) notePending(plan, effect, event);
}

/** `true`: it was about a timer. */
function noteTimer(plan: Plan, effect: Effect): boolean {
  switch (effect.type) {
    case 'after':
      arm(plan, effect.id, effect.delay, effect.event, { stay: { node: effect.node, epoch: effect.epoch } });
      return true;
    case 'raise':
      arm(plan, effect.id, effect.delay, effect.event, {});
      return true;
    case 'cancel':
      plan.timers.delete(effect.id);
      return true;
    case 'send':
      if (effect.delay === undefined) return false;
      arm(plan, effect.id, effect.delay, effect.event, { to: effect.to });
      return true;
    default:
      return false;
  }
}

function notePending(plan: Plan, effect: Effect, event: EventObject): void {
  if (effect.type === 'action') plan.added.push({ id: idOf(plan, effect.name), effect, event });
  else if (effect.type === 'send' || effect.type === 'emit' || effect.type === 'log') {
    plan.added.push({ id: idOf(plan, effect.type), effect, event });
  }
}

function noteActivity(plan: Plan, effect: Extract<Effect, { type: 'invoke' | 'stop' }>): void {
  if (effect.type === 'stop') {
    plan.activities.delete(effect.id);
    return;
  }
  const { id, src, input, node, epoch } = effect;
  const message = idOf(plan, `activity:${id}`);
  const activity = { id, src, stay: { node, epoch }, message };
  plan.activities.set(id, input === undefined ? activity : { ...activity, input });
}

function arm(
  plan: Plan,
  id: string | undefined,
  delayMs: number,
  event: EventObject,
  rest: Pick<DurableTimer, 'stay' | 'to'>,
): void {
  const message = idOf(plan, `timer:${id ?? ''}`);
  plan.timers.delete(id ?? message);
  plan.timers.set(id ?? message, { id: id ?? message, message, dueAt: plan.now + delayMs, event, ...rest });
}
