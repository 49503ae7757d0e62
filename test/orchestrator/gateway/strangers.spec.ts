import { gateway } from '@nestjs-orchestrator/core';
import { type MemoryNetwork, memoryNetwork, memoryTransport } from '@nestjs-orchestrator/core/memory';
import { type Endpoint, silentLogger, systemClock } from '@nestjs-orchestrator/core/ports';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  dataFrame,
  type Opening,
  readGatewayFrame,
  routeHead,
  type Word,
  wordFrame,
} from '../../../libs/core/src/orchestrator/cluster/gateway/words.js';
import { turns } from '../transport/support.js';
import { companySelf, world } from './support.js';

/** A process that speaks to gateways by bytes, and what it has heard of them since it was last asked. */
async function stranger(network: MemoryNetwork, cluster: string, endpoint: string) {
  const words: string[] = [];
  const seat = await memoryTransport(network).join(
    { cluster, endpoint, clock: systemClock, logger: silentLogger },
    {
      onFrame: (_from, frame) => {
        const word = readGatewayFrame(frame);
        if (word !== undefined && word.kind !== 'greeting') words.push(said(word));
      },
      onPeer: () => {},
    },
  );
  onTestFinished(() => seat.leave());
  return {
    self: seat.self,
    tell: (to: Endpoint, word: Word) => seat.trySend(to, wordFrame(word)),
    give: (to: Endpoint, route: string, bytes: Uint8Array) =>
      seat.trySend(to, dataFrame(routeHead(route), bytes)),
    async hears(): Promise<string[]> {
      await turns();
      return words.splice(0);
    },
  };
}

function said(word: Exclude<ReturnType<typeof readGatewayFrame>, undefined>): string {
  if (word.kind === 'data') return `data ${word.route} ${word.frame.length}`;
  if (word.kind === 'open') return `open ${word.route} from ${word.cluster}/${word.endpoint} ${word.hops}`;
  if (word.kind === 'close') return `close ${word.route}`;
  return word.kind;
}

const opening = (to: Endpoint, route: string, more: Partial<Opening> = {}): Word => ({
  kind: 'open',
  route,
  cluster: 'forged',
  endpoint: 'forged',
  toCluster: 'company',
  to: to.incarnation,
  hops: 0,
  limit: 60_000,
  ...more,
});

/** `inside` is in `plant-1`, `outside` in `company`; `inside` has asked the gateway between them who is there. */
async function strangers(set = world(), company = set.company, maxQueuedBytes = 1_000_000) {
  const local = memoryTransport(set.networkOf('plant-1'));
  const distributed = memoryTransport(company);
  const g1 = await set.join('plant-1', 'g1', {
    transports: { gateway: gateway({ local, distributed, joins: 'company', maxQueuedBytes }) },
  });
  const far = await set.join('company', 'far', { transports: { memory: distributed } });
  const [inside, outside] = [
    await stranger(set.networkOf('plant-1'), 'plant-1', 'inside'),
    await stranger(company, 'company', 'outside'),
  ];
  const gatewayThere = companySelf(far, g1);
  const question = { about: 'processes', cluster: 'company', group: '', machine: '', hops: 0 } as const;
  inside.tell(g1.self, { kind: 'ask', number: 1, ...question });
  expect(await inside.hears()).toEqual(['answer']);
  return { ...set, company, g1, inside, outside, gatewayThere };
}

describe('a gateway', () => {
  it('lets nothing out that came through one', async () => {
    const { g1, inside, outside } = await strangers();
    inside.tell(g1.self, opening(outside.self, 'route.1', { hops: 1 }));
    expect(await inside.hears()).toEqual(['close route.1']);
    expect(await outside.hears()).toEqual([]);
    inside.tell(g1.self, opening(outside.self, 'route.2'));
    // It says itself where a route comes from.
    expect(await outside.hears()).toEqual(['open route.2 from plant-1/inside 1']);
    expect(await inside.hears()).toEqual([]);
  });

  it('carries what comes from the ends of a route only', async () => {
    const set = await strangers();
    const { g1, inside, outside, gatewayThere, networkOf, company } = set;
    const others = [
      await stranger(networkOf('plant-1'), 'plant-1', 'other'),
      await stranger(company, 'company', 'other'),
    ] as const;
    inside.tell(g1.self, opening(outside.self, 'route'));
    expect(await outside.hears()).toHaveLength(1);
    others[0].give(g1.self, 'route', new Uint8Array(7));
    others[1].give(gatewayThere, 'route', new Uint8Array(7));
    others[0].tell(g1.self, { kind: 'close', route: 'route' });
    others[1].tell(gatewayThere, { kind: 'close', route: 'route' });
    expect([await inside.hears(), await outside.hears()]).toEqual([[], []]);
    inside.give(g1.self, 'route', new Uint8Array(8));
    outside.give(gatewayThere, 'route', new Uint8Array(9));
    expect([await inside.hears(), await outside.hears()]).toEqual([['data route 9'], ['data route 8']]);
  });

  it('ends a route on both sides where a frame of it can’t be handed on: nothing comes after a gap', async () => {
    const { g1, inside, outside } = await strangers(world(), memoryNetwork({ maxFrameBytes: 8_192 }));
    inside.tell(g1.self, opening(outside.self, 'route'));
    expect(await outside.hears()).toHaveLength(1);
    for (const size of [10, 20_000, 11]) inside.give(g1.self, 'route', new Uint8Array(size));
    expect(await outside.hears()).toEqual(['data route 10', 'close route']);
    // Once for the frame that can't be handed on, once for the one behind it.
    expect(await inside.hears()).toEqual(['close route', 'close route']);
  });

  it('holds the frames of a process where too many bytes of it wait for another one', async () => {
    const set = await strangers(world(), memoryNetwork({ laneFrames: 1 }), 5_000);
    const { g1, inside, outside, company } = set;
    inside.tell(g1.self, opening(outside.self, 'route'));
    expect(await outside.hears()).toHaveLength(1);
    company.stall(outside.self);
    for (let size = 1_000; size < 1_100; size += 1) inside.give(g1.self, 'route', new Uint8Array(size));
    await turns();
    const { queuedBytes = 0 } = g1.group.stats().cluster?.gateway ?? {};
    expect([queuedBytes > 5_000, queuedBytes < 7_000]).toEqual([true, true]);
    company.resume(outside.self);
    const heard: string[] = [];
    while (heard.length < 100) heard.push(...(await outside.hears()));
    expect(heard).toEqual(Array.from({ length: 100 }, (_, n) => `data route ${1_000 + n}`));
    expect(g1.group.stats().cluster?.gateway?.queuedBytes).toBe(0);
  });

  it('hears nothing any more of another cluster’s gateway that was replaced', async () => {
    const { company, outside, gatewayThere } = await strangers();
    const next = await stranger(company, 'company', 'next');
    const greeting = { kind: 'greeting', cluster: 'plant-2', joins: 'company', limit: 60_000 } as const;
    const question = { about: 'processes', cluster: 'plant-1', group: '', machine: '', hops: 0 } as const;
    const ask = { kind: 'ask', number: 1, ...question } as const;
    outside.tell(gatewayThere, { ...greeting, epoch: 1 });
    outside.tell(gatewayThere, ask);
    expect(await outside.hears()).toEqual(['answer']);
    next.tell(gatewayThere, { ...greeting, epoch: 2 });
    await turns();
    outside.tell(gatewayThere, ask);
    next.tell(gatewayThere, ask);
    expect([await outside.hears(), await next.hears()]).toEqual([[], ['answer']]);
  });
});

describe('a member', () => {
  it('takes no route that came through more gateways than its own and that of another cluster', async () => {
    const { networkOf, join } = world();
    const one = await join('plant-1', 'one');
    const gate = await stranger(networkOf('plant-1'), 'plant-1', 'gate');
    gate.tell(one.self, { kind: 'greeting', cluster: 'plant-1', joins: 'company', epoch: 1, limit: 60_000 });
    for (const hops of [3, 2]) {
      gate.tell(one.self, opening(one.self, `route.${hops}`, { toCluster: 'plant-1', hops }));
      // Whoever hears this over a route says that it can't be read.
      gate.give(one.self, `route.${hops}`, new Uint8Array(3));
    }
    expect(await gate.hears()).toEqual(['held', 'close route.3', 'data route.2 4']);
  });
});
