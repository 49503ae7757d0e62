import type { Clock } from '../../ports/clock.js';
import type { FaultPoints } from '../../ports/fault-points.js';
import type { IdSource, Random } from '../../ports/ids.js';
import type { InstanceStore, WriteOptions } from '../../ports/instance-store.js';
import type { InstanceRef } from '../../ports/records.js';
import { SagaBusyError } from '../saga-errors.js';

/** What it takes to have an instance for oneself. */
export interface ContentionPorts {
  readonly store: InstanceStore;
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: IdSource;
  readonly faults: FaultPoints;
  readonly writeOptions: () => WriteOptions;
}

/** How often a message asks for an instance before it is given back. */
const MAX_ASKS = 20;
/** Longest pause between two asks, in milliseconds. */
const LONGEST_PAUSE_MS = 250;

/**
 * Tries something with an instance under a lease, which every other commit honours, until it is no conflict any more. `attempt` commits with the
 * token that it is given; `null`: the instance is gone.
 *
 * @throws SagaBusyError when others have it for too long
 */
export async function underLease<T>(
  ports: ContentionPorts,
  { tenant, saga, id }: InstanceRef,
  attempt: (token: string | null) => Promise<T | 'conflict'>,
): Promise<Exclude<T, 'conflict'>> {
  const ref = { tenant, saga, id };
  const token = ports.ids.next();
  for (let asks = 1; asks <= MAX_ASKS; asks++) {
    const answer = await ports.store.lease({ ...ports.writeOptions(), ref, token });
    if (answer.outcome === 'busy') {
      await pause(ports, asks, answer.retryMs);
      continue;
    }
    const done = await leased(ports, ref, answer.outcome === 'leased' ? token : null, attempt);
    if (done !== 'conflict') return done as Exclude<T, 'conflict'>;
    await pause(ports, asks);
  }
  throw new SagaBusyError(saga, id);
}

/** Full jitter, so that those who raced do not race again. */
export function pause(
  { clock, random }: Pick<ContentionPorts, 'clock' | 'random'>,
  tries: number,
  atLeast = 0,
): Promise<void> {
  const longest = Math.min(LONGEST_PAUSE_MS, Math.max(atLeast, 5 * 2 ** tries));
  return new Promise((resolve) => void clock.schedule(random.next() * longest, resolve));
}

async function leased<T>(
  { store, faults }: ContentionPorts,
  ref: InstanceRef,
  token: string | null,
  attempt: (token: string | null) => Promise<T | 'conflict'>,
): Promise<T | 'conflict'> {
  let done: T | 'conflict' = 'conflict';
  try {
    await faults.reach('saga.leased');
    done = await attempt(token);
    return done;
  } finally {
    // The commit has ended it, if there was one.
    if (token !== null && done !== 'consumed') await store.unlease(ref, token);
  }
}
