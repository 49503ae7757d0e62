import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '@nestjs-orchestrator/embedded-postgres';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openDataSource } from '../../apps/sample/src/database/data-source.js';
import { MortalSample } from '../fault/support/mortal-sample.js';
import { OrderLoad, SHORT_TIMEOUTS } from '../fault/support/order-load.js';
import { Program } from '../fault/support/program.js';
import { seeded } from '../fault/support/random.js';
import { buildSample, type SampleBuild } from '../fault/support/sample-build.js';
import { freePort } from '../support/redis-server.js';
import { rabbitMq, type Broker } from './rabbitmq-server.js';

const KILLS = 4;
/** Orders for each death; payment is killed when some of them, but not all, have been paid. */
const WAVE = 25;
const MOST_PAID = 10;
const seed = Number(process.env['FAULT_SEED'] ?? Math.floor(Math.random() * 1e9));

let broker: Broker;
let build: SampleBuild;
let server: EmbeddedPostgres;
let dataSource: DataSource | undefined;
let sample: MortalSample | undefined;
const dataDir = mkdtempSync(join(realpathSync(tmpdir()), 'orch-payments-'));

beforeAll(async () => {
  [broker, build, server] = await Promise.all([
    rabbitMq(),
    buildSample(),
    startEmbeddedPostgres({ dataDir, stopOnExit: true }),
  ]);
});
afterAll(async () => {
  await sample?.stop();
  await dataSource?.destroy();
  await server?.stop();
  await broker?.close();
  build?.remove();
  rmSync(dataDir, { recursive: true, force: true });
});

/** Waits for the process of payment that is the newest, and gives its id. */
async function paymentProcess(of: MortalSample): Promise<number> {
  return Number(/Payments run in process (\d+)/.exec(await of.newest('Payments run in process'))?.[1]);
}

it(`the sample runs payment in a process of its own, which is killed ${KILLS} times amid its work, and the orders once: the books balance`, async () => {
  process.stdout.write(`payment-process: seed ${seed}\n`);
  const random = seeded(seed);
  const environment = {
    POSTGRES_URL: server.url,
    RABBITMQ_URL: broker.url,
    QUEUE_PREFIX: `orch-test-${process.pid}`,
    ...SHORT_TIMEOUTS,
  };
  const running = (sample = await MortalSample.start(build.main, environment, ['--payments=rabbitmq']));
  const load = new OrderLoad([running], random, String(seed));
  const wave = async (number: number): Promise<void> => {
    const placing = load.place(number * WAVE);
    await running.some('awaitingPayment → awaitingInventory', 1 + Math.floor(random() * MOST_PAID));
    return placing;
  };
  for (let kill = 1; kill <= KILLS; kill += 1) {
    await wave(kill);
    const pid = await paymentProcess(running);
    const next = running.line('Payments run in process');
    process.kill(pid, 'SIGKILL');
    expect(await next).not.toContain(String(pid));
  }
  await wave(KILLS + 1);
  await running.killNow();

  const db = (dataSource = await openDataSource(server.url));
  const outcome = await load.settle(running, db);
  expect(outcome).toMatchObject({ faults: [], open: 0, orders: new Set(load.ids).size });
  expect(outcome.completed).toBeGreaterThan(0);
  expect(outcome.refunded).toBeGreaterThan(0);
  // Nothing of payment ran in the process of the orders.
  const destinations = async (schema: string): Promise<readonly string[]> =>
    (await db.query<{ destination: string }[]>(`SELECT DISTINCT destination FROM ${schema}.consumed`)).map(
      ({ destination }) => destination,
    );
  const paymentHandlers = expect.arrayContaining([
    expect.stringMatching(/PaymentHandlers\.process/),
  ]) as string[];
  expect(await destinations('payments_orchestrator')).toEqual(paymentHandlers);
  expect(await destinations('orchestrator')).not.toEqual(paymentHandlers);
  expect((await running.stop()).code).toBe(0);
});

it('says in one message that no broker answers, and that a flag is unknown', async () => {
  const port = await freePort();
  const environment = { POSTGRES_URL: server.url, PORT: '0', RABBITMQ_URL: `amqp://127.0.0.1:${port}` };
  const away = new Program(build.main, environment, ['--payments=rabbitmq']);
  expect((await away.ended).code).toBe(1);
  expect(away.lines.join('\n').trim()).toMatch(/^No RabbitMQ answers at 127\.0\.0\.1:\d+\. Start one there/);
  const wrong = new Program(build.main, environment, ['--payment=rabbitmq']);
  expect((await wrong.ended).code).toBe(1);
  expect(wrong.lines.join('\n')).toContain("Unknown option '--payment'");
});
