import type { Cluster, Redis } from 'ioredis';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1_000;

/** Connects again for ever, after ever longer pauses. */
function pause(attempt: number): number {
  return Math.min(FIRST_PAUSE_MS * 2 ** Math.min(attempt - 1, 10), LONGEST_PAUSE_MS);
}

/** What the store wants of a connection: an error at once where there is none, and nothing sent twice. */
const STRICT = {
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  enableReadyCheck: true,
} as const;

/** A client of the store's own, not connected yet, that goes where the caller's goes. */
export function ownClient(original: Redis | Cluster): Redis | Cluster {
  const client = original.isCluster
    ? (original as Cluster).duplicate([], {
        redisOptions: STRICT,
        enableOfflineQueue: false,
        lazyConnect: true,
        clusterRetryStrategy: pause,
      })
    : (original as Redis).duplicate({
        ...STRICT,
        enableOfflineQueue: false,
        lazyConnect: true,
        retryStrategy: pause,
      });
  // Every call that fails says so itself; without a listener the client would print the error.
  client.on('error', () => undefined);
  return client;
}
