import {
  type Effect,
  type EventObject,
  initialMicrostep,
  initialTransition,
  isCurrent,
  type Machine,
  microstep,
  type Snapshot,
  type Step,
  transition,
  watchCalls,
} from '@nestjs-orchestrator/statechart';
import { tellable } from '../../errors/tellable.js';
import { GroupReleasedError, MachineStoppedError, StepError } from '../errors.js';
import type { GroupCore } from '../group/group-core.js';
import { type Delivery, Mailbox } from '../pool/mailbox.js';
import type { FailureKind, RecordedMachine, SlowPart, StopReason } from '../records.js';
import type { ActivityRun } from './activity-run.js';
import { carryOut } from './carry-out.js';
import type { InstanceDelivery, Stay, Arrival, Stamp } from './deliveries.js';
import type { PendingRequest } from './pending-request.js';
import { endInstance } from './end-instance.js';
import { InstanceRef } from './instance-ref.js';
import type { MachineKind } from './machine-kind.js';
import { refusalOf } from './refusal.js';
import type { StateWait } from './state-wait.js';
import { type Act, type Command, StepRun } from './step-run.js';
import type { TimerTable } from './timer-table.js';

/** What ties a child machine to its parent. */
export interface Kinship {
  readonly parent: MachineInstance;
  /** The id by which the parent's config knows the child. */
  readonly id: string;
  /** The stay that invoked it; undefined for a spawned one. */
  readonly stay: Stay | undefined;
}

/** One machine at work: its mailbox, its state as last adopted, and what it has started. */
export class MachineInstance extends Mailbox {
  /** undefined: its first step was not adopted yet. */
  snapshot: Snapshot | undefined = undefined;
  ended: StopReason | undefined = undefined;
  /** The step whose action is under way. */
  step: StepRun | undefined = undefined;
  timers: TimerTable | undefined = undefined;
  activities: Map<string, ActivityRun> | undefined = undefined;
  children: Map<string, MachineInstance> | undefined = undefined;
  waits: Set<StateWait> | undefined = undefined;
  /** Machines whose answer the present step waits for. */
  asks: MachineInstance[] | undefined = undefined;
  private cachedRef: InstanceRef | undefined = undefined;
  private cachedScopedId: string | undefined = undefined;

  constructor(
    readonly core: GroupCore,
    readonly kind: MachineKind,
    readonly id: string,
    readonly kinship: Kinship | undefined,
  ) {
    super(core.pool.nextSerial());
  }

  get parent(): MachineInstance | undefined {
    return this.kinship?.parent;
  }

  get ref(): InstanceRef {
    return (this.cachedRef ??= new InstanceRef(this));
  }

  get scopedId(): string {
    return (this.cachedScopedId ??= `${this.id}#${this.core.groupId}#${this.core.settings.ids.next()}`);
  }

  identity(): RecordedMachine {
    return { definition: this.kind.id, id: this.id, scopedId: this.scopedId };
  }

  /** Why it takes no events; undefined: it does. */
  closedError(): Error | undefined {
    if (this.core.released) return new GroupReleasedError(this.core.name, this.core.groupId);
    return this.ended === undefined ? undefined : new MachineStoppedError(this.id, this.ended);
  }

  hasChild(id: string): boolean {
    return this.children?.has(id) === true || this.activities?.has(id) === true;
  }

  /** Whom a config means by an id: the parent, an own child, a system id, or a machine of the group. */
  lookUp(id: string): MachineInstance | undefined {
    if (id === '#_parent') return this.parent;
    return this.children?.get(id) ?? this.core.systemIds.get(id) ?? this.core.instances.get(id);
  }

  override handle(event: EventObject, delivery: Delivery | undefined): boolean {
    const { core } = this;
    const given = delivery as InstanceDelivery | undefined;
    core.queued -= 1;
    const finished = core.released
      ? this.refuse(given)
      : given === undefined
        ? this.handleOne(event, undefined)
        : this.handleSpecial(event, given);
    if (core.queued === 0) core.checkRest();
    return finished;
  }

  /** A large group is released over several turns: what comes up meanwhile fails as what still lies in mailboxes does. */
  private refuse(delivery: InstanceDelivery | undefined): true {
    const closed = this.closedError();
    if (delivery?.kind === 'request') delivery.fail(closed);
    else if (delivery?.kind === 'start') delivery.failed(closed);
    else if (delivery?.kind === 'arrival') delivery.fail(closed);
    return true;
  }

  private handleSpecial(event: EventObject, delivery: InstanceDelivery): boolean {
    switch (delivery.kind) {
      case 'start':
        return this.start(delivery.input, event, delivery);
      case 'outcome':
        delivery.arrived?.();
        return delivery.stay !== undefined && !this.isStaying(delivery.stay)
          ? true
          : this.handleOne(event, delivery);
      case 'request':
        delivery.stage = 'handling';
        return this.handleOnce(event, delivery);
      case 'stamp':
      case 'arrival':
        return this.handleOnce(event, delivery);
    }
  }

  /** What was adopted before is not done again; what failed, or was taken back, is. */
  private handleOnce(event: EventObject, delivery: Stamp | Arrival | PendingRequest): boolean {
    const { core, kind, snapshot } = this;
    const { messageId } = delivery;
    if (messageId === undefined || !core.handled.has(this.serial, messageId))
      return this.handleOne(event, delivery);
    core.meters.count('repeated', kind.id);
    if (delivery.kind === 'arrival') delivery.done();
    if (delivery.kind === 'request') delivery.repeated(snapshot as Snapshot);
    return true;
  }

  private isStaying(stay: Stay): boolean {
    return this.snapshot !== undefined && isCurrent(this.kind.bound, this.snapshot, stay);
  }

  private start(input: unknown, event: EventObject, delivery: InstanceDelivery): boolean {
    let step: Step;
    try {
      step = this.watched(event, () => initialTransition(this.kind.bound, input));
      if (hasActions(step.effects)) {
        const first = initialMicrostep(this.kind.bound, input);
        return this.run(event, delivery, step, actsOf(this.kind.bound, first, event));
      }
    } catch (error) {
      this.stepFailed(event, delivery, undefined, error);
      return true;
    }
    return this.conclude(step, event, delivery);
  }

  /** One event, to completion if it can be. */
  private handleOne(event: EventObject, delivery: InstanceDelivery | undefined): boolean {
    // No function is made here: what one catches would be allocated for each event.
    const before = this.snapshot as Snapshot;
    let step: Step;
    try {
      step = this.core.pool.turns.watching
        ? this.watchedTransition(before, event)
        : transition(this.kind.bound, before, event);
      const { effects } = step;
      if (effects.length > 0 && hasActions(effects)) {
        const acts = Object.isFrozen(effects)
          ? actsAt(effects, event, before.context)
          : actsOf(this.kind.bound, microstep(this.kind.bound, before, event), event);
        return this.run(event, delivery, step, acts);
      }
    } catch (error) {
      this.stepFailed(event, delivery, undefined, error);
      return true;
    }
    return this.conclude(step, event, delivery);
  }

  private watchedTransition(before: Snapshot, event: EventObject): Step {
    return this.watched(event, () => transition(this.kind.bound, before, event));
  }

  /** Works out a step, and tells of the machine's functions that hold the event loop meanwhile. */
  private watched<T>(event: EventObject, work: () => T): T {
    const { pool, settings } = this.core;
    let since = pool.turns.recent();
    const watch = (part: 'guard' | 'expression', name: string): void => {
      const now = pool.turns.read();
      if (now - since > settings.slowStepMs) this.reportSlow(event, part, name, now - since);
      since = now;
    };
    return watchCalls(this.kind.bound, watch, work);
  }

  /** A step without actions. */
  private conclude(step: Step, event: EventObject, delivery: InstanceDelivery | undefined): boolean {
    const commands = step.effects as readonly Command[];
    const refusal = commands.length === 0 ? undefined : refusalOf(this, commands);
    if (refusal === undefined) this.adopt(step, event, delivery, commands, undefined);
    else this.stepFailed(event, delivery, undefined, refusal);
    return true;
  }

  private run(
    event: EventObject,
    delivery: InstanceDelivery | undefined,
    step: Step,
    acts: readonly Act[],
  ): boolean {
    // What made `acts` has called the machine's functions once more.
    this.core.pool.turns.stale();
    this.step = new StepRun(this, event, delivery, acts, step);
    return this.step.proceed();
  }

  /** The step has succeeded: it counts from now on, and what it asked for is done. */
  adopt(
    { snapshot, changed }: Pick<Step, 'snapshot' | 'changed'>,
    event: EventObject,
    delivery: InstanceDelivery | undefined,
    commands: readonly Command[],
    reply: unknown,
  ): void {
    const { core, kind } = this;
    const before = this.snapshot;
    this.snapshot = snapshot;
    core.meters.count('processed', kind.id);
    if (before === undefined) this.tellSpawned(snapshot);
    else if (changed && core.records.wants('transition')) {
      core.records.tell({ type: 'transition', machine: this.identity(), event, before, after: snapshot });
    }
    if (commands.length > 0) carryOut(this, commands, event);
    if (delivery !== undefined) this.answer(delivery, changed, snapshot, reply);
    this.waits?.forEach((wait) => wait.look(snapshot));
    if (snapshot.status !== 'active') this.end(snapshot.status, snapshot.error);
  }

  private tellSpawned(snapshot: Snapshot): void {
    const { core, kind } = this;
    core.meters.count('registered', kind.id);
    if (core.records.wants('spawned'))
      core.records.tell({ type: 'spawned', machine: this.identity(), snapshot });
  }

  private answer(delivery: InstanceDelivery, changed: boolean, after: Snapshot, reply: unknown): void {
    if (delivery.kind === 'outcome') return;
    if (delivery.kind === 'start') {
      delivery.started();
      return;
    }
    const { core } = this;
    const { messageId } = delivery;
    if (messageId !== undefined && !core.handled.add(this.serial, messageId))
      core.meters.count('forgotten', this.kind.id);
    if (core.meters.enabled && delivery.acceptedAt !== undefined)
      core.meters.took(core.pool.now() - delivery.acceptedAt, this.kind.id);
    if (delivery.kind === 'arrival') delivery.done();
    if (delivery.kind === 'request') delivery.answer(changed, after, reply);
  }

  /** Nothing of the step is adopted. */
  stepFailed(
    event: EventObject,
    delivery: InstanceDelivery | undefined,
    action: string | undefined,
    cause: unknown,
  ): void {
    const error = new StepError(this.id, event.type, action, { cause: tellable(cause) });
    this.reportFailure(delivery?.kind === 'start' ? 'start' : 'step', event, error);
    if (delivery?.kind === 'request') delivery.fail(error);
    if (delivery?.kind === 'arrival') delivery.done();
    if (delivery?.kind !== 'start') return;
    this.end('error', error);
    delivery.failed(error);
  }

  reportFailure(kind: FailureKind, event: EventObject | undefined, thrown: unknown): void {
    const { core } = this;
    const error = tellable(thrown);
    core.meters.count('failed', this.kind.id);
    core.logger.warn(error instanceof Error ? error.message : String(error), {
      group: core.name,
      machine: this.id,
      definition: this.kind.id,
      failure: kind,
    });
    if (core.records.wants('failure')) {
      core.records.tell({ type: 'failure', machine: this.identity(), kind, event, error });
    }
  }

  reportSlow(event: EventObject | undefined, part: SlowPart, name: string, durationMs: number): void {
    const { core } = this;
    const what = `${part.slice(0, 1).toUpperCase()}${part.slice(1)} '${name}' of machine '${this.id}'`;
    core.logger.warn(`${what} held the event loop for ${Math.round(durationMs)} ms`, {
      group: core.name,
      machine: this.id,
      definition: this.kind.id,
      event: event?.type,
      durationMs,
    });
    if (core.records.wants('slow')) {
      core.records.tell({ type: 'slow', machine: this.identity(), event, part, name, durationMs });
    }
  }

  /** Ends for good. What it has started ends with it, and whoever waits for it is told. */
  end(reason: StopReason, error?: unknown): void {
    if (this.ended === undefined) endInstance(this, reason, error);
  }
}

function hasActions(effects: readonly Effect[]): boolean {
  for (const effect of effects) if (effect.type === 'action') return true;
  return false;
}

/** Effects that all belong to one microstep. */
function actsAt(effects: readonly Effect[], event: EventObject, context: unknown): Act[] {
  return effects.map((effect) => ({ effect, event, context }));
}

/** The effects of a macrostep, each with the event and context of its microstep; `first` is the first microstep. */
function actsOf(machine: Machine, first: Step, event: EventObject): Act[] {
  const acts: Act[] = [];
  let step = first;
  let cause = event;
  do {
    const { context } = step.snapshot;
    for (const effect of step.effects) acts.push({ effect, event: cause, context });
    const { pending } = step.snapshot;
    const raised = pending?.queue[0];
    step = microstep(machine, step.snapshot, null);
    cause = step.snapshot.pending?.event ?? raised ?? cause;
  } while (step.changed);
  return acts;
}
