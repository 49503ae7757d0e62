import { errorText } from '../../errors/error-text.js';
import type { EventObject } from '@nestjs-orchestrator/statechart';
import type { Logger } from '../../ports/logger.js';
import type { DurableGround } from './durable-ground.js';
import type { DurableInstance } from './durable-instance.js';
import type { DurableActivity } from './durable-record.js';

/** What an activity of a durable machine is called with. It is started again wherever its machine goes, until its outcome is committed. */
export interface DurableActivityContext {
  readonly input: unknown;
  /** Aborts when its state is left, or the machine goes to another owner. */
  readonly signal: AbortSignal;
  /** The machine's context when it was started. */
  readonly data: unknown;
  /** Id of the `invoke`. */
  readonly id: string;
  /** The same each time that this activity is started for one stay in its state. */
  readonly activityId: string;
  readonly machine: { readonly id: string; readonly definition: string };
  readonly logger: Logger;
}

type Activity = (ctx: DurableActivityContext) => unknown;

/** The activities of a durable machine in this process: those of its record, and no others. */
export class DurableActivities {
  private readonly running = new Map<string, AbortController>();

  constructor(
    private readonly instance: DurableInstance,
    private readonly ground: DurableGround,
  ) {}

  /** Starts what the record has and does not run, and ends what runs and it does not have. */
  follow(wanted: readonly DurableActivity[]): void {
    const messages = new Set(wanted.map(({ message }) => message));
    for (const [message, abort] of this.running) {
      if (messages.has(message)) continue;
      this.running.delete(message);
      abort.abort();
    }
    for (const activity of wanted) if (!this.running.has(activity.message)) this.start(activity);
  }

  /** Activities that end their process wherever they are started: they have failed. */
  giveUp(activities: readonly DurableActivity[], times: number): void {
    for (const activity of activities) {
      this.running.set(activity.message, new AbortController());
      const error = { name: 'Error', message: `It was started ${times} times and never came to an end.` };
      const event = { type: `xstate.error.actor.${activity.id}`, error, actorId: activity.id };
      void this.outcome(activity, event);
    }
  }

  stopAll(): void {
    this.follow([]);
  }

  private start(activity: DurableActivity): void {
    const abort = new AbortController();
    this.running.set(activity.message, abort);
    const logic = this.instance.kind.activity(activity.src);
    if (!('run' in logic)) return;
    const scope: DurableActivityContext = {
      input: activity.input,
      signal: abort.signal,
      data: this.instance.context,
      id: activity.id,
      activityId: activity.message,
      machine: { id: this.instance.id, definition: this.instance.kind.id },
      logger: this.ground.logger,
    };
    const wide = this.ground.widen(scope, this.instance);
    void this.run(logic.run as unknown as Activity, wide, activity);
  }

  private async run(run: Activity, scope: DurableActivityContext, activity: DurableActivity): Promise<void> {
    let event: EventObject;
    try {
      const output = await run(scope);
      event = { type: `xstate.done.actor.${activity.id}`, output, actorId: activity.id };
    } catch (error) {
      event = { type: `xstate.error.actor.${activity.id}`, error: plain(error), actorId: activity.id };
    }
    if (!scope.signal.aborted) await this.outcome(activity, event);
  }

  private async outcome(activity: DurableActivity, event: EventObject): Promise<void> {
    try {
      await this.instance.handle({ event, messageId: activity.message, stay: activity.stay });
    } catch (error) {
      this.instance.report(`The outcome of activity '${activity.id}'`, error);
    }
  }
}

/** An error as data: it goes into the record. */
function plain(error: unknown): { readonly name: string; readonly message: string } {
  const { name, message } = errorText(error);
  return { name, message };
}
