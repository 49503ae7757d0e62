import type { SagaCounts } from '../saga/run/counting-observer.js';

/** How a node stands. */
export interface HostHealth {
  /** `up`: consuming and the store answers. `stopping`: pulls no more work. `down`: not started, or the store does not answer. */
  readonly status: 'up' | 'stopping' | 'down';
  /** Kind of the store. */
  readonly store: string;
  /** Messages being handled. */
  readonly inWork: number;
  /** Messages claimed and waiting for their turn. */
  readonly queued: number;
  readonly error?: string;
}

/** What a node has done since it was made, and what it has in hand. */
export interface HostStatistics {
  /** By the name of the saga; without those to which nothing has happened. */
  readonly sagas: ReadonlyMap<string, SagaCounts>;
  /** Messages given up by this node. */
  readonly deadLetters: number;
  /** Messages being handled. */
  readonly inWork: number;
  /** Messages claimed and waiting for their turn. */
  readonly queued: number;
}
