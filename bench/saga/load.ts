/** What a closed loop found: throughput, and how long single tasks took. */
export interface Load {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
}

/** Keeps `concurrency` tasks in flight until `total` have ended. */
export async function closedLoop(
  total: number,
  concurrency: number,
  task: (number: number) => Promise<void>,
): Promise<Load> {
  const times: number[] = [];
  let next = 0;
  const started = performance.now();
  const sender = async (): Promise<void> => {
    while (next < total) {
      const number = next++;
      const began = performance.now();
      await task(number);
      times.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, sender));
  const perSecond = (total / (performance.now() - started)) * 1_000;
  return { perSecond, p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
}

/** Starts tasks at a rate, whether or not earlier ones have ended, and tells how long each took, in milliseconds. */
export async function openLoop(
  perSecond: number,
  forMs: number,
  task: (number: number) => Promise<void>,
): Promise<readonly number[]> {
  const times: number[] = [];
  const running: Promise<void>[] = [];
  const started = performance.now();
  for (let now = started; now - started < forMs; now = performance.now()) {
    const due = Math.floor(((now - started) / 1_000) * perSecond);
    while (running.length < due) {
      const began = performance.now();
      running.push(task(running.length).then(() => void times.push(performance.now() - began)));
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(running);
  return times;
}

/** The value below which that share of them lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
