import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { message, type } from '@nestjs-orchestrator/core';
import { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import type { InstanceStore, LogFields } from '@nestjs-orchestrator/core/ports';
import { buildSaga, defineSaga } from '@nestjs-orchestrator/core/saga';
import { redisStore } from '@nestjs-orchestrator/redis';
import { typeormStore } from '@nestjs-orchestrator/typeorm';
import { Redis } from 'ioredis';
import { DataSource } from 'typeorm';
import { z } from 'zod';
import { mortalFaults } from './mortal-faults.js';

// A node with a saga that does everything that the sample does not: an activity, a remote route, messages that come twice. It talks to the test by HTTP.
const { PORT, STORE_URL = '', STORE_PREFIX = '', OUTSIDE_URL = '' } = process.env;

const ref = z.object({ id: z.string() });
class Begun extends message('f.begun', ref) {}
class Pack extends message('f.pack', ref) {}
class Packed extends message('f.packed', ref) {}
class Told extends message('f.told', ref) {}

/** Does an effect in the world outside, which knows effects by their ids. */
async function effect(kind: string, id: string, key: string): Promise<void> {
  const response = await fetch(`${OUTSIDE_URL}/${kind}/${id}/${encodeURIComponent(key)}`, { method: 'POST' });
  if (!response.ok) throw new Error(`The outside said ${response.status}.`);
  // Whoever waits for the effect looks at every line; nothing else may come after it.
  write('Effect done', { kind, id });
}

const errand = defineSaga({
  name: 'errand',
  version: 1,
  data: type<{ id: string }>(),
  correlateBy: 'id',
  states: ['charging', 'packing'],
  ends: { done: 'success', failed: 'undo' },
  events: [Begun, Packed],
  compensations: { refund: ref },
  activities: { charge: { input: ref, output: z.object({}), timeout: '5s' } },
});

const errands = buildSaga(errand, (saga) => {
  saga
    .initially()
    .when(Begun)
    .then((ctx) => {
      const { id } = ctx.event;
      ctx.compensateWith('refund', { id });
      ctx.invoke('charge', { id });
      return { id };
    })
    .transitionTo('charging');
  saga
    .during('charging')
    .onDone('charge')
    .then((ctx) => {
      ctx.publish(new Told({ id: ctx.data.id }));
      ctx.send(new Pack({ id: ctx.data.id }));
    })
    .transitionTo('packing')
    .onFailed('charge')
    .transitionTo('failed');
  saga
    .during('packing')
    .when(Packed)
    // Every third is undone.
    .then((ctx) => (Number(ctx.data.id.slice(1)) % 3 === 0 ? ('failed' as const) : ('done' as const)))
    .transitionToOneOf('done', 'failed');
  saga.activity('charge', async ({ id }, ctx) => {
    await effect('charge', id, ctx.idempotencyKey);
    return {};
  });
  saga.compensate('refund', ({ id }, ctx) => effect('refund', id, ctx.idempotencyKey));
});

async function openStore(): Promise<InstanceStore> {
  if (STORE_URL.startsWith('redis:')) {
    // Only to be copied: the store makes its own connections.
    return redisStore(new Redis(STORE_URL, { lazyConnect: true }), { prefix: STORE_PREFIX, decisionMs: 500 });
  }
  const dataSource = new DataSource({ type: 'postgres', url: STORE_URL, applicationName: 'errand' });
  return typeormStore(await dataSource.initialize());
}

const write = (line: string, fields?: LogFields): void =>
  void process.stdout.write(`${line} ${JSON.stringify(fields ?? {})}\n`);

const host = new OrchestratorHost({
  store: await openStore(),
  faults: mortalFaults(process.env),
  logger: { debug: write, info: write, warn: write, error: write },
  leaseMs: 1_500,
  pollIntervalMs: 250,
  retryDelayMs: 50,
  maxAttempts: 100,
});
host.register(errands);
host.registerHandler({
  message: Pack,
  name: 'packer.pack',
  handle: (ctx) => ctx.publish(new Packed(ctx.message)),
});
host.registerRemote({
  name: 'post',
  messages: [Told.messageName],
  send: ({ id, body }) => effect('letter', (body as { id: string }).id, id),
});
await host.start();

/** Ids of those that have not ended well, or as they should. */
async function open(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const state of ['charging', 'packing', 'failed'] as const)
    for await (const { data, status } of host.repository(errand).findByState(state))
      if (status !== 'compensated') found.push(data.id);
  return found;
}

const server = createServer((request, response) => {
  const answer = async (): Promise<unknown> => {
    if (request.method === 'GET') return { open: await open() };
    const { id } = JSON.parse(await text(request)) as { id: string };
    // Its source repeats it.
    await Promise.all([1, 2].map(() => host.bus.publish(new Begun({ id }), { id: `begin ${id}` })));
    return { id };
  };
  answer().then(
    (body) => response.end(JSON.stringify(body)),
    (error: unknown) => response.writeHead(503).end(String(error)),
  );
});
server.listen(Number(PORT), '127.0.0.1', () => write('"Listening"'));
process.on('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
  void host.close().then(() => process.exit(0));
});
