import type { Clock } from '@nestjs-orchestrator/core/ports';

/** Schedules of a model test: a few hundred in the ordinary run, as many as `RESILIENCE_RUNS` says in a long one. */
export const runs = Number(process.env['RESILIENCE_RUNS'] ?? 300);

/** The same where each step asks a server. */
export const runsOnServer = process.env['RESILIENCE_RUNS'] === undefined ? 100 : runs;

/** Time for the schedules of a long run. */
export const patience = Math.max(300_000, runs * 50);

/** A clock that reads what the test sets. Nothing can be scheduled on it. */
export class SetClock implements Clock {
  at = 0;

  now(): number {
    return this.at;
  }

  monotonic(): number {
    return this.at;
  }

  storeNow(): number {
    return this.at;
  }

  schedule(): never {
    throw new Error('nothing is scheduled on this clock');
  }
}

/** Lets promise chains end. */
export async function turns(count = 10): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await Promise.resolve();
}

/** A promise that the test settles. */
export function deferred<T = void>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: Error) => void;
} {
  let resolve: (value: T) => void = () => {};
  let reject: (error: Error) => void = () => {};
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

/** The next event of that name. Unlike `once` of `node:events` it takes no error for an answer: a client whose server is away has many. */
export function heard(
  client: { once(event: string, listener: () => void): unknown },
  event: string,
): Promise<void> {
  return new Promise((resolve) => client.once(event, resolve));
}
