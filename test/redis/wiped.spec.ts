import { durableMachines, type DurableMachines } from '@nestjs-orchestrator/core';
import { memoryStore } from '@nestjs-orchestrator/core/memory';
import { type InstanceStore, type Logger, silentLogger } from '@nestjs-orchestrator/core/ports';
import { redisStreams } from '@nestjs-orchestrator/redis';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { deleteKeys, redisNamespace, type RedisNamespace } from '../support/redis.js';
import { counted, insistently, ledger } from './durable-support.js';
import { clientOf } from './streams-support.js';

let place: RedisNamespace;
let store: InstanceStore;

beforeEach(async () => {
  place = redisNamespace();
  store = memoryStore();
  await store.start();
});

/** A node whose frames are on the server, and whose machines are kept elsewhere. */
async function node(name: string, logger: Logger = silentLogger): Promise<DurableMachines> {
  const { url, prefix } = place;
  const transport = redisStreams(clientOf(url), { prefix, partitions: 2, leaseMs: 600, retryMs: 20 });
  const machines = durableMachines({ store, transport, name, logger, effectRetryMs: 20 });
  machines.register(ledger, { actions: { die: () => undefined } });
  await machines.start();
  onTestFinished(() => machines.close());
  return machines;
}

it('a server that has lost everything gives no owner an epoch below those in a store elsewhere', async () => {
  for (const name of ['first', 'second', 'third']) {
    const owner = await node(name);
    if (name === 'first') await owner.spawn(ledger, { id: 'l-1' });
    await insistently(owner.ref(ledger, 'l-1'), name, 1);
    await owner.close();
  }
  await deleteKeys(place);
  const owner = await node('after');
  await insistently(owner.ref(ledger, 'l-1'), 'after', 1);
  expect(await counted(owner, 'l-1')).toMatchObject({ count: 4, disorder: 0 });
});

it('machines of a process that lives through it go on under a higher epoch', async () => {
  let tell = (): void => undefined;
  const declaredDead = new Promise<void>((resolve) => (tell = resolve));
  const error = (message: string): void => {
    if (message.includes('declared dead')) tell();
  };
  const owner = await node('a', { ...silentLogger, error });
  await owner.spawn(ledger, { id: 'l-1' });
  const before = new Map(owner.partitions().map(({ partition, epoch }) => [partition, epoch]));
  await deleteKeys(place);
  await declaredDead;
  await insistently(owner.ref(ledger, 'l-1'), 'client', 1);
  expect(await counted(owner, 'l-1')).toMatchObject({ count: 1, disorder: 0 });
  // That of the machine may be back before the other one is.
  while (owner.partitions().length < 2) await counted(owner, 'l-1');
  const after = owner.partitions();
  for (const { partition, epoch } of after) expect(epoch).toBeGreaterThan(before.get(partition) as number);
});
