import type { Machine, Snapshot } from '@nestjs-orchestrator/statechart';
import { errorText } from '../../errors/error-text.js';
import { tellable } from '../../errors/tellable.js';
import type { MachineKind } from '../instance/machine-kind.js';
import { isOrchestratorError } from '../../errors/orchestrator-error.js';
import { DuplicateIdError, MachineStoppedError, StepError, UnknownMachineError } from '../errors.js';
import type { FoundRecord } from './distributed-state-store.js';
import { DurableActivities } from './durable-activities.js';
import { DurableEffects } from './durable-effects.js';
import { DurableConflictError, OwnerFencedError } from './durable-errors.js';
import type { DurableGround, StepResult } from './durable-ground.js';
import type { DurableRecord, PendingEffect } from './durable-record.js';
import { type PlannedStep, planStart, planStep, type Stimulus } from './durable-step.js';
import { DurableTimers } from './durable-timers.js';
import { DurableWatchers, endedError } from './durable-watchers.js';

/** What is asked of a machine beside events: that it ends and is forgotten; how it stands. */
type Errand = 'stop' | 'look';

interface Queued {
  readonly stimulus: Stimulus;
  readonly start: { readonly input: unknown } | undefined;
  readonly errand?: Errand;
  /** The step is safe. */
  readonly committed: () => void;
  /** Its actions are done as well. */
  readonly finished: (result: StepResult) => void;
  readonly failed: (error: unknown) => void;
}

const MOST_RACES = 10;
const NO_EVENT: Stimulus = { event: { type: 'xstate.errand' }, messageId: '' };

/** A durable machine at work in this process, under one owner epoch: one event after the other, each committed before anything of it is done. */
export class DurableInstance {
  private record: DurableRecord | undefined;
  private readonly queue: Queued[] = [];
  private working = false;
  private wasOpen = false;
  private error: Error | undefined;
  private readonly timers: DurableTimers;
  private readonly effects: DurableEffects;
  private readonly activities: DurableActivities;
  private idle: (() => void)[] = [];
  private readonly watchers: DurableWatchers;
  /** Owner epoch. Without partitions there is nobody else: then it goes on from that of whoever wrote last. */
  epoch: number;

  constructor(
    readonly id: string,
    readonly kind: MachineKind,
    epoch: number,
    readonly partition: number | null,
    private readonly ground: DurableGround,
  ) {
    this.epoch = epoch;
    this.effects = new DurableEffects(this, ground);
    this.timers = new DurableTimers(this, ground, this.effects);
    this.watchers = new DurableWatchers(id, ground);
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
    return new Promise((finished, failed) => this.enter({ stimulus, start, committed, finished, failed }));
  }

  /** Ends in its turn: whatever goes on is aborted, and nothing of it is kept. */
  stop(committed: () => void = nothing): Promise<StepResult> {
    return new Promise((finished, failed) =>
      this.enter({ stimulus: NO_EVENT, start: undefined, errand: 'stop', committed, finished, failed }),
    );
  }

  /** The first snapshot in that state, from the present one on; undefined: not within that time. */
  async reach(state: string, limitMs: number): Promise<Snapshot | undefined> {
    const { snapshot } = await new Promise<StepResult>((finished, failed) =>
      this.enter({
        stimulus: NO_EVENT,
        start: undefined,
        errand: 'look',
        committed: nothing,
        finished,
        failed,
      }),
    );
    return this.watchers.reach(snapshot, state, limitMs);
  }

  private enter(queued: Queued): void {
    if (this.error !== undefined) {
      queued.failed(this.error);
      return;
    }
    this.queue.push(queued);
    if (!this.working) void this.work();
  }

  /** Goes on with what a former owner, or process, has left: runs what is pending, arms timers, starts activities. What fails is logged: its next event or owner does it. */
  async wake(): Promise<void> {
    try {
      await this.opened('');
    } catch (error) {
      this.close(error as Error);
      this.report('Waking', error);
    }
  }

  /** It is not this process's any more: what waits is refused, timers and activities end. */
  close(error: Error): void {
    if (this.error !== undefined) return;
    this.error = error;
    this.timers.stopAll();
    this.activities.stopAll();
    this.effects.stop();
    for (const { failed } of this.queue.splice(0)) failed(error);
    this.watchers.tell(error);
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
      this.close(endedError(this.id, this.record.snapshot));
    }
  }

  private async step(queued: Queued): Promise<void> {
    const { stimulus, start, errand } = queued;
    if (errand !== undefined) {
      await this.run(errand, queued);
      return;
    }
    const isAgain = start !== undefined && this.record !== undefined;
    const found = isAgain
      ? await this.ground.store.load(this.id, stimulus.messageId)
      : await this.opened(stimulus.messageId, start !== undefined);
    if (found?.seen === true || (start !== undefined && this.record !== undefined)) {
      this.answerDuplicate(queued, found);
      return;
    }
    const before = this.record?.snapshot;
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
    this.ground.stepped(this, stimulus.event, before, done.changed);
    const reply = await this.effects.run(done.added);
    queued.finished({ changed: done.changed, duplicate: false, snapshot, reply });
  }

  private async run(errand: Errand, { committed, finished }: Queued): Promise<void> {
    for (let race = 0; race < MOST_RACES; race += 1) {
      await this.opened('');
      const { snapshot, version } = this.current();
      const result = { changed: errand === 'stop', duplicate: false, snapshot, reply: undefined };
      if (errand === 'stop') {
        if (!(await this.ground.store.remove(this.id, version))) {
          this.record = undefined;
          continue;
        }
        committed();
        this.close(new MachineStoppedError(this.id, 'stopped'));
      }
      finished(result);
      return;
    }
    throw new DurableConflictError(this.id);
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
    const { machine, id } = this;
    const { messageId, event } = stimulus;
    if (start === undefined && this.current().snapshot.status !== 'active')
      throw endedError(id, this.current().snapshot);
    try {
      if (start !== undefined) return planStart(machine, id, start.input, messageId, now);
      const left = this.effects.left(this.current().pending, messageId);
      return planStep(machine, id, this.current(), stimulus, left, now);
    } catch (cause) {
      throw isOrchestratorError(cause)
        ? cause
        : new StepError(id, event.type, undefined, { cause: tellable(cause) });
    }
  }

  /** `false`: somebody else has written, or the message was handled before. */
  private async write(next: PlannedStep['next'], messageId: string | null): Promise<boolean> {
    if (this.error !== undefined) throw this.error;
    const version = this.record?.version ?? 0;
    const record = { ...next, version, epoch: this.epoch };
    const result = await this.ground.store.write(this.machine, this.id, record, messageId, this.partition);
    if (result === 'conflict') return false;
    this.record = { ...record, version: result.version };
    this.wasOpen = true;
    this.effects.committed(this.record.pending);
    this.timers.follow(this.record.timers);
    this.activities.follow(this.record.activities);
    this.watchers.tell(this.record.snapshot);
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
    if (found.epoch > this.epoch) {
      if (this.partition !== null || this.wasOpen) throw this.fenced(found.epoch);
      this.epoch = found.epoch;
    }
    this.wasOpen = true;
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
    this.timers.follow(record.timers);
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

  report(what: string, error: unknown): void {
    if (this.closed && isRetryable(error)) return;
    this.ground.logger.warn(`${what} of durable machine '${this.id}' failed`, {
      machine: this.id,
      error: errorText(error).message,
    });
  }

  /** What is pending of the last commit, as far as it is not done. */
  get pending(): readonly PendingEffect[] {
    return this.record?.pending ?? [];
  }

  get context(): unknown {
    return this.record?.snapshot.context;
  }

  get snapshot(): Snapshot | undefined {
    return this.record?.snapshot;
  }
}

function nothing(): void {}

export function isRetryable(error: unknown): boolean {
  return error instanceof Error && (error as { readonly retryable?: unknown }).retryable === true;
}
