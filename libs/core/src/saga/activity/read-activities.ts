import { milliseconds, type Duration } from '../../message/duration.js';
import { NAME, NAME_RULE, type Report } from '../definition/report.js';
import type { ActivityDefinition, ActivitySpec } from './activity-types.js';

/** Reads the activities of a definition, and reports what can't be. */
export function readActivities(
  specs: Readonly<Record<string, ActivitySpec>>,
  report: Report,
): ReadonlyMap<string, ActivityDefinition> {
  const read = Object.entries(specs).map(([name, spec]) => {
    const path = `activities.${name}`;
    if (!NAME.test(name)) report(path, `'${name}' ${NAME_RULE}`);
    return [name, readActivity(spec, (field, message) => report(`${path}.${field}`, message))] as const;
  });
  return new Map(read);
}

const DEFAULT_RETRY = { attempts: 10, firstDelay: '1s', factor: 2, maxDelay: '1m' } as const;

function readActivity(spec: ActivitySpec, report: Report): ActivityDefinition {
  const { input, output, timeout, heartbeat } = { timeout: '1m' as const, ...spec };
  const { attempts, firstDelay, factor, maxDelay } = { ...DEFAULT_RETRY, ...spec.retry };
  if (!Number.isInteger(attempts) || attempts < 1)
    report('retry.attempts', `${attempts} must be a whole number from 1`);
  if (!(factor >= 1 && Number.isFinite(factor))) report('retry.factor', `${factor} must be a number from 1`);
  return {
    input,
    output,
    attempts,
    factor,
    firstDelayMs: positive('retry.firstDelay', firstDelay, report),
    maxDelayMs: positive('retry.maxDelay', maxDelay, report),
    timeoutMs: positive('timeout', timeout, report),
    heartbeatMs: heartbeat === undefined ? undefined : positive('heartbeat', heartbeat, report),
  };
}

function positive(field: string, value: Duration | number, report: Report): number {
  try {
    const ms = milliseconds(value);
    if (ms > 0) return ms;
  } catch {
    // Reported below, with where it stands.
  }
  report(field, `'${value}' is no positive length of time`);
  return 1;
}

/** Longest pause after that many tries; the relay draws one from the upper half of it. */
export function pauseAfter(
  { firstDelayMs, factor, maxDelayMs }: ActivityDefinition,
  attempts: number,
): number {
  return Math.min(maxDelayMs, firstDelayMs * factor ** (attempts - 1));
}
