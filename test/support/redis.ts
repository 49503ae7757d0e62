import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { inject } from 'vitest';

/** What the set-up of the run hands to the specs. */
export interface ProvidedRedis {
  /** The server of the run. */
  readonly url: string;
  /** Begins the name of every key of this run. */
  readonly prefix: string;
  /** Folder of the run; a server that a spec starts in it ends with the run at the latest. */
  readonly folder: string;
}

declare module 'vitest' {
  // Widened by merging, so it has to be an interface.
  interface ProvidedContext {
    redis: ProvidedRedis;
  }
}

/** Names that belong to one test or one file alone. */
export interface RedisNamespace {
  /** Connection url of the server of the run. */
  readonly url: string;
  /** To begin the name of every key with, for tests that share the server. */
  readonly prefix: string;
}

/** A namespace on the server of the run. What is left in it at the end of the run goes away. */
export function redisNamespace(): RedisNamespace {
  const { url, prefix } = inject('redis');
  return { url, prefix: `${prefix}-${randomBytes(6).toString('hex')}` };
}

/** A folder for a server, or a cluster, of a spec's own. */
export function redisFolder(): string {
  return join(inject('redis').folder, randomBytes(6).toString('hex'));
}

/** Removes every key of the run. */
export async function deleteKeys({ url, prefix }: Pick<ProvidedRedis, 'url' | 'prefix'>): Promise<void> {
  const client = new Redis(url, { maxRetriesPerRequest: 1 });
  try {
    // Keys of the store have the prefix within the braces of their tag.
    for (const match of [`${prefix}*`, `{${prefix}*`]) {
      for await (const keys of client.scanStream({ match, count: 1_000 }) as AsyncIterable<string[]>) {
        if (keys.length > 0) await client.unlink(...keys);
      }
    }
  } finally {
    client.disconnect();
  }
}
