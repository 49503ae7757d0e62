import { sagaDestination } from '../../bus/routes.js';
import { hashedId } from '../../message/hashed-id.js';
import { toJson } from '../../message/json.js';
import type { ClaimedWork, KeyRecord, WorkRecord } from '../../ports/records.js';

/** Destination of a saga's activities. */
export const activityDestination = (saga: string): string => `activity:${saga}`;

/** Engine's event of an outcome. */
export const outcomeEvent = (kind: 'done' | 'failed', activity: string): string => `$${kind}.${activity}`;

/** An activity that a handler wants run. */
export interface RecordedInvocation {
  readonly name: string;
  readonly input: unknown;
  readonly undo: { readonly name: string; readonly input: unknown } | undefined;
}

/** Payload of a work row that runs an activity. */
export interface ActivityWork {
  readonly key: KeyRecord;
  readonly instance: string;
  readonly definitionVersion: number;
  /** Id of the invocation: of the message that caused it and its number; the row's and its outcome's as well. */
  readonly invocation: string;
  readonly name: string;
  readonly input: unknown;
  readonly undo?: { readonly name: string; readonly input: unknown };
}

/** How an activity ended, for good. `cancelled`: it was given up because nobody waited for it any more. */
export type ActivityOutcome =
  | { readonly kind: 'done'; readonly output: unknown }
  | { readonly kind: 'failed'; readonly error: { readonly name: string; readonly message: string } }
  | { readonly kind: 'cancelled'; readonly begun: boolean };

/** Id of one invocation: the same when the handler that asks for it runs again. */
export function invocationId(instance: string, messageId: string, ordinal: number): string {
  return hashedId(instance, messageId, 'activity', String(ordinal));
}

/** The row that runs an activity; in no lane, so that it holds up nothing. */
export function activityWork(saga: string, tenant: string, payload: ActivityWork, limit: number): WorkRecord {
  return {
    tenant,
    destination: activityDestination(saga),
    id: payload.invocation,
    lane: null,
    payload: toJson(payload, `input of activity '${payload.name}'`, limit),
    delayMs: 0,
  };
}

/** Payload of a work row that brings an outcome to its saga. */
export interface OutcomeWork {
  readonly kind: 'outcome';
  readonly key: KeyRecord;
  readonly name: string;
  readonly invocation: string;
  readonly outcome: ActivityOutcome;
  /** How often it was tried. */
  readonly attempts: number;
  readonly undo?: { readonly name: string; readonly input: unknown };
  /** When it ended, in milliseconds since the epoch. */
  readonly at: number;
}

/** The row that brings an outcome to its saga. */
export function outcomeWork(
  saga: string,
  { tenant, attempts }: ClaimedWork,
  { key, name, invocation, undo }: ActivityWork,
  outcome: ActivityOutcome,
  at: number,
): WorkRecord {
  const payload: OutcomeWork = {
    kind: 'outcome',
    key,
    name,
    invocation,
    outcome,
    attempts,
    at,
    ...(undo === undefined ? {} : { undo }),
  };
  return {
    tenant,
    destination: sagaDestination(saga),
    id: invocation,
    lane: null,
    payload: toJson(payload, `outcome of activity '${name}'`),
    delayMs: 0,
  };
}
