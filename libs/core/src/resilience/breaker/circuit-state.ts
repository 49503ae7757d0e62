/** Lets every call through and counts. */
export interface ClosedState {
  readonly kind: 'closed';
}

/** Lets nothing through until its break is over. */
export interface OpenState {
  readonly kind: 'open';
  /** End of the break, jitter included, in milliseconds since the breaker was made. */
  readonly until: number;
  /** Which opening in a row this is, from 1. */
  readonly openings: number;
}

/** Lets a few probes through. */
export interface HalfOpenState {
  readonly kind: 'half-open';
  readonly openings: number;
  /** When probes that have not settled are given up, in milliseconds since the breaker was made. */
  readonly until: number;
  /** Probes let through in this round, without those that were cancelled. */
  admitted: number;
  succeeded: number;
}

/** Lets nothing through until it is reset by hand. */
export interface IsolatedState {
  readonly kind: 'isolated';
}

/** State of a breaker. Each object is one round: the result of a call counts only while the round that let it through lasts. */
export type CircuitState = ClosedState | OpenState | HalfOpenState | IsolatedState;

/** Why a breaker changed its state. */
export type CircuitCause =
  | 'failure-ratio'
  | 'consecutive-failures'
  | 'slow-calls'
  | 'probe-failed'
  | 'probes-succeeded'
  | 'probes-timed-out'
  | 'break-over'
  | 'isolated'
  | 'reset'
  | 'restored'
  /** Another node changed it; only where it is shared. */
  | 'shared';

/** A breaker changed its state. */
export interface CircuitEvent {
  readonly breaker: string;
  readonly from: CircuitState['kind'];
  readonly to: CircuitState['kind'];
  readonly cause: CircuitCause;
  /** Milliseconds of the break that begins, for `to: 'open'`. */
  readonly breakMs?: number;
}

/** Counts since construction, and what the window holds now. */
export interface CircuitStatistics {
  readonly state: CircuitState['kind'];
  /** Calls that succeeded, among them rejections that `isFailure` takes for none. */
  readonly succeeded: number;
  readonly failed: number;
  /** Calls that took longer than `slowCallDuration`; each of them also succeeded or failed. */
  readonly slow: number;
  /** Calls that were not let through. */
  readonly refused: number;
  /** Calls that their signal ended. */
  readonly cancelled: number;
  /** Results that came after their round had ended. */
  readonly stale: number;
  /** Openings, all together. */
  readonly opened: number;
  readonly window: { readonly calls: number; readonly failures: number; readonly slow: number };
}

/**
 * State of a breaker as plain JSON, good for another process: instants are of the wall clock, in milliseconds since the epoch. What the
 * window holds is not part of it: a breaker that starts anew judges by what it sees itself.
 */
export interface CircuitSnapshot {
  readonly version: 1;
  readonly kind: CircuitState['kind'];
  /** End of the break; for `'open'`, and for `'half-open'`, whose probes belong to the process that sent them. */
  readonly until?: number;
  readonly openings: number;
}
