import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { redisProgram } from './redis-binaries.js';
import { freePort, startRedisServer, type RedisServer } from './redis-server.js';

/** A master, its replica, and a sentinel that makes the replica the master when the master is gone. */
export interface RedisSentinel {
  readonly master: RedisServer;
  readonly replica: RedisServer;
  /** What `new Redis({ sentinels, name })` takes. */
  readonly sentinels: readonly { readonly host: string; readonly port: number }[];
  readonly name: string;
  stop(): Promise<void>;
}

const NAME = 'main';
/** Milliseconds without an answer after which the master counts as gone; no fail-over may begin because the machine is busy. */
const DOWN_AFTER_MS = 5_000;

export async function startRedisSentinel(folder: string): Promise<RedisSentinel> {
  const master = await startRedisServer(join(folder, 'master'), { 'repl-diskless-sync-delay': '0' });
  const replica = await startRedisServer(join(folder, 'replica'), {
    replicaof: `127.0.0.1 ${master.port}`,
  });
  const port = await freePort();
  const sentinel = await startSentinel(join(folder, 'sentinel'), port, master.port);
  return {
    master,
    replica,
    name: NAME,
    sentinels: [{ host: '127.0.0.1', port }],
    stop: async () => {
      const gone = once(sentinel, 'exit');
      sentinel.kill('SIGKILL');
      await Promise.all([gone, master.stop('SIGKILL'), replica.stop('SIGKILL')]);
    },
  };
}

/** Settles when the sentinel knows the replica. */
async function startSentinel(folder: string, port: number, masterPort: number): Promise<ChildProcess> {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'sentinel.conf');
  const settings = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${folder}`,
    `sentinel monitor ${NAME} 127.0.0.1 ${masterPort} 1`,
    `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${NAME} 10000`,
  ];
  writeFileSync(file, `${settings.join('\n')}\n`);
  const { path, env } = await redisProgram();
  const child = spawn(path, [file, '--sentinel'], {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  });
  // The watchdog of the run finds it by this file.
  writeFileSync(join(folder, 'redis.pid'), `${child.pid}`);
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the sentinel ended with code ${code}`)));
    child.once('error', reject);
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.includes('+slave ')) resolve();
    });
  });
  return child;
}
