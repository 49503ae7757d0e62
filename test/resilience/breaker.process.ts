// One node of several with a shared breaker: does what it is told and says what came of it.
import { CircuitOpenError } from '@nestjs-orchestrator/core/resilience';
import { redisCircuitBreaker } from '@nestjs-orchestrator/redis';
import { Redis } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';

/** What the spec tells a node. */
export interface BreakerNode {
  readonly url: string;
  readonly prefix: string;
  /** Whether it hears nothing of what others do. */
  readonly deaf: boolean;
  readonly halfOpenProbes: number;
}

const CALLS = 5;

const node = JSON.parse(process.argv[2] ?? '{}') as BreakerNode;
const redis = new Redis(node.url);
const deafened = new Redis(node.url, { keyPrefix: 'elsewhere:', lazyConnect: true });
if (node.deaf) redis.duplicate = () => deafened;
let opened: () => void = () => {};
const open = new Promise<void>((resolve) => {
  opened = resolve;
});
const breaker = redisCircuitBreaker(redis, {
  name: 'payments',
  prefix: node.prefix,
  consecutiveFailures: 3,
  // All have to look while it lasts, on machines that may be busy.
  breakDuration: 5_000,
  probeTimeout: 600_000,
  storeTimeout: 30_000,
  halfOpenProbes: node.halfOpenProbes,
  onEvent: ({ to }) => {
    if (to === 'open') opened();
  },
});

let release: () => void = () => {};
const released = new Promise<void>((resolve) => {
  release = resolve;
});
const held: Promise<unknown>[] = [];

const orders = {
  /** Makes calls that work until the breaker opens. */
  traffic: async () => {
    const goOn = async (): Promise<boolean> => {
      await breaker.execute(async () => 'ok').catch(() => undefined);
      return Promise.race([open.then(() => false), sleep(1, true)]);
    };
    while (await goOn());
    return 'open';
  },
  /** Makes calls that fail until the breaker opens. */
  fail: async () => {
    for (let at = 0; at < 3; at += 1) {
      await breaker.execute(() => Promise.reject(new Error('down'))).catch(() => undefined);
    }
    await open;
    return 'open';
  },
  /** Makes calls that do not settle, as soon as the break is over, and says how many were let through. */
  hold: async () => {
    let through = 0;
    await Promise.all(
      Array.from({ length: CALLS }, async () => {
        const entered = new Promise<void>((resolve) => {
          held.push(
            retried(() => {
              through += 1;
              resolve();
              return released;
            }).catch(resolve),
          );
        });
        await entered;
      }),
    );
    return through;
  },
  /** Lets the held calls succeed, and says whether the breaker is closed by what this node knows then. */
  release: async () => {
    release();
    await Promise.all(held);
    await breaker.refresh();
    return breaker.kind;
  },
};

/** As a well-behaved caller: comes again when the break is over. */
async function retried(call: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await breaker.execute(call);
    } catch (error) {
      if (!(error instanceof CircuitOpenError) || error.state !== 'open') throw error;
      await sleep(error.retryAfterMs);
    }
  }
}

process.on('message', (order: keyof typeof orders | 'exit') => {
  if (order !== 'exit') {
    void orders[order]().then((answer) => process.send?.(answer));
    return;
  }
  breaker.close();
  deafened.disconnect();
  redis.disconnect();
  process.disconnect();
});
await breaker.refresh();
process.send?.('ready');
