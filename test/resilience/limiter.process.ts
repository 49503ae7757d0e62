// One node of several: asks a shared limiter for tokens when told to, and says how many it got.
import { redisRateLimiter } from '@nestjs-orchestrator/redis';
import { Redis } from 'ioredis';

/** What the spec tells a node. */
export interface LimiterNode {
  readonly url: string;
  readonly prefix: string;
  readonly rate: number;
  readonly burst: number;
  readonly lease?: number;
  readonly keys: readonly string[];
  readonly calls: number;
  readonly atOnce: number;
}

const node = JSON.parse(process.argv[2] ?? '{}') as LimiterNode;
const redis = new Redis(node.url);
const limiter = redisRateLimiter(redis, {
  name: 'many processes',
  prefix: node.prefix,
  maxTransitionsPerSecond: node.rate,
  burstCapacity: node.burst,
  ...(node.lease !== undefined && { lease: { tokens: node.lease } }),
  whenUnavailable: 'closed',
  storeTimeout: 30_000,
});

async function ask(calls: number): Promise<number> {
  let passed = 0;
  for (let at = 0; at < calls; at += 1) {
    if (await limiter.tryAcquire(node.keys[at % node.keys.length])) passed += 1;
    // A lease answers at once: the others must have their turn as well.
    if (at % 100 === 0) await new Promise(setImmediate);
  }
  return passed;
}

process.on('message', () => {
  const callers = Array.from({ length: node.atOnce }, () => ask(node.calls / node.atOnce));
  void Promise.all(callers).then(async (counts) => {
    const passed = counts.reduce((sum, count) => sum + count, 0);
    process.send?.({ passed, statistics: limiter.statistics() });
    await redis.quit();
    process.disconnect();
  });
});
await redis.ping();
process.send?.('ready');
