import { tellable } from '../errors/tellable.js';
import type { Clock } from '../ports/clock.js';
import { HandlerTimeoutError } from './handler-errors.js';

/** Gives the call's signal; it is made when it is first asked for, since most handlers never look at it. */
export type SignalSource = () => AbortSignal;

/**
 * Calls user code with a signal that aborts after `timeoutMs`; rejects then, whether or not the code heeds the signal. A late settle is
 * ignored. What is thrown can be told ({@link tellable}).
 */
export async function timedCall<T>(
  clock: Clock,
  label: string,
  timeoutMs: number,
  call: (signal: SignalSource) => T | Promise<T>,
): Promise<T> {
  let abort: AbortController | undefined;
  let result: T | Promise<T>;
  try {
    result = call(() => (abort ??= new AbortController()).signal);
  } catch (error) {
    throw tellable(error);
  }
  if (!isThenable(result)) return result;
  const settled = result;
  return new Promise<T>((resolve, reject) => {
    const timer = clock.schedule(timeoutMs, () => {
      const error = new HandlerTimeoutError(label, timeoutMs);
      (abort ??= new AbortController()).abort(error);
      reject(error);
    });
    settled.then(resolve, (error: unknown) => reject(tellable(error))).finally(() => timer.cancel());
  });
}

function isThenable<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value;
}
