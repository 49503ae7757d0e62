import type { EventObject, Machine, Snapshot } from '@nestjs-orchestrator/statechart';
import type { Cancellable, Clock } from '../../ports/clock.js';
import type { FaultPoints } from '../../ports/fault-points.js';
import type { Logger } from '../../ports/logger.js';
import type { MachineKind } from '../instance/machine-kind.js';
import { DuplicateIdError, MachineStoppedError, UnknownMachineError } from '../errors.js';
import type { DistributedStateStore, FoundRecord } from './distributed-state-store.js';
import { DurableActivities } from './durable-activities.js';
import { DurableEffects } from './durable-effects.js';
import { DurableConflictError, OwnerFencedError } from './durable-errors.js';
import type { DurableRecord, PendingEffect } from './durable-record.js';
import { type PlannedStep, planStart, planStep, type Stimulus } from './durable-step.js';

/** What became of an event. */
export interface StepResult {
  /** A transition was taken. */
  readonly changed: boolean;
  /** The event had been handled before: nothing happened now. */
  readonly duplicate: boolean;
  readonly snapshot: Snapshot;
  /** What an action of the step gave to `reply`; undefined where none did, or the event was a duplicate. */
  readonly reply: unknown;
}

/** What an instance needs of the process around it. */
export interface DurableGround {
  readonly store: DistributedStateStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly faults: FaultPoints;
  /** Deliveries of an effect that may fail before it is given up. */
  readonly maxEffectAttempts: number;
  readonly effectRetryMs: number;
  /** Milliseconds that an action may take. */
  readonly actionTimeoutMs: number;
  /** Hands an event to a durable machine; settles when it is safe. */
  deliver(to: string, event: EventObject, messageId: string): Promise<void>;
  /** What the config said with `emit`. */
  emitted(machine: string, event: EventObject): void;
  /** The machine has ended or is another's: it is not kept here any more. */
  closed(instance: DurableInstance): void;
}

interface Queued {
  readonly stimulus: Stimulus;
  readonly start: { readonly input: unknown } | undefined;
  /** The step is safe. */
  readonly committed: () => void;
  /** Its actions are done as well. */
  readonly finished: (result: StepResult) => void;
  readonly failed: (error: unknown) => void;
}

const MOST_RACES = 10;

/** A durable machine at work in this process, under one owner epoch: one event after the other, each committed before anything of it is done. */
export class DurableInstance {
  private record: DurableRecord | undefined;
  private readonly queue: Queued[] = [];
  private working = false;
  private error: Error | undefined;
  private readonly timers = new Map<string, Cancellable>();
  private readonly effects: DurableEffects;
  private readonly activities: DurableActivities;
  private idle: (() => void)[] = [];

  constructor(
    readonly id: string,
    readonly kind: MachineKind,
    readonly epoch: number,
    readonly partition: number | null,
    private readonly ground: DurableGround,
  ) {
    this.effects = new DurableEffects(this, ground);
    this.activities = new DurableActivities(this, ground);
  }

  get machine(): Machine {
    return this.kind.bound;
  }

  get closed(): boolean {
    return this.error !== undefined;
  }

  /** Handles an event in its turn. `committed` is called when the step is safe; the promise settles when its actions are done as well. */
  handle(
    stimulus: Stimulus,
    committed: () => void = nothing,
    start?: { readonly input: unknown },
  ): Promise<StepResult> {
    return new Promise((finished, failed) => {
      if (this.error !== undefined) {
        failed(this.error);
        return;
      }
      this.queue.push({ stimulus, start, committed, finished, failed });
      if (!this.working) void this.work();
    });
  }

  /** Goes on with what a former owner, or process, has left: runs what is pending, arms timers, starts activities. */
  async wake(): Promise<void> {
    try {
      await this.opened('');
    } catch (error) {
      this.close(error as Error);
      throw error;
    }
  }

  /** It is not this process's any more: what waits is refused, timers and activities end. */
  close(error: Error): void {
    if (this.error !== undefined) return;
    this.error = error;
    for (const timer of this.timers.values()) timer.cancel();
    this.timers.clear();
    this.activities.stopAll();
    this.effects.stop();
    for (const { failed } of this.queue.splice(0)) failed(error);
    this.ground.closed(this);
  }

  /** Closes in peace: finishes what is queued, and writes down what is done, so that nobody does it again. */
  async leave(error: Error): Promise<void> {
    if (this.working) await new Promise<void>((resolve) => this.idle.push(resolve));
    try {
      await this.noteDone();
    } catch (cause) {
      this.report('The last commit', cause);
    }
    this.close(error);
  }

  private async noteDone(): Promise<void> {
    const { record } = this;
    if (record === undefined || this.closed) return;
    const pending = this.effects.left(record.pending, '');
    if (pending.length < record.pending.length) await this.write({ ...record, revived: 0, pending }, null);
  }

  private async work(): Promise<void> {
    this.working = true;
    for (let next = this.queue.shift(); next !== undefined; next = this.queue.shift()) {
      try {
        await this.step(next);
      } catch (error) {
        next.failed(error);
        // Those behind it come again behind it, in order.
        if (isRetryable(error)) this.close(error as Error);
      }
    }
    this.working = false;
    for (const tell of this.idle.splice(0)) tell();
    if (this.record !== undefined && this.record.snapshot.status !== 'active' && this.effects.isDone()) {
      this.close(new MachineStoppedError(this.id, this.record.snapshot.status === 'done' ? 'done' : 'error'));
    }
  }

  private async step(queued: Queued): Promise<void> {
    const { stimulus, start } = queued;
    const found = await this.opened(stimulus.messageId, start !== undefined);
    if (found?.seen === true || (start !== undefined && this.record !== undefined)) {
      this.answerDuplicate(queued, found);
      return;
    }
    const done = await this.commitStep(queued);
    queued.committed();
    if (done === 'duplicate') {
      queued.finished({
        changed: false,
        duplicate: true,
        snapshot: this.current().snapshot,
        reply: undefined,
      });
      return;
    }
    const { snapshot } = this.current();
    const reply = await this.effects.run(done.added);
    queued.finished({ changed: done.changed, duplicate: false, snapshot, reply });
  }

  private answerDuplicate(queued: Queued, found: FoundRecord | undefined): void {
    // A start that comes again is a duplicate; another one finds the id in use.
    if (queued.start !== undefined && found?.seen !== true) {
      queued.failed(new DuplicateIdError(this.id, this.ground.store.group));
      return;
    }
    queued.committed();
    queued.finished({ changed: false, duplicate: true, snapshot: this.current().snapshot, reply: undefined });
  }

  /** The step's one compare-and-swap, again where somebody else was first. */
  private async commitStep({ stimulus, start }: Queued): Promise<PlannedStep | 'duplicate'> {
    for (let race = 0; race < MOST_RACES; race += 1) {
      const step = this.plan(stimulus, start);
      await this.ground.faults.reach('durable.commit.before');
      if (await this.write(step.next, stimulus.messageId)) {
        await this.ground.faults.reach('durable.commit.after');
        return step;
      }
      this.record = undefined;
      const found = await this.opened(stimulus.messageId, start !== undefined);
      if (found?.seen === true) return 'duplicate';
      if (start !== undefined && found !== undefined)
        throw new DuplicateIdError(this.id, this.ground.store.group);
    }
    throw new DurableConflictError(this.id);
  }

  private plan(stimulus: Stimulus, start: Queued['start']): PlannedStep {
    const now = this.ground.clock.now();
    if (start !== undefined) return planStart(this.machine, this.id, start.input, stimulus.messageId, now);
    const { snapshot } = this.current();
    if (snapshot.status !== 'active') {
      throw new MachineStoppedError(this.id, snapshot.status === 'done' ? 'done' : 'error');
    }
    const left = this.effects.left(this.current().pending, stimulus.messageId);
    return planStep(this.machine, this.id, this.current(), stimulus, left, now);
  }

  /** `false`: somebody else has written, or the message was handled before. */
  private async write(next: PlannedStep['next'], messageId: string | null): Promise<boolean> {
    if (this.error !== undefined) throw this.error;
    const version = this.record?.version ?? 0;
    const record = { ...next, version, epoch: this.epoch };
    const result = await this.ground.store.write(this.machine, this.id, record, messageId, this.partition);
    if (result === 'conflict') return false;
    this.record = { ...record, version: result.version };
    this.effects.committed(this.record.pending);
    this.arm(this.record);
    this.activities.follow(this.record.activities);
    return true;
  }

  /** Loads it the first time, and takes it over from a former owner. Returns what was found, if it had to be looked for. */
  private async opened(messageId: string, creates = false): Promise<FoundRecord | undefined> {
    if (this.record !== undefined) return undefined;
    const found = await this.ground.store.load(this.id, messageId);
    if (found === undefined) {
      if (creates) return undefined;
      throw new UnknownMachineError(this.id, this.ground.store.group, 'id');
    }
    if (found.epoch > this.epoch) throw this.fenced(found.epoch);
    this.record = found.read(this.machine);
    if (!found.ended && !(await this.takeOver(this.record))) {
      this.record = undefined;
      return this.opened(messageId, creates);
    }
    await this.goOn(this.current());
    return found;
  }

  /**
   * From this commit on the former owner's version is an old one: he can't write any more. Counts who goes on with what is pending, since that may be
   * what ends each process that does. `false`: somebody else has written.
   */
  private async takeOver(record: DurableRecord): Promise<boolean> {
    const goesOn = record.pending.length > 0 || record.activities.length > 0;
    if (record.epoch === this.epoch && !goesOn) return true;
    const revived = goesOn ? record.revived + 1 : 0;
    const pending = this.isHopeless(revived)
      ? record.pending.filter(({ effect }) => effect.type !== 'action')
      : record.pending;
    const { version, snapshot, timers, activities } = record;
    const next = { version, epoch: this.epoch, revived, snapshot, pending, timers, activities };
    const result = await this.ground.store.write(this.machine, this.id, next, null, this.partition);
    if (result === 'conflict') return false;
    this.record = { ...next, version: result.version };
    return true;
  }

  private isHopeless(revived: number): boolean {
    return revived > this.ground.maxEffectAttempts;
  }

  private async goOn(record: DurableRecord): Promise<void> {
    this.arm(record);
    if (this.isHopeless(record.revived)) {
      this.ground.logger.error(
        `Durable machine '${this.id}' goes on without the actions and activities that were under way: ${record.revived - 1} processes have ended with them`,
        { machine: this.id },
      );
      this.activities.giveUp(record.activities, record.revived - 1);
    } else this.activities.follow(record.activities);
    await this.effects.resume(record.pending);
  }

  private fenced(current: number): OwnerFencedError {
    const error = new OwnerFencedError(this.id, this.epoch, current);
    this.close(error);
    return error;
  }

  private current(): DurableRecord {
    return this.record as DurableRecord;
  }

  /** Makes the timers of this process those of the record. */
  private arm({ timers }: DurableRecord): void {
    const wanted = new Set(timers.map(({ message }) => message));
    for (const [message, timer] of this.timers) {
      if (wanted.has(message)) continue;
      timer.cancel();
      this.timers.delete(message);
    }
    const now = this.ground.clock.now();
    for (const timer of timers) {
      if (this.timers.has(timer.message)) continue;
      const fire = (): void => this.fire(timer.message);
      this.timers.set(timer.message, this.ground.clock.schedule(Math.max(0, timer.dueAt - now), fire));
    }
  }

  private fire(message: string): void {
    const timer = this.record?.timers.find((each) => each.message === message);
    if (timer === undefined || this.closed) return;
    const { event, stay, to } = timer;
    if (to !== undefined && to !== this.id) {
      this.effects.sendLater(to, event, message, () => this.forgetTimer(message));
      return;
    }
    this.handle({ event, messageId: message, ...(stay === undefined ? {} : { stay }) }).catch(
      (error: unknown) => this.report('timer', error),
    );
  }

  /** A delayed event for another machine has left: a step without an event takes its timer away. */
  private forgetTimer(message: string): void {
    this.handle({ event: { type: 'xstate.timer.sent' }, messageId: message, note: true }).catch(
      (error: unknown) => this.report('timer', error),
    );
  }

  report(what: string, error: unknown): void {
    if (this.closed && isRetryable(error)) return;
    this.ground.logger.warn(`${what} of durable machine '${this.id}' failed`, {
      machine: this.id,
      error: error instanceof Error ? error.message : String(error),
    });
  }

  /** What is pending of the last commit, as far as it is not done. */
  get pending(): readonly PendingEffect[] {
    return this.record?.pending ?? [];
  }

  get context(): unknown {
    return this.record?.snapshot.context;
  }
}

function nothing(): void {}

export function isRetryable(error: unknown): boolean {
  return error instanceof Error && (error as { readonly retryable?: unknown }).retryable === true;
}
