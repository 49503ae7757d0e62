import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { OrderView } from '../../apps/sample/src/orders/order.schemas.js';
import { freePort } from '../support/redis-server.js';
import { Program, type Ending } from './support/program.js';
import { buildSample, type SampleBuild } from './support/sample-build.js';

let build: SampleBuild;
let folder: string;
const started: Program[] = [];

beforeAll(async () => {
  build = await buildSample();
  folder = mkdtempSync(join(tmpdir(), 'orchestrator-start-'));
});
afterEach(() => Promise.all(started.splice(0).map((program) => program.signal('SIGTERM'))));
afterAll(() => {
  build.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** As `npm start` runs it: no database is named, so the embedded one serves. */
function start(environment: Readonly<Record<string, string | undefined>>, file = build.main): Program {
  const program = new Program(file, {
    NODE_ENV: undefined,
    NEST_LOG_LEVEL: 'error',
    POSTGRES_URL: undefined,
    DATA_DIR: join(folder, 'data'),
    // However long a restart takes, an order comes to its carrier, of whom alone nothing is heard in time.
    PAYMENT_TIMEOUT: '10m',
    STOCK_TIMEOUT: '10m',
    CARRIER_TIMEOUT: '5s',
    ...environment,
  });
  started.push(program);
  return program;
}

function postgresPid(): number {
  return Number(readFileSync(join(folder, 'data/cluster/postmaster.pid'), 'utf8').split('\n')[0]);
}

/** A process that has ended but whose parent has not asked for its code yet counts as gone. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

async function refusal(program: Program): Promise<Ending & { readonly text: string }> {
  return { ...(await program.ended), text: program.lines.join('\n') };
}

it('a killed sample leaves its Postgres behind; the next start stops it, and the order goes on', async () => {
  const port = String(await freePort());
  const url = `http://localhost:${port}`;
  const first = start({ PORT: port });
  expect(await first.line('curl')).toContain(`curl -s -X POST ${url}/orders`);
  const body = JSON.stringify({
    customerId: 'ada',
    items: [{ sku: 'book', quantity: 1 }],
    simulate: { carrier: 'silent' },
  });
  const placed = await fetch(`${url}/orders`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body,
  });
  const { orderId } = (await placed.json()) as OrderView;
  const orphan = postgresPid();
  await first.signal('SIGKILL');
  expect(isAlive(orphan)).toBe(true);

  const second = start({ PORT: port, NODE_ENV: 'production', NEST_LOG_LEVEL: undefined });
  await second.line(`stopped Postgres ${orphan}`);
  await second.line('"Listening"');
  expect(isAlive(orphan)).toBe(false);
  await second.line('compensated');
  const order = (await (await fetch(`${url}/orders/${orderId}`)).json()) as OrderView;
  expect(order).toMatchObject({ state: 'failed', undone: ['cancelShipment', 'release', 'refund'] });

  // The check finds the running server by itself.
  const whileRunning = start({}, build.check);
  expect(await whileRunning.ended).toEqual({ code: 0, signal: null });
  expect(whileRunning.lines.at(-1)).toBe('balances');

  const postgres = postgresPid();
  expect(await second.signal('SIGINT')).toEqual({ code: 0, signal: null });
  expect(isAlive(postgres)).toBe(false);
  const whileStopped = start({}, build.check);
  expect(await whileStopped.ended).toEqual({ code: 0, signal: null });
  expect(whileStopped.lines.at(-1)).toBe('balances');
});

it('a port that is taken is said in one message, and nothing is left running', async () => {
  const other = createServer().listen(0);
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const { code, text } = await refusal(start({ PORT: String(port) }));
  expect(code).toBe(1);
  expect(text.trim()).toBe(
    `Port ${port} is taken by another program. Stop that one, or choose another port: PORT=${port + 1} npm start`,
  );
  other.close();
});

it('a data folder that can not be written is said in one message', async () => {
  writeFileSync(join(folder, 'file'), '');
  const { code, text } = await refusal(start({ PORT: '0', DATA_DIR: join(folder, 'file', 'data') }));
  expect(code).toBe(1);
  expect(text).toContain(`The data directory ${join(folder, 'file', 'data')} can't be used`);
  expect(text).toContain('DATA_DIR=/tmp/orders npm start');
  expect(text).not.toMatch(/^\s+at /m);
});

it.each([
  ['PORT', 'http', 'use a whole number'],
  ['PAYMENT_TIMEOUT', 'soon', "such as '500ms'"],
  ['POSTGRES_URL', 'localhost', 'use postgres://'],
])('a setting %s=%s is refused with the reason', async (variable, value, reason) => {
  const { code, text } = await refusal(start({ PORT: '0', [variable]: value }));
  expect(code).toBe(1);
  expect(text).toContain(`The variable ${variable} can't be '${value}'`);
  expect(text).toContain(reason);
});

it('a database that does not answer is said in one message', async () => {
  const port = await freePort();
  const { code, text } = await refusal(
    start({ PORT: '0', POSTGRES_URL: `postgres://nobody:x@127.0.0.1:${port}/x` }),
  );
  expect(code).toBe(1);
  expect(text).toContain('No Postgres answers at POSTGRES_URL');
});
