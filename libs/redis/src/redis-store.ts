import type { InstanceStore } from '@nestjs-orchestrator/core/ports';
import type { Cluster, Redis } from 'ioredis';
import { Connection } from './connection/connection.js';
import { withDefaults, type RedisStoreOptions } from './options.js';
import { RedisInstanceStore } from './store.js';

/**
 * A store in Redis, or in a cluster of it. The client is the caller's, who closes it; the store makes two connections like it, one for its scripts and
 * one to listen, and closes those itself.
 *
 * What it promises is what the server keeps: with `appendonly yes`, `appendfsync always` and `maxmemory-policy noeviction`, and without a fail-over, as
 * much as a database. Throws `RangeError` for options that can't be; `start()` rejects with `StoreServerError` for a server that evicts keys or is too old.
 */
export function redisStore(redis: Redis | Cluster, options: RedisStoreOptions = {}): InstanceStore {
  const whole = withDefaults(options);
  return new RedisInstanceStore(new Connection(redis, whole.timeoutMs), whole);
}
