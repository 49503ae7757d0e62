import { FallbackFailedError } from '../errors.js';
import { start, type Call, type Policy } from './policy.js';

/** Options of {@link fallback}. */
export interface FallbackOptions {
  /** Which errors call for the fallback; others pass. Default: all. A call whose own signal was aborted never falls back. */
  readonly when?: (error: unknown) => boolean;
}

/**
 * Gives another value when the call fails.
 *
 * The call rejects with {@link FallbackFailedError} if the fallback fails as well; that error holds both.
 *
 * @param substitute makes the value from the error
 */
export function fallback<F>(
  substitute: (error: unknown, signal: AbortSignal | undefined) => F | PromiseLike<F>,
  { when = () => true }: FallbackOptions = {},
): Policy<F> {
  return {
    async execute<T>(call: Call<T>, signal?: AbortSignal): Promise<T | F> {
      try {
        return await start(call, signal);
      } catch (error) {
        if (signal?.aborted === true || !when(error)) throw error;
        return await instead(substitute, error, signal);
      }
    },
  };
}

async function instead<F>(
  substitute: (error: unknown, signal: AbortSignal | undefined) => F | PromiseLike<F>,
  original: unknown,
  signal: AbortSignal | undefined,
): Promise<F> {
  try {
    return await substitute(original, signal);
  } catch (cause) {
    throw new FallbackFailedError(original, { cause });
  }
}
