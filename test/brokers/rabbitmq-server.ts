import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { downloadPackages } from '../support/debian-packages.js';
import { freePort } from '../support/redis-server.js';

const run = promisify(execFile);
const CACHES = fileURLToPath(new URL('../../.cache', import.meta.url));
const CACHE = join(CACHES, 'rabbitmq');
const ERLANG =
  'base crypto eldap inets mnesia os-mon parsetools public-key runtime-tools ssl syntax-tools tools xmerl asn1 snmp';
const PACKAGES = ['rabbitmq-server', 'libsctp1', ...ERLANG.split(' ').map((name) => `erlang-${name}`)];
const HOW_TO = `On Debian and Ubuntu its packages are fetched and unpacked without installing them; elsewhere: RABBITMQ_URL=amqp://… npm run test:brokers`;

/** A broker to test with. */
export interface Broker {
  readonly url: string;
  close(): Promise<void>;
}

/** The broker of `RABBITMQ_URL`, or one of our own, of Debian's packages. */
export async function rabbitMq(): Promise<Broker> {
  const external = process.env['RABBITMQ_URL'] ?? '';
  if (external !== '') return { url: external, close: async () => {} };
  try {
    if (!existsSync(CACHE)) await fetchPackages();
    return await start();
  } catch (cause) {
    throw new Error(`These tests need RabbitMQ, and none could be started. ${HOW_TO}`, { cause });
  }
}

async function fetchPackages(): Promise<void> {
  mkdirSync(CACHES, { recursive: true });
  const folder = mkdtempSync(join(CACHES, 'rabbitmq-'));
  try {
    await downloadPackages(folder, PACKAGES);
    for (const name of readdirSync(folder).filter((file) => file.endsWith('.deb')))
      await run('dpkg', ['-x', join(folder, name), folder]);
    renameSync(folder, CACHE);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Erlang knows where it was installed; this one was not. */
function erlangHere(): string {
  const root = join(CACHE, 'usr/lib/erlang');
  const erl = join(root, 'bin/erl');
  const script = readFileSync(erl, 'utf8').replaceAll('ROOTDIR=/usr/lib/erlang', `ROOTDIR=${root}`);
  writeFileSync(erl, script);
  return root;
}

function only(folder: string, start: string): string {
  return join(folder, readdirSync(folder).find((name) => name.startsWith(start)) ?? start);
}

async function start(): Promise<Broker> {
  const erlang = erlangHere();
  const data = mkdtempSync(join(tmpdir(), 'orch-rabbitmq-'));
  const [port, distribution, epmdPort] = [await freePort(), await freePort(), await freePort()];
  const server = only(join(CACHE, 'usr/lib/rabbitmq/lib'), 'rabbitmq_server-');
  writeFileSync(join(data, 'enabled_plugins'), '[].');
  writeFileSync(join(data, 'rabbitmq.conf'), 'listeners.tcp.1 = 127.0.0.1:' + String(port) + '\n');
  const env = {
    ...process.env,
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    HOME: data,
    LD_LIBRARY_PATH: join(CACHE, 'usr/lib/x86_64-linux-gnu'),
    PATH: `${join(erlang, 'bin')}:${process.env['PATH'] ?? ''}`,
    RABBITMQ_HOME: server,
    RABBITMQ_NODENAME: 'rabbit@localhost',
    RABBITMQ_DIST_PORT: String(distribution),
    RABBITMQ_MNESIA_BASE: join(data, 'mnesia'),
    RABBITMQ_LOG_BASE: join(data, 'log'),
    RABBITMQ_CONFIG_FILE: join(data, 'rabbitmq'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(data, 'enabled_plugins'),
    RABBITMQ_CONF_ENV_FILE: join(data, 'none.conf'),
  };
  const epmd = spawn(join(only(erlang, 'erts-'), 'bin/epmd'), ['-port', String(epmdPort)], {
    env,
    stdio: 'ignore',
  });
  const broker = spawn(join(server, 'sbin/rabbitmq-server'), [], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    // The script starts Erlang as its child; both are ended together.
    detached: true,
  });
  const close = async (): Promise<void> => {
    await ended(broker, (signal) => process.kill(-(broker.pid ?? 0), signal));
    await ended(epmd, (signal) => epmd.kill(signal));
    rmSync(data, { recursive: true, force: true });
  };
  try {
    await ready(broker);
  } catch (error) {
    await close();
    throw error;
  }
  return { url: `amqp://guest:guest@127.0.0.1:${port}`, close };
}

async function ended(child: ChildProcess, kill: (signal: NodeJS.Signals) => void): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = once(child, 'exit');
  kill('SIGKILL');
  await gone;
}

async function ready(broker: ChildProcess): Promise<void> {
  const last: string[] = [];
  await new Promise<void>((resolve, reject) => {
    broker.once('error', reject);
    broker.once('exit', (code) =>
      reject(new Error(`rabbitmq-server ended with code ${code}:\n${last.join('\n')}`)),
    );
    for (const stream of [broker.stdout, broker.stderr]) {
      if (stream === null) continue;
      createInterface(stream).on('line', (line) => {
        last.push(line);
        if (last.length > 30) last.shift();
        if (line.includes('completed with')) resolve();
      });
    }
  });
}
