import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { TestProject } from 'vitest/node';
import { startRedisServer } from './redis-server.js';
import { deleteKeys } from './redis.js';
import { redisFolders } from './redis.run.js';

/** Gives every spec of the run one Redis, and a folder for servers of its own. Never skips: it serves or fails. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const external = process.env['REDIS_URL'] ?? '';
  const prefix = `orch-test-${randomBytes(6).toString('hex')}`;
  const { folder, close } = await redisFolders.open();
  try {
    const url = external === '' ? await startOwn(folder) : await answering(external);
    project.provide('redis', { url, prefix, folder });
    return async () => {
      if (external !== '') await deleteKeys({ url, prefix });
      await close();
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const FIX_MISSING = 'sudo apt-get install -y redis-server && npm test';
const FIX_EXTERNAL = 'env -u REDIS_URL npm test';

async function startOwn(folder: string): Promise<string> {
  try {
    return (await startRedisServer(join(folder, 'shared'))).url;
  } catch (error) {
    throw failure('The tests need a Redis server, and none could be started.', error, FIX_MISSING);
  }
}

async function answering(url: string): Promise<string> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.ping();
    return url;
  } catch (error) {
    throw failure('The Redis of the tests does not answer.', error, FIX_EXTERNAL);
  } finally {
    client.disconnect();
  }
}

function failure(what: string, cause: unknown, command: string): Error {
  const why = cause instanceof Error ? cause.message : String(cause);
  const text = `${what}\n  ${why}\nTo fix it: ${command}\nOr name a running one: REDIS_URL=redis://… npm test`;
  return new Error(text, { cause });
}
