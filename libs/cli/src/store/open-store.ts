import type { InstanceStore } from '@nestjs-orchestrator/core/ports';
import { wanted } from '../wanted.js';
import type { StoreAddress } from './store-flags.js';

/**
 * Does something with a store, and closes it. Its tables are taken as they are: nothing is migrated, since the live nodes may be of another build.
 *
 * @throws CommandError where an adapter is not installed; StoreUnavailableError, StoreSchemaError
 */
export function withStore<T>(address: StoreAddress, work: (store: InstanceStore) => Promise<T>): Promise<T> {
  return address.kind === 'postgres' ? inPostgres(address, work) : inRedis(address, work);
}

async function inPostgres<T>(
  { url, schema }: Extract<StoreAddress, { kind: 'postgres' }>,
  work: (store: InstanceStore) => Promise<T>,
): Promise<T> {
  const { DataSource } = await wanted('typeorm', () => import('typeorm'));
  const { typeormStore } = await wanted(
    '@nestjs-orchestrator/typeorm',
    () => import('@nestjs-orchestrator/typeorm'),
  );
  const dataSource = new DataSource({ type: 'postgres', url, applicationName: 'orchestrator' });
  await dataSource.initialize();
  try {
    // Not started: that would want its tables to be those of this build.
    return await work(typeormStore(dataSource, schema === undefined ? {} : { schema }));
  } finally {
    await dataSource.destroy();
  }
}

async function inRedis<T>(
  { url, prefix }: Extract<StoreAddress, { kind: 'redis' }>,
  work: (store: InstanceStore) => Promise<T>,
): Promise<T> {
  const { Redis } = await wanted('ioredis', () => import('ioredis'));
  const { redisStore } = await wanted(
    '@nestjs-orchestrator/redis',
    () => import('@nestjs-orchestrator/redis'),
  );
  const redis = new Redis(url, { lazyConnect: true });
  const store = redisStore(redis, prefix === undefined ? {} : { prefix });
  try {
    await store.start();
    return await work(store);
  } finally {
    await store.close();
    redis.disconnect();
  }
}
