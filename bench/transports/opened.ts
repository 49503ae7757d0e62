import { stoppedWithTheRun } from '../ending.js';
import { Contest } from './contest.js';
import type { Addresses, WireName } from './wire.js';

/** A server that drops what it has no room for leaves its receivers waiting for ever. */
const LIMIT_MS = 120_000;

/** Does something with a contest of its own, which is closed afterwards whatever happens. */
export async function during<T>(
  wire: WireName,
  receivers: number,
  addresses: Addresses,
  work: (contest: Contest) => Promise<T>,
): Promise<T> {
  const contest = await Contest.open(wire, receivers, addresses);
  const close = stoppedWithTheRun(() => contest.close());
  let limit: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`not done within ${LIMIT_MS / 1_000} s: events or answers were lost`);
    limit = setTimeout(() => reject(error), LIMIT_MS);
  });
  try {
    return await Promise.race([work(contest), late]);
  } finally {
    clearTimeout(limit);
    await close();
  }
}

/** For people: standard output has the figures. */
export const progress = (text: string): void =>
  void process.stderr.write(`${(performance.now() / 1_000).toFixed(0)} s: ${text}\n`);
