import { milliseconds, type Duration } from '../message/duration.js';
import { BatchOptionError } from './batch-errors.js';

/** Options of a batch. */
export interface BatchOptions {
  /** Requests under way at a time. Default: 10. */
  readonly maxParallelism?: number;
  /** `'continue'` (default), or `'stop'`: after a failure nothing more is begun; what runs may end. */
  readonly onFailure?: 'continue' | 'stop';
  /** Time for the whole batch; what runs then has timed out, and the rest is not started. Default: 5 minutes. */
  readonly timeout?: Duration | number;
  /** Calls the batch off: what runs is cancelled, and the rest is not started. */
  readonly signal?: AbortSignal;
  /** Results to keep: `'all'` (default), or those that are not successes, for batches of millions. Progress tells of each either way. */
  readonly collect?: 'all' | 'unsuccessful';
}

/** Options with their defaults filled in. */
export interface BatchSettings {
  readonly maxParallelism: number;
  readonly stopsOnFailure: boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  readonly keepsSuccesses: boolean;
}

/** @throws BatchOptionError naming the option, its rule and the value */
export function batchSettings(options: BatchOptions): BatchSettings {
  const { maxParallelism = 10, onFailure = 'continue', timeout = '5m', collect = 'all', signal } = options;
  if (!Number.isSafeInteger(maxParallelism) || maxParallelism < 1) {
    throw new BatchOptionError('maxParallelism', 'must be a whole number of at least 1', maxParallelism);
  }
  mustBeOneOf('onFailure', onFailure, ['continue', 'stop']);
  mustBeOneOf('collect', collect, ['all', 'unsuccessful']);
  const timeoutMs = lengthOf(timeout);
  const stopsOnFailure = onFailure === 'stop';
  return { maxParallelism, stopsOnFailure, timeoutMs, signal, keepsSuccesses: collect === 'all' };
}

function mustBeOneOf(option: string, value: string, words: readonly string[]): void {
  if (!words.includes(value)) throw new BatchOptionError(option, `must be one of ${words.join(', ')}`, value);
}

function lengthOf(timeout: Duration | number): number {
  try {
    const length = milliseconds(timeout);
    if (length > 0) return length;
  } catch {
    // Told below, in the same words for all that is wrong with it.
  }
  throw new BatchOptionError(
    'timeout',
    `must be a length of time above zero, such as '5m' or 300_000`,
    timeout,
  );
}
