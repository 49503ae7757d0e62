// A process of the distributed cluster that keeps durable machines: says when it serves, which of them it has at work, and ends by a signal.
import { createOrchestrator } from '@nestjs-orchestrator/core';
import { redisStore, redisStreams } from '@nestjs-orchestrator/redis';
import { Redis } from 'ioredis';
import { ledger, ledgerActions } from './ledger.js';

/** What the spec tells a process. */
export interface KeeperOrder {
  readonly endpoint: string;
  readonly cluster: string;
  readonly url: string;
  readonly prefix: string;
  readonly leaseMs: number;
}

const { endpoint, cluster, url, prefix, leaseMs } = JSON.parse(process.argv[2] ?? '{}') as KeeperOrder;
const redis = new Redis(url);
redis.on('error', () => undefined);
const store = redisStore(redis, { prefix });
await store.start();
const orchestrator = await createOrchestrator({
  name: 'books',
  cluster,
  endpoint,
  type: 'distributed',
  transports: { distributed: redisStreams(redis, { prefix, partitions: 4, leaseMs }) },
  store,
  reachableFrom: () => true,
});
orchestrator.register(ledger, { actions: ledgerActions });
process.on('message', (question) => {
  if (question === 'atWork') process.send?.(orchestrator.stats().durable?.atWork);
});
process.send?.('serves');
