import { message, type } from '@nestjs-orchestrator/core';
import { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import { memoryStore } from '@nestjs-orchestrator/core/memory';
import { afterEach, describe, expect, it } from 'vitest';
import { openPlainCluster, type PlainCluster } from '../messaging/support.js';
import { openCluster, orderSaga, Placed, storeKinds, type Cluster } from './support.js';

class Draw extends message('t.draw', type<{ n: number }>()) {}

let cluster: Cluster | PlainCluster | undefined;
afterEach(async () => cluster?.close());

it.each([0, 1.5, Number.NaN])('a handler can not take %d messages at a time', (concurrency) => {
  const host = new OrchestratorHost({ store: memoryStore() });
  const handler = { message: Draw, name: 'h', concurrency, handle: () => {} };
  expect(() => host.registerHandler(handler)).toThrow(/'concurrency' of handler 'h'/);
});

describe.each(storeKinds)('two nodes, on $kind', (kind) => {
  it('fire a time-out once, though both look for it, and run its compensation', async () => {
    cluster = await openCluster(kind, '10m');
    const { clock, world } = cluster;
    world.silent.add('o1');
    const nodes = [await cluster.node('first'), await cluster.node('second')] as const;
    await nodes[0].host.bus.publish(new Placed({ orderId: 'o1' }), { id: 'start' });
    await clock.settled();
    await clock.advance('9m');
    expect(world.undone).toEqual([]);
    await clock.advance('2m');
    const order = await nodes[1].host.repository(orderSaga).findByCorrelation('o1');
    expect(order).toMatchObject({ state: 'failed', status: 'compensated', version: 3 });
    expect(world.undone.map(({ name }) => name)).toEqual(['refund']);
  });

  it('share the messages of a handler that takes few at a time, though it uses no manager', async () => {
    const open = await openPlainCluster(kind);
    cluster = open;
    const { clock } = open;
    const calls: { readonly node: string; readonly n: number; readonly others: number }[] = [];
    const node = (name: string) => {
      let others = 0;
      return open.node(name, (host) =>
        host.registerHandler({
          message: Draw,
          name: 'h',
          concurrency: 2,
          handle: async ({ message: { n } }: { message: Draw }) => {
            calls.push({ node: name, n, others });
            others += 1;
            await new Promise<void>((resolve) => void clock.schedule(1_000, resolve));
            others -= 1;
          },
        }),
      );
    };
    const first = await node('first');
    await node('second');
    const all = Array.from({ length: 40 }, (_, n) => n);
    await Promise.all(all.map((n) => first.host.bus.publish(new Draw({ n }))));
    for (let second = 0; second < 30; second += 1) await clock.advance('1s');
    expect(calls.map(({ n }) => n).toSorted((a, b) => a - b)).toEqual(all);
    expect(Math.max(...calls.map(({ others }) => others))).toBe(1);
    const shares = ['first', 'second'].map((name) => calls.filter((call) => call.node === name).length);
    expect(Math.min(...shares)).toBeGreaterThan(5);
  });
});
