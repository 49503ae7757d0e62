import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InstanceStore } from '@nestjs-orchestrator/core/ports';
import { redisStore } from '@nestjs-orchestrator/redis';
import { Redis } from 'ioredis';
import { startRedisServer } from '../../test/support/redis-server.js';
import { stoppedWithTheRun } from '../ending.js';

/**
 * Runs `use` on stores of a Redis that keeps what it acknowledges (`appendonly yes`, `appendfsync always`, `noeviction`), each with keys of its own.
 */
export async function* onRedis<T>(
  use: (store: (name: string) => InstanceStore) => AsyncGenerator<T>,
): AsyncGenerator<T> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-saga-redis-'));
  const server = await startRedisServer(folder);
  // Only to be copied: each store makes its own connections.
  const client = new Redis(server.url, { lazyConnect: true });
  const stop = stoppedWithTheRun(async () => {
    client.disconnect();
    await server.stop('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  try {
    yield* use((name) => redisStore(client, { prefix: name }));
  } finally {
    await stop();
  }
}
