import type { BatchRequest } from './batch-request.js';

interface BatchItem {
  /** Its place among the requests, from 0. */
  readonly index: number;
  readonly request: BatchRequest;
  readonly correlationId: string;
}

interface StartedItem extends BatchItem {
  readonly durationMs: number;
}

/** Done. */
export interface SucceededItem extends StartedItem {
  readonly status: 'succeeded';
  /** What it gave: see {@link BatchRequest}. */
  readonly value: unknown;
}

/**
 * `'failed'`: it was refused or went wrong. `'timed-out'`: its own time, or that of the batch, was over; whether it took effect is not known.
 * `'cancelled'`: the batch was called off while it ran; whether it took effect is not known either.
 */
export interface FailedItem extends StartedItem {
  readonly status: 'failed' | 'timed-out' | 'cancelled';
  readonly error: unknown;
}

/** The batch ended before its turn came: it did nothing. */
export interface NotStartedItem extends BatchItem {
  readonly status: 'not-started';
}

/** What became of one request. */
export type BatchItemResult = SucceededItem | FailedItem | NotStartedItem;

/** Items by what became of them. */
export interface BatchTotals {
  /** All that are known of; more may have been to come if the batch ended early and its requests came from a query. */
  readonly total: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly timedOut: number;
  readonly cancelled: number;
  readonly notStarted: number;
}

/** Why a batch ended: all was done, an item failed and `onFailure` is `'stop'`, its time was over, its signal was aborted, or its requests could not be read. */
export type BatchEnd = 'done' | 'failure' | 'timeout' | 'aborted' | 'source';

/** What became of a batch. */
export interface BatchResult extends BatchTotals {
  readonly endedBy: BatchEnd;
  readonly durationMs: number;
  /** One for each request that is known of, in their order; with `collect: 'unsuccessful'` without those that succeeded. */
  readonly results: readonly BatchItemResult[];
}

/** One item more is done. */
export interface BatchProgress extends BatchTotals {
  readonly item: BatchItemResult;
}
