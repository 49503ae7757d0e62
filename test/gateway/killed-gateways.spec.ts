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
import { Change } from '../redis/streams-support.js';
import { startProcess } from '../support/processes.js';
import { endGrace, endLeasesOf } from '../support/redis-leases.js';
import { redisNamespace } from '../support/redis.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import type { GatewayOrder } from './gateway.process.js';

/** Nobody who lives stands still for so long. */
const LONG_MS = 60_000;
/** Of gateways that are to lose their places while they live. They may do so at any time: who is active is told, never assumed. */
const SHORT_MS = 3_000;
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
  private readonly told = new Change();
  private next = 0;

  constructor(
    begin: ChannelGroup,
    private readonly end: ChannelGroup,
    private readonly to: MachineRef,
  ) {
    begin.subscribe(
      (record) => {
        if (record.type === 'undelivered')
          this.report((record.event as unknown as { number: number }).number);
      },
      { only: ['undelivered'] },
    );
    end.subscribe(() => this.told.now(), { only: ['transition'] });
  }

  /** Sends that many events, some at a time; settles when each is accepted or refused. */
  async send(count: number): Promise<void> {
    for (const end = this.next + count; this.next < end;) {
      const sends: Promise<void>[] = [];
      for (let each = 0; each < AT_ONCE && this.next < end; each += 1) {
        const number = (this.next += 1);
        sends.push(this.to.send({ type: 'NOTE', number }).catch(() => this.report(number)));
      }
      await Promise.all(sends);
    }
  }

  /** Numbers that came twice or out of order, when of every number that was sent it is known whether it came. */
  async disordered(): Promise<readonly number[]> {
    await this.told.until(() => new Set([...this.numbers(), ...this.reported]).size === this.next);
    const numbers = this.numbers();
    return numbers.filter((number, at) => at > 0 && number <= (numbers[at - 1] ?? 0));
  }

  private report(number: number): void {
    this.reported.add(number);
    this.told.now();
  }

  private numbers(): readonly number[] {
    return (this.end.ref('notes').snapshot().context as { numbers: number[] }).numbers;
  }
}

/** By which gateway a process goes. */
class Ways {
  active: string | undefined;
  private readonly told = new Change();

  constructor(group: ChannelGroup) {
    group.subscribe(
      (record) => {
        if (record.type !== 'gateway' || record.state !== 'active') return;
        // In the distributed cluster it has the name of its own one before its name.
        this.active = record.endpoint.split('.').at(-1);
        this.told.now();
      },
      { only: ['gateway'] },
    );
  }

  /** It goes by another one. */
  async without(endpoint: string): Promise<void> {
    await this.told.until(() => this.active !== undefined && this.active !== endpoint);
  }
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
    const far = await group('company', redisStreams(client, { prefix, partitions: 4, leaseMs: LONG_MS }));
    await endGrace(client, prefix);
    const ways = [new Ways(near), new Ways(far)] as const;
    const start = async (endpoint: string, leaseMs: number, through = url) => {
      const order: GatewayOrder = {
        endpoint,
        cluster,
        local,
        directory,
        joins: 'company',
        url: through,
        prefix,
        leaseMs,
      };
      const gateway = startProcess(import.meta.url, './gateway.process.ts', order);
      return { gateway, state: await gateway.next<string>() };
    };
    const address = (of: string): MachineAddress => ({ cluster: of, group: 'books', machine: 'notes' });
    const out = new Stream(near, far, near.ref(address('company')));
    const into = new Stream(far, near, far.ref(address(cluster)));
    const both = async (count: number): Promise<void> =>
      void (await Promise.all([out.send(count), into.send(count)]));
    return {
      start,
      both,
      out,
      url,
      disordered: () => Promise.all([out.disordered(), into.disordered()]),
      /** Both clusters go by a gateway. */
      open: () => Promise.all(ways.map((way) => way.without(''))),
      /** By which one the local cluster goes. */
      active: () => ways[0].active ?? '',
      /** Both clusters go by another one. */
      without: (endpoint: string) => Promise.all(ways.map((way) => way.without(endpoint))),
      endLeasesOf: (pid: number) => endLeasesOf(pid, client, prefix),
    };
  }

  it('one that is killed under load is followed by the next; nothing is lost silently, doubled or out of order', async () => {
    const { start, both, out, disordered, open, without, endLeasesOf } = await plants();
    const first = await start('g1', LONG_MS);
    expect(first.state).toBe('active');
    expect((await start('g2', LONG_MS)).state).toBe('standby');
    await open();
    await both(200);
    expect(out.reported.size).toBe(0);
    const underWay = both(200);
    await first.gateway.kill('SIGKILL');
    await endLeasesOf(first.gateway.pid);
    await without('g1');
    await underWay;
    const before = out.reported.size;
    await both(200);
    expect(out.reported.size).toBe(before);
    expect(await disordered()).toEqual([[], []]);
  });

  it('one that is stopped is followed by the next; when it goes on it carries nothing, and can take over again', async () => {
    const { start, both, disordered, open, active, without } = await plants();
    const gateways = { g1: await start('g1', SHORT_MS), g2: await start('g2', SHORT_MS) };
    await open();
    await both(200);
    const [stopped, other] = active() === 'g1' ? (['g1', 'g2'] as const) : (['g2', 'g1'] as const);
    const underWay = both(200);
    process.kill(gateways[stopped].gateway.pid, 'SIGSTOP');
    await without(stopped);
    await underWay;
    await both(100);
    process.kill(gateways[stopped].gateway.pid, 'SIGCONT');
    await both(100);
    expect(await disordered()).toEqual([[], []]);
    await gateways[other].gateway.kill('SIGKILL');
    await without(other);
    await both(100);
    expect(await disordered()).toEqual([[], []]);
  });

  it('one that the network parts from the other cluster is followed by the next; when it is back it carries nothing, and can take over again', async () => {
    const { start, both, disordered, open, active, without, url } = await plants();
    const startBehindProxy = async (endpoint: string) => {
      const proxy = await startTcpProxy(Number(new URL(url).port));
      onTestFinished(() => proxy.close());
      const through = new URL(url);
      through.port = String(proxy.port);
      return { proxy, ...(await start(endpoint, SHORT_MS, through.href)) };
    };
    const gateways = { g1: await startBehindProxy('g1'), g2: await startBehindProxy('g2') };
    await open();
    await both(200);
    const [parted, other] = active() === 'g1' ? (['g1', 'g2'] as const) : (['g2', 'g1'] as const);
    const underWay = both(200);
    gateways[parted].proxy.cut();
    await without(parted);
    await underWay;
    await both(100);
    gateways[parted].proxy.heal();
    await both(100);
    expect(await disordered()).toEqual([[], []]);
    await gateways[other].gateway.kill('SIGKILL');
    await without(other);
    await both(100);
    expect(await disordered()).toEqual([[], []]);
  });
});
