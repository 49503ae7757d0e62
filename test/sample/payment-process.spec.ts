import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OrchestratorHealthResult } from '@nestjs-orchestrator/nest';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { MortalSample } from '../fault/support/mortal-sample.js';
import { buildSample, type SampleBuild } from '../fault/support/sample-build.js';
import { createTestDatabase } from '../support/database.js';
import { redisNamespace } from '../support/redis.js';

const ORDERS = 6;
/** Nothing is given up because the machine is busy. */
const PATIENT = { PAYMENT_TIMEOUT: '5m', STOCK_TIMEOUT: '5m', CARRIER_TIMEOUT: '5m' };

interface Health {
  readonly details: { readonly orchestrator: OrchestratorHealthResult<'orchestrator'>['orchestrator'] };
}

let build: SampleBuild;
// Sockets' paths are short.
const folder = mkdtempSync(join(realpathSync(tmpdir()), 'orch-'));
beforeAll(async () => {
  build = await buildSample();
});
afterAll(() => {
  build.remove();
  rmSync(folder, { recursive: true, force: true });
});

async function place(sample: MortalSample, number: number): Promise<void> {
  const order = { customerId: 'c-1', items: [{ sku: 'book', quantity: 1 }] };
  await sample.request('POST', '/orders', order, { 'Idempotency-Key': `payment-process-${number}` });
}

/**
 * What health tells of the transports once each of them is up with somebody. A process that is late with its sign of life is suspect until the next one,
 * and a new one is known by its first: there is another look after each order more.
 */
async function upWithEachOther(
  sample: MortalSample,
): Promise<NonNullable<OrchestratorHealthResult<'orchestrator'>['orchestrator']['microservices']>> {
  for (let number = ORDERS; ; number += 1) {
    const { details } = await sample.request<Health>('GET', '/health');
    const { microservices = [] } = details.orchestrator;
    if (microservices.every(({ place: at, up }) => at === 'taken' && up.length > 0)) return microservices;
    const completed = sample.line('awaitingShipment → completed');
    await place(sample, number);
    await completed;
  }
}

// The books after many such deaths: `npm run test:brokers`.
it.each(['named-pipe', 'shared-memory', 'redis-streams'])(
  'the sample runs payment as a process of its own over %s; it is killed amid its work, and no order is lost',
  async (transport) => {
    const database = await createTestDatabase();
    const { url, prefix } = redisNamespace();
    const environment = {
      POSTGRES_URL: database.url,
      REDIS_URL: url,
      QUEUE_PREFIX: prefix,
      TMPDIR: folder,
      ...PATIENT,
    };
    const sample = await MortalSample.start(build.main, environment, [`--payments=${transport}`]);
    try {
      const completed = sample.some('awaitingShipment → completed', ORDERS);
      const first = sample.line('awaitingPayment → awaitingInventory');
      const started = await sample.newest('Payments run in process');
      await place(sample, 0);
      await first;
      const placing = Array.from({ length: ORDERS - 1 }, (_, at) => place(sample, at + 1));
      const again = sample.line('Payments run in process');
      process.kill(Number(/in process (\d+)/.exec(started)?.[1]), 'SIGKILL');
      await Promise.all(placing);
      expect(await again).not.toBe(started);
      await completed;
      expect((await upWithEachOther(sample)).map(({ role }) => role)).toEqual(['server', 'client']);
      expect((await sample.stop()).code).toBe(0);
    } finally {
      await sample.stop();
      await database.drop();
    }
  },
);
