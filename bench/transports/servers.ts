import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { rabbitMq } from '../../test/brokers/rabbitmq-server.js';
import { downloadPackages } from '../../test/support/debian-packages.js';
import { freePort, startRedisServer } from '../../test/support/redis-server.js';

/** A server that was started for the run. */
export interface Started {
  readonly url: string;
  stop(): Promise<void>;
}

/** Without a file, as transports that keep nothing need it; or with an append-only file that is written every second. */
export async function redisServer(files: 'none' | 'lasting' = 'none'): Promise<Started> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-redis-'));
  const server = await startRedisServer(
    folder,
    files === 'none'
      ? // Of its own accord it closes subscribers that are 32 MB behind.
        { appendonly: 'no', 'client-output-buffer-limit': 'pubsub 0 0 0' }
      : { appendonly: 'yes', appendfsync: 'everysec' },
  );
  return {
    url: server.url,
    stop: async () => {
      await server.stop('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export async function rabbitServer(): Promise<Started> {
  const { url, close } = await rabbitMq();
  return { url, stop: close };
}

const CACHE = join(process.cwd(), '.cache', 'nats');

/** The Debian package `nats-server`, unpacked; `NATS_URL` names another one. */
export async function natsServer(): Promise<Started> {
  const external = process.env['NATS_URL'] ?? '';
  if (external !== '') return { url: external, stop: async () => undefined };
  if (!existsSync(join(CACHE, 'usr'))) await unpack();
  const program = ['usr/sbin', 'usr/bin']
    .map((folder) => join(CACHE, folder, 'nats-server'))
    .find(existsSync);
  if (program === undefined) throw new Error(`no nats-server below ${CACHE}`);
  const port = await freePort();
  const server = spawn(program, ['-a', '127.0.0.1', '-p', String(port)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  // From the start: who ends the run may have ended the server too, and first.
  const exit = new Promise((resolve) => server.once('exit', resolve));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.once('exit', (code) => reject(new Error(`nats-server ended with code ${code}`)));
    createInterface({ input: server.stderr }).on(
      'line',
      (line) => line.includes('Server is ready') && resolve(),
    );
  });
  return {
    url: `nats://127.0.0.1:${port}`,
    stop: async () => {
      server.kill('SIGTERM');
      await exit;
    },
  };
}

async function unpack(): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  await downloadPackages(CACHE, ['nats-server']);
  for (const file of readdirSync(CACHE).filter((name) => name.endsWith('.deb')))
    await promisify(execFile)('dpkg', ['-x', join(CACHE, file), CACHE]);
}
