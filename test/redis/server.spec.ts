import { StoreSchemaError, StoreUnavailableError } from '@nestjs-orchestrator/core';
import { redisStore, StoreServerError } from '@nestjs-orchestrator/redis';
import { Redis } from 'ioredis';
import { afterEach, expect, it } from 'vitest';
import { freePort, startRedisServer } from '../support/redis-server.js';
import { redisFolder, redisNamespace } from '../support/redis.js';

const clients: Redis[] = [];

function clientOf(url: string): Redis {
  // Only to be copied.
  const client = new Redis(url, { lazyConnect: true });
  clients.push(client);
  return client;
}

afterEach(() => clients.splice(0).forEach((client) => client.disconnect()));

it.each(['allkeys-lru', 'volatile-ttl'])('does not start on a server that evicts: %s', async (policy) => {
  const server = await startRedisServer(redisFolder(), { 'maxmemory-policy': policy });
  const store = redisStore(clientOf(server.url));
  await expect(store.start()).rejects.toBeInstanceOf(StoreServerError);
  await expect(store.start()).rejects.toThrow('Set `maxmemory-policy noeviction`');
  await store.close();
  await server.stop('SIGKILL');
});

it('warns of a server that keeps no append-only file, and starts on it', async () => {
  const server = await startRedisServer(redisFolder(), { appendonly: 'no' });
  const warnings: string[] = [];
  const quiet = () => undefined;
  const logger = {
    debug: quiet,
    info: quiet,
    error: quiet,
    warn: (text: string) => void warnings.push(text),
  };
  const store = redisStore(clientOf(server.url), { logger });
  await store.start();
  await store.ping();
  expect(warnings).toEqual([expect.stringContaining('Set `appendonly yes`')]);
  await store.close();
  await server.stop('SIGKILL');
});

it('does not start on keys of a newer layout', async () => {
  const { url, prefix } = redisNamespace();
  const client = clientOf(url);
  await client.set(`{${prefix}}:layout`, '2');
  const store = redisStore(client, { prefix });
  await expect(store.start()).rejects.toMatchObject({ name: 'StoreSchemaError', found: 2, known: 1 });
  await expect(store.start()).rejects.toBeInstanceOf(StoreSchemaError);
  await store.close();
});

it('says that there is no server', async () => {
  const store = redisStore(clientOf(`redis://127.0.0.1:${await freePort()}`));
  await expect(store.start()).rejects.toBeInstanceOf(StoreUnavailableError);
  await expect(store.ping()).rejects.toThrow('`start()` it first');
});

it('leaves the client to whoever made it', async () => {
  const { url, prefix } = redisNamespace();
  const client = clientOf(url);
  await client.connect();
  const store = redisStore(client, { prefix });
  await store.start();
  await store.close();
  expect(await client.ping()).toBe('PONG');
});

it.each([
  [{ prefix: '' }, 'prefix'],
  [{ timeoutMs: 0 }, 'timeoutMs is 0'],
  [{ decisionMs: Number.NaN }, 'decisionMs is NaN'],
])('refuses the options %j', (options, words) => {
  expect(() => redisStore(clientOf(redisNamespace().url), options)).toThrow(RangeError);
  expect(() => redisStore(clientOf(redisNamespace().url), options)).toThrow(words);
});
