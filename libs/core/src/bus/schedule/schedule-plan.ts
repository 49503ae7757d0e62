import { Cron } from 'croner';
import { milliseconds, type Duration } from '../../message/duration.js';
import { ScheduleError } from './schedule-errors.js';

/** When a schedule fires: exactly one of these. */
export type ScheduleTime =
  /** Once, then. In the past: at once. Numbers are milliseconds since the epoch. */
  | { readonly at: Date | number }
  /** Once, this long from now. */
  | { readonly in: Duration | number }
  /** Again and again, first this long from now (or from `from`); at least a second. Never drifts. */
  | { readonly every: Duration | number; readonly from?: Date | number }
  /**
   * By a cron expression of 5 fields, or 6 with seconds first, in an IANA time zone (default `UTC`). What falls into an
   * hour that a change to summer time skips fires when that begins, at its end; what falls into one that occurs twice fires the first time.
   */
  | { readonly cron: string; readonly timezone?: string };

/** What becomes of due times that went by while no node was up: none fires, or one for all of them. */
export type MissedPolicy = 'skip' | 'catch-up-once';

/** A {@link ScheduleTime} as stored. */
export type Plan =
  | { readonly kind: 'once'; readonly at: number }
  | { readonly kind: 'every'; readonly from: number; readonly everyMs: number }
  | { readonly kind: 'cron'; readonly expression: string; readonly timezone: string };

const SHORTEST_MS = 1_000;

/** The plan that is meant. @throws ScheduleError */
export function planOf(time: ScheduleTime, now: number): Plan {
  const given = ['at', 'in', 'every', 'cron'].filter((key) => key in time);
  if (given.length !== 1) {
    throw new ScheduleError(
      `A schedule has exactly one of 'at', 'in', 'every' and 'cron'; found ${given.join(' and ') || 'none'}.`,
    );
  }
  if ('at' in time) return { kind: 'once', at: instant(time.at, 'at') };
  if ('in' in time) return { kind: 'once', at: now + milliseconds(time.in) };
  if ('every' in time) return everyPlan(time, now);
  return cronPlan(time.cron, time.timezone ?? 'UTC', now);
}

function everyPlan({ every, from }: Extract<ScheduleTime, { every: unknown }>, now: number): Plan {
  const everyMs = milliseconds(every);
  if (everyMs < SHORTEST_MS)
    throw new ScheduleError(`'every' must be at least ${SHORTEST_MS} ms, found ${everyMs}.`);
  return { kind: 'every', everyMs, from: from === undefined ? now + everyMs : instant(from, 'from') };
}

function cronPlan(expression: string, timezone: string, now: number): Plan {
  const plan: Plan = { kind: 'cron', expression, timezone };
  try {
    // What depends on the moment it is read at would differ from node to node.
    if (expression.includes('?')) throw new Error(`'?' is not supported`);
    if (nextDue(plan, now) !== null) return plan;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ScheduleError(`'${expression}' in time zone '${timezone}' is no cron schedule: ${reason}.`, {
      cause,
    });
  }
  throw new ScheduleError(`The cron expression '${expression}' never fires again.`);
}

function instant(value: Date | number, name: string): number {
  const at = typeof value === 'number' ? value : value.getTime();
  if (Number.isFinite(at)) return at;
  throw new ScheduleError(`'${name}' is no instant: ${String(value)}.`);
}

/** The first due time after `after`; `null`: none. */
export function nextDue(plan: Plan, after: number): number | null {
  switch (plan.kind) {
    case 'once':
      return plan.at > after ? plan.at : null;
    case 'every': {
      const rounds = Math.max(0, Math.floor((after - plan.from) / plan.everyMs) + 1);
      return plan.from + rounds * plan.everyMs;
    }
    case 'cron':
      return (
        new Cron(plan.expression, { timezone: plan.timezone, paused: true })
          .nextRun(new Date(after))
          ?.getTime() ?? null
      );
    default:
      return plan satisfies never;
  }
}

/** The due time of a new schedule. */
export function firstDue(plan: Plan, now: number): number {
  if (plan.kind === 'once') return plan.at;
  return nextDue(plan, now - 1) ?? now;
}

/** What a firing comes to: whether its message is sent, and what is due next. Due times before `now` are missed, but for the latest. Pure. */
export function decide(
  plan: Plan,
  missed: MissedPolicy,
  due: number,
  now: number,
): { readonly fire: boolean; readonly next: number | null } {
  if (plan.kind === 'once') return { fire: true, next: null };
  const next = nextDue(plan, due);
  if (next === null || next > now) return { fire: true, next };
  return { fire: missed === 'catch-up-once', next: nextDue(plan, now) };
}

/** Whether two plans mean the same; where `every` counts from doesn't matter unless it was said. */
export function samePlan(one: Plan, other: Plan, anchored: boolean): boolean {
  if (one.kind === 'every' && other.kind === 'every' && !anchored) return one.everyMs === other.everyMs;
  return JSON.stringify(one) === JSON.stringify(other);
}
