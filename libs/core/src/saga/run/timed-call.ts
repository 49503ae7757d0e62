import type { Clock } from '../../ports/clock.js';
import { HandlerTimeoutError } from '../saga-errors.js';

/**
 * Calls user code with a signal that aborts after `timeoutMs`; rejects then, whether or not the code heeds the signal. A late settle is
 * ignored.
 */
export async function timedCall<T>(
  clock: Clock,
  label: string,
  timeoutMs: number,
  call: (signal: AbortSignal) => T | Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  const result = call(abort.signal);
  if (!isThenable(result)) return result;
  return new Promise<T>((resolve, reject) => {
    const timer = clock.schedule(timeoutMs, () => {
      const error = new HandlerTimeoutError(label, timeoutMs);
      abort.abort(error);
      reject(error);
    });
    result.then(resolve, reject).finally(() => timer.cancel());
  });
}

function isThenable<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value;
}
