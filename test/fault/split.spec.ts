import type { DurableMachines } from '@nestjs-orchestrator/core';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { counted, ledger, ledgerNode } from '../redis/durable-support.js';
import { clientOf } from '../redis/streams-support.js';
import { redisFolder } from '../support/redis.js';
import { startRedisServer, type RedisServer } from '../support/redis-server.js';
import { startTcpProxy, type Lost, type TcpProxy } from '../support/tcp-proxy.js';
import { seeded } from './support/random.js';

// `npm run test:fault -- --rounds 20 --seed 7` parts the nodes twenty times in each way, or the same again.
const ROUNDS = Number(process.env['FAULT_ROUNDS'] ?? 1);
const SEED = Number(process.env['FAULT_SEED'] ?? Math.floor(Math.random() * 1e9));
const IDS = ['l-1', 'l-2', 'l-3', 'l-4', 'l-5', 'l-6'];
/** A network that is broken loses what goes one way, what goes the other, or all. */
const WAYS: readonly Lost[] = ['both', 'requests', 'answers'];

let server: RedisServer;
beforeAll(async () => {
  server = await startRedisServer(redisFolder());
});
afterAll(() => server.stop('SIGKILL'));

/** A node with a network of its own. */
class Site {
  private constructor(
    readonly name: string,
    readonly proxy: TcpProxy,
    readonly machines: DurableMachines,
  ) {}

  static async open(name: string): Promise<Site> {
    const proxy = await startTcpProxy(server.port);
    onTestFinished(() => proxy.close());
    const client = clientOf(`redis://127.0.0.1:${proxy.port}`);
    const machines = await ledgerNode(client, {
      name,
      prefix: 'split',
      maxAttempts: 1_000,
      requestTimeoutMs: 1_000,
      timeoutMs: 2_000,
    });
    onTestFinished(() => machines.close());
    return new Site(name, proxy, machines);
  }
}

/** Numbered events from one node to every machine, each sent under its id until it was answered. */
class Stream {
  private readonly sent = new Map(IDS.map((id) => [id, 0]));
  private readonly running: Promise<unknown>;
  private ended = false;
  private news: (() => void)[] = [];

  constructor(private readonly from: Site) {
    this.running = Promise.all(IDS.map((id) => this.run(id)));
  }

  /** Settles when every machine has answered so many more. */
  async goesOn(more: number): Promise<void> {
    const before = new Map(this.sent);
    while (!IDS.every((id) => this.count(id) >= (before.get(id) ?? 0) + more)) {
      await new Promise<void>((resolve) => this.news.push(resolve));
    }
  }

  async end(): Promise<void> {
    this.ended = true;
    await this.running;
  }

  count(id: string): number {
    return this.sent.get(id) ?? 0;
  }

  private async run(id: string): Promise<void> {
    while (!this.ended) {
      const n = this.count(id) + 1;
      await this.insist(id, n);
      this.sent.set(id, n);
      for (const tell of this.news.splice(0)) tell();
    }
  }

  private async insist(id: string, n: number): Promise<void> {
    const { name, machines } = this.from;
    const messageId = `${name}/${id}/${n}`;
    for (;;) {
      try {
        await machines.ref(ledger, id).request({ type: 'ADD', from: name, n } as never, { messageId });
        return;
      } catch (error) {
        const { code, retryable } = error as { readonly code?: string; readonly retryable?: boolean };
        if (code !== 'REQUEST_TIMEOUT' && retryable !== true) throw error;
        await new Promise((resolve) => void setImmediate(resolve));
      }
    }
  }
}

it(
  `a node that the network parts, in whatever way, changes nothing twice and nothing out of order, and takes part again (seed ${SEED}, ${ROUNDS} rounds)`,
  { timeout: 300_000 + ROUNDS * 120_000 },
  async () => {
    const random = seeded(SEED);
    const sites = [await Site.open('one'), await Site.open('two')] as const;
    for (const id of IDS) await sites[0].machines.spawn(ledger, { id });
    const streams = sites.map((site) => new Stream(site));
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const lost of WAYS) {
        const at = random() < 0.5 ? 0 : 1;
        const [parted, rest] = [sites[at], streams[1 - at]] as const;
        await Promise.all(streams.map((stream) => stream.goesOn(1 + Math.floor(random() * 20))));
        parted.proxy.cut(lost);
        // Where its signs of life come through, nobody takes its machines.
        await (lost === 'answers' ? parted.proxy.loses(20) : rest?.goesOn(5));
        parted.proxy.heal();
        await streams[at]?.goesOn(5);
        process.stdout.write(`split, round ${round + 1}: ${parted.name} lost ${lost}\n`);
      }
    }
    await Promise.all(streams.map((stream) => stream.end()));
    for (const id of IDS) {
      const last = Object.fromEntries(sites.map(({ name }, at) => [name, streams[at]?.count(id)]));
      const count = streams.reduce((sum, stream) => sum + stream.count(id), 0);
      expect(await counted(sites[0].machines, id)).toEqual({ count, last, disorder: 0 });
    }
  },
);
