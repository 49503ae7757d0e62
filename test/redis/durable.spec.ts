import type { DurableMachines } from '@nestjs-orchestrator/core';
import { silentLogger, type Logger } from '@nestjs-orchestrator/core/ports';
import { faultPoints } from '@nestjs-orchestrator/testing';
import { Cluster } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { startProcess, type TestProcess } from '../support/processes.js';
import { startRedisCluster } from '../support/redis-cluster.js';
import { startRedisServer, type RedisServer } from '../support/redis-server.js';
import { redisFolder } from '../support/redis.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { counted, insistently, ledger, ledgerNode, load } from './durable-support.js';
import { clientOf } from './streams-support.js';
import { insist } from './support.js';

/** A logger that tells when a line with this text comes. */
function listening(text: string): { readonly logger: Logger; readonly heard: Promise<void> } {
  let tell = (): void => undefined;
  const heard = new Promise<void>((resolve) => (tell = resolve));
  const error = (message: string): void => {
    if (message.includes(text)) tell();
  };
  return { logger: { ...silentLogger, error }, heard };
}

/** Machine `l-1` is there, and the node has the partitions of all others too: at once, if it does not stand still meanwhile. */
async function ownsAll(node: DurableMachines): Promise<void> {
  while (node.partitions().length < 8) await counted(node, 'l-1');
}

const IDS = ['l-1', 'l-2', 'l-3', 'l-4', 'l-5', 'l-6'] as const;
const EVENTS = 100;
/** Rounds of the tests under load; more of them by `ROUNDS=20 npx vitest run --project integration test/redis/durable.spec.ts`. */
const ROUNDS = Number(process.env['ROUNDS'] ?? '1');
const LIMIT = { timeout: 300_000 * ROUNDS };
let server: RedisServer;

describe('durable machines on several nodes', () => {
  beforeEach(async () => {
    server = await startRedisServer(redisFolder());
  });
  afterEach(async () => {
    await server.stop('SIGKILL');
  });

  const nodeHere = async (name: string, url = server.url, options = {}) => {
    const node = await ledgerNode(clientOf(url), { name, prefix: 'p', ...options });
    onTestFinished(() => node.close());
    return node;
  };

  const nodeElsewhere = async (name: string): Promise<TestProcess> => {
    const node = startProcess(import.meta.url, './ledger-node.process.ts', {
      name,
      prefix: 'p',
      url: server.url,
    });
    expect(await node.next()).toBe('ready');
    return node;
  };

  it(
    'a node that is killed under load loses nothing and doubles nothing: another one goes on, in order',
    LIMIT,
    async () => {
      const here = await nodeHere('here');
      let other = await nodeElsewhere('other-0');
      for (const id of IDS) await here.spawn(ledger, { id });
      for (let round = 1; round <= ROUNDS; round += 1) {
        const from = `sender-${round}`;
        await load(here, from, IDS, EVENTS, async (n) => {
          if (n === EVENTS / 2) await other.kill('SIGKILL');
        });
        for (const id of IDS) await insistently(here.ref(ledger, id), from, EVENTS + 1);
        for (const id of IDS) {
          const { count, last, disorder } = await counted(here, id);
          expect({ id, count, last: last[from], disorder }).toEqual({
            id,
            count: round * (EVENTS + 1),
            last: EVENTS + 1,
            disorder: 0,
          });
        }
        if (round < ROUNDS) other = await nodeElsewhere(`other-${round}`);
      }
    },
  );

  it(
    'a server that is killed and comes back with its file has lost nothing that was settled',
    LIMIT,
    async () => {
      const [a, b] = [await nodeHere('a'), await nodeHere('b')];
      for (const id of IDS) await a.spawn(ledger, { id });
      for (let round = 1; round <= ROUNDS; round += 1) {
        const from = `sender-${round}`;
        await load(a, from, IDS, EVENTS, async (n) => {
          if (n !== EVENTS / 2) return;
          await server.stop('SIGKILL');
          await server.start();
        });
        for (const id of IDS) await insistently(b.ref(ledger, id), from, EVENTS + 1);
        for (const id of IDS) {
          // That the machines go on does not say that the store of this node is connected again.
          const { count, disorder } = await insist(() => counted(a, id));
          expect({ id, count, disorder }).toEqual({ id, count: round * (EVENTS + 1), disorder: 0 });
        }
      }
      // One that changes hands is nobody's for a moment.
      while (a.partitions().length + b.partitions().length < 8) await counted(a, IDS[0]);
    },
  );

  it('of two nodes that the network parts only the one with the server goes on; the other can not commit', async () => {
    const proxy = await startTcpProxy(server.port);
    onTestFinished(() => proxy.close());
    const faults = faultPoints();
    const { logger, heard } = listening('was declared dead');
    const options = { faults, logger, timeoutMs: 2_000 };
    const parted = await nodeHere('parted', `redis://127.0.0.1:${proxy.port}`, options);
    await parted.spawn(ledger, { id: 'l-1' });
    await ownsAll(parted);
    // It is about to commit an event of its own when the network breaks.
    const pause = faults.pauseAt('durable.commit.before');
    await parted.ref(ledger, 'l-1').send({ type: 'ADD', from: 'x', n: 1 } as never, { messageId: 'x/l-1/1' });
    await pause.reached;
    proxy.cut();
    const rest = await nodeHere('rest');
    await insistently(rest.ref(ledger, 'l-1'), 'x', 2);
    await ownsAll(rest);
    proxy.heal();
    pause.resume();
    await insistently(rest.ref(ledger, 'l-1'), 'x', 3);
    expect(await counted(rest, 'l-1')).toEqual({ count: 3, last: { x: 3 }, disorder: 0 });
    // It was declared dead, and comes back as another incarnation.
    await heard;
    await insistently(parted.ref(ledger, 'l-1'), 'x', 4);
    expect((await counted(parted, 'l-1')).count).toBe(4);
  });

  it('a node that leaves in peace hands its machines over', async () => {
    const [a, b] = [await nodeHere('a'), await nodeHere('b')];
    for (const id of IDS) await a.spawn(ledger, { id });
    const loaded = load(b, 'x', IDS, EVENTS);
    await a.close();
    await loaded;
    for (const id of IDS) await insistently(b.ref(ledger, id), 'x', EVENTS + 1);
    for (const id of IDS) expect(await counted(b, id)).toMatchObject({ count: EVENTS + 1, disorder: 0 });
  });
});

it('durable machines live on a cluster of three servers', async () => {
  const servers = await startRedisCluster(redisFolder());
  onTestFinished(() => servers.stop());
  const cluster = new Cluster([...servers.seeds]);
  cluster.on('error', () => undefined);
  onTestFinished(() => cluster.disconnect());
  const nodes = [
    await ledgerNode(cluster, { name: 'a', prefix: 'p' }),
    await ledgerNode(cluster, { name: 'b', prefix: 'p' }),
  ] as const;
  for (const id of IDS) await nodes[0].spawn(ledger, { id });
  await load(nodes[0], 'x', IDS, 20);
  for (const id of IDS) await insistently(nodes[1].ref(ledger, id), 'x', 21);
  for (const id of IDS) expect(await counted(nodes[1], id)).toMatchObject({ count: 21, disorder: 0 });
  await Promise.all(nodes.map((node) => node.close()));
});
