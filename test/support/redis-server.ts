import { spawn, type ChildProcess } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { redisProgram } from './redis-binaries.js';

/** A Redis server in a process of its own, with its files in a folder of the run. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** Settles when the server logs a line that holds `text` the next time. */
  logged(text: string): Promise<void>;
  /** Ends it and settles when it is gone: `SIGTERM` lets it finish what it writes, `SIGKILL` does not. */
  stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Starts it again: same port, same files. */
  start(): Promise<void>;
}

/** Settings of every server of the tests: what it acknowledged is on the disk, and nothing is evicted. */
const DURABLE = {
  appendonly: 'yes',
  appendfsync: 'always',
  'maxmemory-policy': 'noeviction',
  save: '',
};

const ATTEMPTS = 5;

/** Starts a server on a free port; `folder` is made, and holds all its files. */
export async function startRedisServer(
  folder: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<RedisServer> {
  mkdirSync(folder, { recursive: true });
  for (let attempt = 1; ; attempt += 1) {
    const server = new Server(folder, await freePort(), settings);
    try {
      await server.start();
      return server;
    } catch (error) {
      // Between asking for a free port and using it another process may have taken it.
      const taken = error instanceof Error && error.message.includes('Address already in use');
      if (!taken || attempt === ATTEMPTS) throw error;
    }
  }
}

class Server implements RedisServer {
  readonly url: string;
  private child: ChildProcess | null = null;
  private readonly awaited = new Set<{ readonly text: string; readonly seen: () => void }>();
  private last: string[] = [];

  constructor(
    private readonly folder: string,
    readonly port: number,
    private readonly settings: Readonly<Record<string, string>>,
  ) {
    this.url = `redis://127.0.0.1:${port}`;
  }

  async start(): Promise<void> {
    const { path, env } = await redisProgram();
    this.last = [];
    const ready = this.logged('Ready to accept connections');
    const child = spawn(path, this.arguments(), {
      cwd: this.folder,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      // In a session of its own, so that Ctrl-C doesn't reach it before those that use it.
      detached: true,
    });
    this.child = child;
    const failed = new Promise<never>((_, reject) => {
      child.once('error', reject);
      child.once('exit', (code) =>
        reject(new Error(`redis-server ended with code ${code}:\n${this.last.join('\n')}`)),
      );
    });
    failed.catch(() => undefined);
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface(stream).on('line', (line) => this.hear(line));
    }
    // The watchdog of the run finds it by this file.
    writeFileSync(join(this.folder, 'redis.pid'), `${child.pid}`);
    await Promise.race([ready, failed]);
  }

  logged(text: string): Promise<void> {
    return new Promise((seen) => this.awaited.add({ text, seen }));
  }

  async stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const { child } = this;
    this.child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  private arguments(): readonly string[] {
    const settings = {
      ...DURABLE,
      bind: '127.0.0.1',
      port: `${this.port}`,
      dir: this.folder,
      ...this.settings,
    };
    return Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  }

  private hear(line: string): void {
    this.last = [...this.last.slice(-19), line];
    for (const each of this.awaited) {
      if (!line.includes(each.text)) continue;
      this.awaited.delete(each);
      each.seen();
    }
  }
}

/** Below where systems take ports for outgoing connections from: one of those could get hold of a port while its server is away. */
const LOWEST_PORT = 12_000;
const HIGHEST_PORT = 32_000;

/** A port that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(LOWEST_PORT, HIGHEST_PORT);
    const probe = createServer().listen(port, '127.0.0.1');
    try {
      await once(probe, 'listening');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') continue;
      throw error;
    }
    probe.close();
    await once(probe, 'close');
    return port;
  }
}
