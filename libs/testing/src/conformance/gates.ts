import { ConformanceFailure } from './checks.js';

/** A point at which a test lets another run wait. */
export interface Gate {
  readonly passed: Promise<void>;
  readonly open: () => void;
}

export function gate(): Gate {
  let open = (): void => {};
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open };
}

/** Real milliseconds. */
export const PATIENCE_MS = 60_000;

/** Awaits an event that must come; the deadline only turns a hang into a failure with a name. */
export async function arrives<T>(event: Promise<T>, about: string, patienceMs = PATIENCE_MS): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new ConformanceFailure(
      `${about}: nothing came within ${patienceMs} ms`,
      'an event',
      'nothing',
    );
    timer = setTimeout(() => reject(error), patienceMs);
  });
  try {
    return await Promise.race([event, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** A case may fail before it awaits this; its rejection is then not another failure. */
export function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

const MOST_TRIES = 5_000;

/**
 * Repeats what may lose a race until it gives a value. A store on which it never does fails the case instead of hanging it.
 */
export async function repeated<T>(about: string, attempt: () => Promise<T | undefined>): Promise<T> {
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const result = await attempt();
    if (result !== undefined) return result;
  }
  throw new ConformanceFailure(`${about}: still not done after ${MOST_TRIES} tries`, 'an end', MOST_TRIES);
}
