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

/**
 * Connects a client. Settles when it is ready, or has been closed. The promise of the client itself is not enough: that of a cluster stays open for ever where
 * the first node that it reaches says that the cluster is down; the client tries again by itself then, and tells by an event when it is there.
 *
 * @param signal gives up: a client that is closed while it waits to try again tells nobody
 */
export async function connect(client: Redis | Cluster, signal?: AbortSignal): Promise<void> {
  let settle: (() => void) | undefined;
  const told = new Promise<void>((resolve, reject) => {
    const ready = (): void => resolve();
    const ended = (): void => reject(new Error('Connection is closed.'));
    client.once('ready', ready).once('end', ended);
    signal?.addEventListener('abort', ended, { once: true });
    if (signal?.aborted === true) ended();
    settle = () => {
      client.off('ready', ready).off('end', ended);
      signal?.removeEventListener('abort', ended);
    };
  });
  try {
    await Promise.race([client.connect(), told]);
  } finally {
    settle?.();
  }
}
