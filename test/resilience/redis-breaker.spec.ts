import { redisCircuitBreaker } from '@nestjs-orchestrator/redis';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startProcess } from '../support/processes.js';
import { startRedisServer } from '../support/redis-server.js';
import { redisFolder, redisNamespace } from '../support/redis.js';
import type { BreakerNode } from './breaker.process.js';
import { heard } from './support.js';

const { url, prefix } = redisNamespace();

describe('four processes', () => {
  it.each([
    ['with messages', false],
    ['with every message lost', true],
  ])('one opens, all open; all together make no more than N probes; all close (%s)', async (_title, deaf) => {
    const node: BreakerNode = { url, prefix: `${prefix}-${deaf}`, deaf, halfOpenProbes: 3 };
    const nodes = Array.from({ length: 4 }, () =>
      startProcess(import.meta.url, './breaker.process.ts', node),
    );
    const all = <T>(order: (at: number) => string): Promise<T[]> =>
      Promise.all(
        nodes.map((each, at) => {
          const answer = each.next<T>();
          each.send(order(at));
          return answer;
        }),
      );
    expect(await Promise.all(nodes.map((each) => each.next()))).toEqual(Array(4).fill('ready'));
    expect(await all((at) => (at === 0 ? 'fail' : 'traffic'))).toEqual(Array(4).fill('open'));
    const probes = await all<number>(() => 'hold');
    expect(probes.reduce((sum, each) => sum + each, 0)).toBe(3);
    await all(() => 'release');
    expect(await all(() => 'release')).toEqual(Array(4).fill('closed'));
    for (const each of nodes) each.send('exit');
    expect(await Promise.all(nodes.map((each) => each.ended))).toEqual(Array(4).fill(0));
  });
});

describe('a server that dies and comes back', () => {
  it('leaves each node a breaker of its own meanwhile, and is told what it missed', async () => {
    const server = await startRedisServer(redisFolder());
    const node = () => {
      const client = new Redis(server.url, { enableOfflineQueue: false, maxRetriesPerRequest: 0 });
      client.on('error', () => undefined);
      const breaker = redisCircuitBreaker(client, {
        name: 'payments',
        consecutiveFailures: 1,
        breakDuration: 3_600_000,
        storeTimeout: 60_000,
        // Only refresh() asks again: when is up to the test.
        retryInterval: 3_600_000,
      });
      onTestFinished(() => {
        breaker.close();
        client.disconnect();
      });
      return { client, breaker };
    };
    const [one, two] = [node(), node()];
    await Promise.all([one, two].map(({ client }) => heard(client, 'ready')));
    await Promise.all([one.breaker.refresh(), two.breaker.refresh()]);
    const cut = Promise.all([one, two].map(({ client }) => heard(client, 'close')));
    await server.stop('SIGKILL');
    await cut;
    await expect(one.breaker.execute(() => Promise.reject(new Error('down')))).rejects.toThrow('down');
    await expect(one.breaker.execute(async () => 'ok')).rejects.toMatchObject({ state: 'open' });
    expect(await two.breaker.execute(async () => 'ok')).toBe('ok');
    const back = Promise.all([one, two].map(({ client }) => heard(client, 'ready')));
    await server.start();
    await back;
    await one.breaker.refresh();
    await two.breaker.refresh();
    await expect(two.breaker.execute(async () => 'ok')).rejects.toMatchObject({ state: 'open' });
  });
});
