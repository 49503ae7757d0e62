import {
  assign,
  type ChannelGroup,
  createOrchestrator,
  defineMachine,
  type MachineAddress,
  type MachineRef,
} from '@nestjs-orchestrator/core';
import type { Transport } from '@nestjs-orchestrator/core/ports';
import { redisStreams } from '@nestjs-orchestrator/redis';
import { namedPipe, sharedMemory } from '@nestjs-orchestrator/transports';
import { Redis } from 'ioredis';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startProcess, type TestProcess } from '../support/processes.js';
import { redisNamespace } from '../support/redis.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import type { GatewayOrder } from './gateway.process.js';

const LEASE_MS = 5_000;
/** Events that are under way at a time. */
const AT_ONCE = 25;
const TRANSPORTS = { 'named-pipe': namedPipe, 'shared-memory': sharedMemory };

const notes = defineMachine({
  id: 'notes',
  initial: 'open',
  context: { numbers: [] as number[] },
  states: {
    open: {
      on: {
        NOTE: {
          actions: assign({
            numbers: ({ context, event }) => [
              ...(context as { numbers: number[] }).numbers,
              (event as unknown as { number: number }).number,
            ],
          }),
        },
      },
    },
  },
});

/** One side of a stream: numbers that it sent, and those that it was told were not delivered, or that nobody knows of. */
class Stream {
  readonly reported = new Set<number>();
  private next = 0;

  constructor(
    group: ChannelGroup,
    private readonly to: MachineRef,
  ) {
    group.subscribe(
      (record) => {
        if (record.type === 'undelivered')
          this.reported.add((record.event as unknown as { number: number }).number);
      },
      { only: ['undelivered'] },
    );
  }

  /** Sends that many events, some at a time; settles when each is accepted or refused. */
  async send(count: number): Promise<void> {
    for (const end = this.next + count; this.next < end;) {
      const sends: Promise<void>[] = [];
      for (let each = 0; each < AT_ONCE && this.next < end; each += 1) {
        const number = (this.next += 1);
        sends.push(this.to.send({ type: 'NOTE', number }).catch(() => void this.reported.add(number)));
      }
      await Promise.all(sends);
    }
  }

  /** What is wrong: numbers that came twice or out of order, and those that are missing although nobody said so. */
  faults(group: ChannelGroup): {
    readonly disordered: readonly number[];
    readonly silent: readonly number[];
  } {
    const { numbers } = group.ref('notes').snapshot().context as { numbers: number[] };
    const there = new Set(numbers);
    const all = Array.from({ length: this.next }, (_, at) => at + 1);
    return {
      disordered: numbers.filter((number, at) => at > 0 && number <= (numbers[at - 1] ?? 0)),
      silent: all.filter((number) => !there.has(number) && !this.reported.has(number)),
    };
  }
}

const NONE = { disordered: [], silent: [] };

/** The next active gateway with an epoch above that one that a process hears of. */
async function activeAbove(group: ChannelGroup, epoch: number): Promise<number> {
  for await (const record of group.subscribe({ only: ['gateway'] })) {
    if (record.type === 'gateway' && record.state === 'active' && record.epoch > epoch) return record.epoch;
  }
  throw new Error('The group was released.');
}

describe.each(['named-pipe', 'shared-memory'] as const)('gateways over %s and Redis Streams', (local) => {
  async function plants() {
    const directory = await mkdtemp(join(tmpdir(), 'gateway-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const { url, prefix } = redisNamespace();
    const client = new Redis(url);
    onTestFinished(() => client.disconnect());
    const cluster = `plant-${process.pid}-${local}`;
    const group = async (name: string, transport: Transport): Promise<ChannelGroup> => {
      const made = await createOrchestrator({
        name: 'books',
        cluster: name,
        endpoint: `spec-${name}`,
        transports: { only: transport },
        reachableFrom: () => true,
      });
      onTestFinished(() => made.release());
      made.register(notes);
      await made.spawn(notes, { id: 'notes' });
      return made;
    };
    const near = await group(cluster, TRANSPORTS[local]({ directory }));
    const far = await group('company', redisStreams(client, { prefix, partitions: 4, leaseMs: LEASE_MS }));
    const start = async (endpoint: string, through = url): Promise<readonly [TestProcess, string]> => {
      const order: GatewayOrder = {
        endpoint,
        cluster,
        local,
        directory,
        joins: 'company',
        url: through,
        prefix,
        leaseMs: LEASE_MS,
      };
      const gateway = startProcess(import.meta.url, './gateway.process.ts', order);
      return [gateway, await gateway.next<string>()];
    };
    const address = (of: string): MachineAddress => ({ cluster: of, group: 'books', machine: 'notes' });
    const out = new Stream(near, near.ref(address('company')));
    const into = new Stream(far, far.ref(address(cluster)));
    const both = async (count: number): Promise<void> =>
      void (await Promise.all([out.send(count), into.send(count)]));
    const faults = () => [out.faults(far), into.faults(near)];
    return { near, far, start, both, faults, out, url };
  }

  it('one that is killed under load is followed by the next; nothing is lost silently, doubled or out of order', async () => {
    const { near, far, start, both, faults, out } = await plants();
    const [first, state] = await start('g1');
    expect(state).toBe('active');
    expect((await start('g2'))[1]).toBe('standby');
    await both(200);
    expect(out.reported.size).toBe(0);
    const heard = [activeAbove(near, 1), activeAbove(far, 1)];
    const underWay = both(200);
    await first.kill('SIGKILL');
    await Promise.all(heard);
    await underWay;
    const before = out.reported.size;
    await both(200);
    expect(out.reported.size).toBe(before);
    expect(faults()).toEqual([NONE, NONE]);
  });

  it('one that is stopped is followed by the next; when it goes on it carries nothing, and can take over again', async () => {
    const { near, far, start, both, faults } = await plants();
    const [first] = await start('g1');
    const [second, state] = await start('g2');
    expect(state).toBe('standby');
    await both(200);
    const heard = [activeAbove(near, 1), activeAbove(far, 1)];
    const underWay = both(200);
    process.kill(first.pid, 'SIGSTOP');
    const [epoch] = await Promise.all(heard);
    await underWay;
    await both(100);
    process.kill(first.pid, 'SIGCONT');
    await both(100);
    expect(faults()).toEqual([NONE, NONE]);
    const again = [activeAbove(near, epoch ?? 0), activeAbove(far, epoch ?? 0)];
    await second.kill('SIGKILL');
    await Promise.all(again);
    await both(100);
    expect(faults()).toEqual([NONE, NONE]);
  });

  it('one that the network parts from the other cluster is followed by the next; when it is back it carries nothing, and can take over again', async () => {
    const { near, far, start, both, faults, url } = await plants();
    const proxy = await startTcpProxy(Number(new URL(url).port));
    onTestFinished(() => proxy.close());
    const through = new URL(url);
    through.port = String(proxy.port);
    expect((await start('g1', through.href))[1]).toBe('active');
    const [second, state] = await start('g2');
    expect(state).toBe('standby');
    await both(200);
    const heard = [activeAbove(near, 1), activeAbove(far, 1)];
    const underWay = both(200);
    proxy.cut();
    const [epoch] = await Promise.all(heard);
    await underWay;
    await both(100);
    proxy.heal();
    await both(100);
    expect(faults()).toEqual([NONE, NONE]);
    const again = [activeAbove(near, epoch ?? 0), activeAbove(far, epoch ?? 0)];
    await second.kill('SIGKILL');
    await Promise.all(again);
    await both(100);
    expect(faults()).toEqual([NONE, NONE]);
  });
});
