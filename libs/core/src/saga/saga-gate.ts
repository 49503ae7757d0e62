import type { OrchestratorError } from '../errors/orchestrator-error.js';

/** A message on its way into one instance. */
export interface Arrival {
  readonly saga: string;
  readonly tenant: string;
  /** Value of the instance's primary key; the instance need not exist. */
  readonly instance: string;
  /** The message's wire name. */
  readonly trigger: string;
  /** As an instance of its class, frozen. */
  readonly message: object;
}

/** A message that was not let in. */
export interface Rejection {
  /** What was counted together with it. */
  readonly key: string;
  readonly error: OrchestratorError;
  /** Milliseconds after which trying again can succeed; `undefined` where nobody knows. */
  readonly retryAfterMs: number | undefined;
  /** What the instance is told in place of the message; `undefined`: the message comes again. */
  readonly told: object | undefined;
}

/** Stands before a saga: lets a message in to its handling, or says why not. */
export interface SagaGate {
  /** Calls `handle` once at most; what that throws is thrown. */
  pass<T>(arrival: Arrival, handle: () => Promise<T>): Promise<Passed<T>>;
}

/** What came of a message at a gate. */
export type Passed<T> =
  { readonly let: 'in'; readonly result: T } | { readonly let: 'out'; readonly rejection: Rejection };
