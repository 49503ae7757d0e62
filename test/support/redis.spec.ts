import { Cluster, Redis } from 'ioredis';
import { afterEach, expect, it } from 'vitest';
import { startRedisCluster } from './redis-cluster.js';
import { startRedisServer } from './redis-server.js';
import { deleteKeys, redisFolder, redisNamespace } from './redis.js';

const open: { disconnect(): void }[] = [];

function client(url: string): Redis {
  const redis = new Redis(url);
  open.push(redis);
  return redis;
}

afterEach(() => open.splice(0).forEach((each) => each.disconnect()));

it('the server of the run keeps what it acknowledged, and evicts nothing', async () => {
  const redis = client(redisNamespace().url);
  const settings = await redis.config('GET', 'appendonly', 'appendfsync', 'maxmemory-policy');
  expect(settings).toEqual(
    expect.arrayContaining(['appendonly', 'yes', 'appendfsync', 'always', 'maxmemory-policy', 'noeviction']),
  );
});

it('two namespaces have no name in common, and the keys of one can be deleted alone', async () => {
  const [one, other] = [redisNamespace(), redisNamespace()];
  const redis = client(one.url);
  await redis.mset(`${one.prefix}:a`, '1', `{${one.prefix}/b}:c`, '2', `${other.prefix}:a`, '3');
  await deleteKeys(one);
  expect(await redis.mget(`${one.prefix}:a`, `{${one.prefix}/b}:c`, `${other.prefix}:a`)).toEqual([
    null,
    null,
    '3',
  ]);
});

it('a killed server has everything when it is started again', async () => {
  const server = await startRedisServer(redisFolder());
  const redis = client(server.url);
  await redis.set('kept', 'yes');
  redis.disconnect();
  await server.stop('SIGKILL');
  await server.start();
  expect(await client(server.url).get('kept')).toBe('yes');
  await server.stop('SIGTERM');
});

it('a cluster has three nodes that share the keys', async () => {
  const cluster = await startRedisCluster(redisFolder());
  const redis = new Cluster([...cluster.seeds]);
  open.push(redis);
  const names = Array.from({ length: 30 }, (_, n) => `key-${n}`);
  await Promise.all(names.map((name) => redis.set(name, '1')));
  const sizes = await Promise.all(redis.nodes('master').map((node) => node.dbsize()));
  expect(sizes).toHaveLength(3);
  expect(sizes.every((size) => size > 0)).toBe(true);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(30);
  await cluster.stop();
});
