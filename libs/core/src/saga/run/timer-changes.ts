import type { Effect } from '@nestjs-orchestrator/statechart';
import { HandlerError } from '../../handling/handler-errors.js';
import { hashedId } from '../../message/hashed-id.js';
import { scheduleEvent } from '../compile/compiled-saga.js';
import type { TimerPayload } from './stimulus.js';

/** A timer to be armed with the commit. */
export interface Arming {
  readonly name: string;
  readonly token: string;
  readonly delayMs: number;
  readonly payload: Omit<TimerPayload, 'key'>;
}

/** What a step does to the timers of its instance. A name stands in one of the two. */
export interface TimerChanges {
  readonly arm: readonly Arming[];
  readonly disarm: readonly string[];
}

export const NO_TIMER_CHANGES: TimerChanges = { arm: [], disarm: [] };

/** The last word on each `after` timer within one macrostep. */
export class AfterTimers {
  private readonly arm = new Map<string, Arming>();
  private readonly disarm = new Set<string>();

  apply(effect: Effect): void {
    if (effect.type === 'after') {
      const { id, node, epoch, delay, event } = effect;
      this.disarm.delete(id);
      const payload = { node, epoch, event: event.type, label: `after ${delay} ms` };
      this.arm.set(id, { name: id, token: String(epoch), delayMs: delay, payload });
    } else if (effect.type === 'cancel') {
      this.arm.delete(effect.id);
      this.disarm.add(effect.id);
    } else {
      throw new HandlerError(`A saga's machine asked for '${effect.type}', which sagas do not run.`);
    }
  }

  changes(): TimerChanges {
    return { arm: [...this.arm.values()], disarm: [...this.disarm] };
  }
}

const SCHEDULE = 'schedule:';

/** Name of a schedule among the timers of its instance. */
export function scheduleTimer(name: string): string {
  return `${SCHEDULE}${name}`;
}

/** The schedule that a timer of this name is of, if it is of one. */
export function scheduledBy(timer: string): string | undefined {
  return timer.startsWith(SCHEDULE) ? timer.slice(SCHEDULE.length) : undefined;
}

/** Tokens of the schedules after a step, and what is done to their timers. Pure. */
export interface ScheduleStep {
  readonly schedules: ReadonlyMap<string, string>;
  readonly timers: TimerChanges;
}

/**
 * @param set tokens before the step
 * @param asked delays of those to be set, `null` for those to be ended
 * @param cause names the message that asks; with the schedule's name it makes the token
 */
export function scheduleStep(
  set: ReadonlyMap<string, string>,
  asked: ReadonlyMap<string, number | null>,
  cause: readonly string[],
): ScheduleStep {
  if (asked.size === 0) return { schedules: set, timers: NO_TIMER_CHANGES };
  const schedules = new Map(set);
  const arm: Arming[] = [];
  const disarm: string[] = [];
  for (const [name, delayMs] of asked) {
    if (delayMs === null) {
      if (schedules.delete(name)) disarm.push(scheduleTimer(name));
      continue;
    }
    const token = hashedId(...cause, 'schedule', name);
    schedules.set(name, token);
    const payload = { schedule: name, event: scheduleEvent(name), label: `schedule ${name}` };
    arm.push({ name: scheduleTimer(name), token, delayMs, payload });
  }
  return { schedules, timers: { arm, disarm } };
}

/** Both changes, which concern different timers. */
export function joinedChanges(a: TimerChanges, b: TimerChanges): TimerChanges {
  if (b === NO_TIMER_CHANGES) return a;
  return { arm: [...a.arm, ...b.arm], disarm: [...a.disarm, ...b.disarm] };
}
