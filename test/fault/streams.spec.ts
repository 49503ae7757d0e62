import { TransportClosedError } from '@nestjs-orchestrator/core';
import type { PartitionedSeat } from '@nestjs-orchestrator/core/ports';
import { silentLogger, systemClock } from '@nestjs-orchestrator/core/ports';
import { redisStreams } from '@nestjs-orchestrator/redis';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { bytes, Change, clientOf } from '../redis/streams-support.js';
import { startProcess, type TestProcess } from '../support/processes.js';
import { redisFolder } from '../support/redis.js';
import { startRedisServer, type RedisServer } from '../support/redis-server.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import type { OwnerWord } from './support/owner.process.js';
import { seeded } from './support/random.js';

// `npm run test:fault -- --rounds 20 --seed 7` does each fault twenty times, or the same again.
const ROUNDS = Number(process.env['FAULT_ROUNDS'] ?? 1);
const SEED = Number(process.env['FAULT_SEED'] ?? Math.floor(Math.random() * 1e9));
const NAMES = Array.from({ length: 12 }, (_, n) => `m-${n}`);
// So often is nobody killed beside the same frame; here everybody is killed all the time.
const OPTIONS = { prefix: 'fault', partitions: 8, leaseMs: 2_000, retryMs: 10, maxAttempts: 1_000 };

let server: RedisServer;
let proxy: TcpProxy;
beforeAll(async () => {
  server = await startRedisServer(redisFolder());
  proxy = await startTcpProxy(server.port);
});
afterAll(async () => {
  await proxy.close();
  await server.stop('SIGKILL');
});

/** What has become of the frames of each name. */
class Book {
  readonly change = new Change();
  private readonly last = new Map(NAMES.map((name) => [name, 0]));
  /** Frames that came before one that was published before them. */
  readonly disorder: string[] = [];
  repeated = 0;
  acknowledged = 0;
  /** Owners that ended without being killed. */
  readonly ended: string[] = [];
  private readonly by = new Map<string, number>();

  handled(owner: string, to: string, text: string): void {
    this.by.set(owner, (this.by.get(owner) ?? 0) + 1);
    const n = Number(text);
    const last = this.last.get(to) ?? 0;
    if (n > last + 1) this.disorder.push(`${to}: ${n} after ${last}`);
    if (n <= last) this.repeated += 1;
    else this.last.set(to, n);
    this.change.now();
  }

  /** Settles when so many more frames of every name were handled. */
  async goesOn(more: number): Promise<void> {
    const before = new Map(this.last);
    await this.change.until(() => NAMES.every((name) => this.lastOf(name) >= (before.get(name) ?? 0) + more));
  }

  /** Settles when an owner has its share again. */
  async takesPart(owner: string): Promise<void> {
    const before = this.by.get(owner) ?? 0;
    await this.change.until(() => (this.by.get(owner) ?? 0) > before + 20);
  }

  lastOf(name: string): number {
    return this.last.get(name) ?? 0;
  }
}

/** Publishes to a few names, one frame after the other; joins again if a busy machine has cost it its place. */
class Load {
  private seat: PartitionedSeat | undefined;
  private ended = false;
  private joining: Promise<PartitionedSeat> | undefined;

  constructor(private readonly book: Book) {}

  async run(): Promise<ReadonlyMap<string, number>> {
    const counts = await Promise.all(NAMES.map(async (name) => [name, await this.publish(name)] as const));
    await this.seat?.leave();
    return new Map(counts);
  }

  end(): void {
    this.ended = true;
  }

  private async publish(name: string): Promise<number> {
    let n = 0;
    while (!this.ended) {
      n += 1;
      await this.insist(name, bytes(`${n}`));
      this.book.acknowledged += 1;
    }
    return n;
  }

  private async insist(name: string, frame: Uint8Array): Promise<void> {
    for (;;) {
      const seat = await this.place();
      try {
        await seat.publish(name, frame);
        return;
      } catch (error) {
        if (!(error instanceof TransportClosedError)) throw error;
        if (this.seat === seat) this.seat = undefined;
      }
    }
  }

  private place(): Promise<PartitionedSeat> {
    if (this.seat !== undefined) return Promise.resolve(this.seat);
    this.joining ??= redisStreams(clientOf(server.url), OPTIONS)
      .join(
        { cluster: 'shop', endpoint: 'load', clock: systemClock, logger: silentLogger },
        { onFrame: () => undefined, onPeer: () => undefined },
      )
      .then((seat) => (this.seat = seat))
      .finally(() => (this.joining = undefined));
    return this.joining;
  }
}

it(
  `no acknowledged frame is lost or overtaken, whatever dies, hangs or is cut off (seed ${SEED}, ${ROUNDS} rounds)`,
  { timeout: 300_000 + ROUNDS * 60_000 },
  async () => {
    const random = seeded(SEED);
    const book = new Book();
    const owner = (name: string, port: number): TestProcess => {
      const order = { url: `redis://127.0.0.1:${port}`, name, options: OPTIONS };
      const process = startProcess(import.meta.url, './support/owner.process.ts', order);
      process.onMessage<OwnerWord>((word) => {
        if ('to' in word) book.handled(name, word.to, word.text);
      });
      void process.ended.then((code) => {
        if (code !== null) book.ended.push(`${name} with code ${code}`);
      });
      return process;
    };
    let killed = owner('killed', server.port);
    owner('parted', proxy.port);
    const load = new Load(book);
    onTestFinished(() => load.end());
    const published = load.run();
    await book.goesOn(1);
    const faults: Readonly<Record<string, () => Promise<void>>> = {
      'the server is killed and comes back': async () => {
        await server.stop('SIGKILL');
        await server.start();
      },
      'an owner is killed and another one comes': async () => {
        await killed.kill('SIGKILL');
        killed = owner('killed', server.port);
        await book.takesPart('killed');
      },
      'an owner hangs beyond its lease, and moves again': async () => {
        process.kill(killed.pid, 'SIGSTOP');
        await book.goesOn(20);
        process.kill(killed.pid, 'SIGCONT');
        await book.takesPart('killed');
      },
      'the network parts an owner from the server beyond its lease, and heals': async () => {
        proxy.cut();
        await book.goesOn(20);
        proxy.heal();
        await book.takesPart('parted');
      },
    };
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [what, happens] of Object.entries(faults)) {
        await book.goesOn(1 + Math.floor(random() * 30));
        await happens();
        await book.goesOn(5);
        process.stdout.write(`streams, round ${round + 1}: ${what}\n`);
      }
    }
    load.end();
    const counts = await published;
    await book.change.until(() => NAMES.every((name) => book.lastOf(name) >= (counts.get(name) ?? 0)));
    expect(book.disorder).toEqual([]);
    expect(book.ended).toEqual([]);
    expect(book.acknowledged).toBe([...counts.values()].reduce((sum, count) => sum + count, 0));
    process.stdout.write(`streams: ${book.acknowledged} frames, ${book.repeated} of them more than once\n`);
  },
);
