import { TransportUnavailableError } from '@nestjs-orchestrator/core';
import { silentLogger, systemClock } from '@nestjs-orchestrator/core/ports';
import { redisStore, redisStreams, StoreServerError } from '@nestjs-orchestrator/redis';
import { Redis, type RedisOptions } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { selfSigned, type Certificate } from '../support/certificates.js';
import { freePort, startRedisServer, type RedisServer } from '../support/redis-server.js';
import { redisFolder, redisNamespace } from '../support/redis.js';
import { by, entry, outcomes } from '../typeorm/support.js';
import { bytes, joined } from './streams-support.js';

const PASSWORD = 'open sesame';
let server: RedisServer;
let certificate: Certificate;
let tlsPort: number;
const clients: Redis[] = [];

beforeAll(async () => {
  const folder = redisFolder();
  certificate = await selfSigned(folder);
  tlsPort = await freePort();
  server = await startRedisServer(folder, {
    'tls-port': `${tlsPort}`,
    'tls-cert-file': certificate.certFile,
    'tls-key-file': certificate.keyFile,
    'tls-ca-cert-file': certificate.certFile,
    'tls-auth-clients': 'no',
    requirepass: PASSWORD,
  });
});
afterEach(() => clients.splice(0).forEach((client) => client.disconnect()));
afterAll(() => server.stop('SIGKILL'));

function clientOf(options: Omit<RedisOptions, 'replyMapping'> = {}): Redis {
  const trusted = { ca: certificate.text };
  const client = new Redis({
    host: '127.0.0.1',
    port: tlsPort,
    tls: trusted,
    password: PASSWORD,
    lazyConnect: true,
    ...options,
  });
  client.on('error', () => undefined);
  clients.push(client);
  return client;
}

it('store and streams work over TLS with a password', async () => {
  const { prefix } = redisNamespace();
  const store = redisStore(clientOf(), { prefix });
  await store.start();
  expect(outcomes(await store.commit([entry('i-1', 0)], by()))).toEqual(['committed']);
  await store.close();
  const node = await joined('a', clientOf(), { prefix, partitions: 4 });
  await node.serve();
  await node.seat.publish('m', bytes('over TLS'));
  await node.change.until(() => node.handled.length === 1);
  expect(node.handled[0]?.text).toBe('over TLS');
});

const refusals: readonly [what: string, options: () => Omit<RedisOptions, 'replyMapping'>, words: RegExp][] =
  [
    [
      'a certificate that is not trusted',
      () => ({ tls: {} }),
      /certificate.*DEPTH_ZERO_SELF_SIGNED_CERT.*tls: \{ ca \}/s,
    ],
    ['a wrong password', () => ({ password: 'wrong' }), /WRONGPASS.*user and password/s],
    ['no password', () => ({ password: '' }), /NOAUTH.*user and password/s],
  ];

it.each(refusals)(
  '%s is a typed error that says what to do, and nothing is registered',
  async (_, options, words) => {
    const { prefix } = redisNamespace();
    const store = redisStore(clientOf(options()), { prefix });
    const started = store.start();
    await expect(started).rejects.toBeInstanceOf(StoreServerError);
    await expect(started).rejects.toThrow(words);
    await store.close();
    const refused = redisStreams(clientOf(options()), { prefix }).join(
      { cluster: 'shop', endpoint: 'a', clock: systemClock, logger: silentLogger },
      { onFrame: () => undefined, onPeer: () => undefined },
    );
    await expect(refused).rejects.toBeInstanceOf(TransportUnavailableError);
    await expect(refused).rejects.toThrow(words);
    expect(await clientOf().keys(`*${prefix}*`)).toEqual([]);
  },
);
