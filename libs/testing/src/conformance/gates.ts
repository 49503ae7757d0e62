import { ConformanceFailure } from './checks.js';

/** A point at which a test lets another run wait. */
export interface Gate {
  readonly passed: Promise<void>;
  open(): void;
}

export function gate(): Gate {
  let open = (): void => {};
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open };
}

const PATIENCE_MS = 10_000;

/** Awaits an event that must come; the deadline only turns a hang into a failure with a name. */
export async function arrives<T>(event: Promise<T>, about: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new ConformanceFailure(
      `${about}: nothing came within ${PATIENCE_MS} ms`,
      'an event',
      'nothing',
    );
    timer = setTimeout(() => reject(error), PATIENCE_MS);
  });
  try {
    return await Promise.race([event, late]);
  } finally {
    clearTimeout(timer);
  }
}
