import type { Duration } from '../../message/duration.js';
import type { OutputOf, Schema } from '../../message/standard-schema.js';

/** When and how often an activity is tried again. */
export interface ActivityRetry {
  /** Tries in all. Default 10. */
  readonly attempts?: number;
  /** Pause before the second try. Default 1 second. */
  readonly firstDelay?: Duration | number;
  /** By how much each pause is longer than the one before. Default 2. */
  readonly factor?: number;
  /** The longest pause. Default 1 minute. The upper half of each pause is random, so that what failed together comes back apart. */
  readonly maxDelay?: Duration | number;
}

/** An activity in `defineSaga({ activities })`: work outside, run by some node under a lease, at least once. */
export interface ActivitySpec {
  /** Schema of what `ctx.invoke` gives it. */
  readonly input: Schema<unknown>;
  /** Schema of what it resolves to: plain JSON. */
  readonly output: Schema<unknown>;
  readonly retry?: ActivityRetry;
  /** How long one try may take. Default 1 minute. */
  readonly timeout?: Duration | number;
  /** A try that has not called `ctx.heartbeat()` for this long counts as failed. Default: none is asked for. */
  readonly heartbeat?: Duration | number;
}

/** An activity as the definition keeps it. */
export interface ActivityDefinition {
  readonly input: Schema<unknown>;
  readonly output: Schema<unknown>;
  readonly timeoutMs: number;
  readonly heartbeatMs: number | undefined;
  readonly attempts: number;
  readonly firstDelayMs: number;
  readonly factor: number;
  readonly maxDelayMs: number;
}

/** Inputs and outputs of a saga's activities by their names. */
export type ActivityTypes = Readonly<Record<string, { readonly input: unknown; readonly output: unknown }>>;

/** @see ActivityTypes */
export type ActivitiesOf<A extends Readonly<Record<string, ActivitySpec>>> = {
  readonly [K in keyof A]: {
    readonly input: OutputOf<A[K]['input']>;
    readonly output: OutputOf<A[K]['output']>;
  };
};

/** What the activity of a saga is given. */
export interface SagaActivityContext {
  /** Id of the instance. */
  readonly id: string;
  readonly tenant: string;
  /** 1 for the first try. */
  readonly attempt: number;
  /** The same for every try of this invocation: give it to the service that is called, so that it acts once. */
  readonly idempotencyKey: string;
  /** Aborts when the state that waits for it is left, the saga ends, the try's time is over or its node stops. */
  readonly signal: AbortSignal;
  /** Says that this try is alive. */
  heartbeat(): void;
}

/** The event of a transition that answers an activity which failed for good. */
export interface ActivityFailure {
  readonly name: string;
  readonly message: string;
  /** How often it was tried. */
  readonly attempts: number;
}

/** Options of `ctx.invoke`. */
export interface InvokeOptions<C> {
  /**
   * Undoes the activity once it has begun: recorded with its outcome, and run at once if by then nothing waits for that outcome any more. Never
   * before the activity has settled.
   */
  readonly undo?: { readonly [N in keyof C & string]: { readonly name: N; readonly input: C[N] } }[keyof C &
    string];
}

/** An activity with its types erased. */
export type ErasedActivity = (input: never, ctx: SagaActivityContext) => unknown;
