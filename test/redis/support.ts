import { StoreUnavailableError } from '@nestjs-orchestrator/core';
import type { InstanceStore } from '@nestjs-orchestrator/core/ports';
import { redisStore, type RedisStoreOptions } from '@nestjs-orchestrator/redis';
import { Redis } from 'ioredis';
import { redisNamespace } from '../support/redis.js';

/** Two nodes on one server, and a client that is no node's. */
export interface TwoNodes {
  readonly prefix: string;
  readonly rival: Redis;
  readonly stores: readonly [InstanceStore, InstanceStore];
  close(): Promise<void>;
}

export async function twoNodes(
  options: RedisStoreOptions = {},
  url = redisNamespace().url,
): Promise<TwoNodes> {
  const { prefix } = redisNamespace();
  const rival = new Redis(url);
  // The server dies in some of the tests; each call says so itself.
  rival.on('error', () => undefined);
  const stores = [
    redisStore(rival, { prefix, ...options }),
    redisStore(rival, { prefix, ...options }),
  ] as const;
  await Promise.all(stores.map((store) => store.start()));
  return {
    prefix,
    rival,
    stores,
    close: async () => {
      await Promise.all(stores.map((store) => store.close()));
      rival.disconnect();
    },
  };
}

/** The name of something that tenant `acme` has once. */
export function keyOf({ prefix }: Pick<TwoNodes, 'prefix'>, name: string): string {
  return `{${prefix}/acme}:${name}`;
}

/** Settles when a store hears that there may be work, as it does each time that it is connected again. */
export function hint(store: InstanceStore): Promise<void> {
  return new Promise((resolve) => {
    const stop = store.onWork(() => {
      stop();
      resolve();
    });
  });
}

/** Asks again while it is told that the server is away, as a node does. */
export async function insist<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      await new Promise((resolve) => void setImmediate(resolve));
    }
  }
}
