import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort, startRedisServer, type RedisServer } from './redis-server.js';

/** A cluster of three masters, without replicas. */
export interface RedisCluster {
  readonly nodes: readonly RedisServer[];
  /** What `new Cluster(…)` takes. */
  readonly seeds: readonly { readonly host: string; readonly port: number }[];
  stop(): Promise<void>;
}

const SLOTS = 16_384;
const NODES = 3;

/** Starts a cluster that serves every slot; its files go into folders beside each other. */
export async function startRedisCluster(folder: string): Promise<RedisCluster> {
  const nodes: Node[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map(({ server }) => server.stop('SIGKILL')));
  };
  try {
    for (let n = 0; n < NODES; n += 1) nodes.push(await startNode(join(folder, `node-${n}`)));
    const whole = nodes.map(({ server }) => server.logged('Cluster state changed: ok'));
    await meet(nodes);
    await Promise.all(whole);
    const servers = nodes.map(({ server }) => server);
    return { nodes: servers, seeds: servers.map(({ port }) => ({ host: '127.0.0.1', port })), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Node {
  readonly server: RedisServer;
  /** On which the nodes talk to each other; by default 10 000 above the other one, which may be no port at all. */
  readonly busPort: number;
}

async function startNode(folder: string): Promise<Node> {
  const busPort = await freePort();
  const settings = {
    'cluster-enabled': 'yes',
    'cluster-config-file': 'nodes.conf',
    'cluster-port': `${busPort}`,
  };
  return { server: await startRedisServer(folder, settings), busPort };
}

/** Gives each node its third of the slots and introduces them to each other. */
async function meet(nodes: readonly Node[]): Promise<void> {
  for (const [n, { server }] of nodes.entries()) {
    const from = Math.ceil((n * SLOTS) / NODES);
    const to = Math.ceil(((n + 1) * SLOTS) / NODES) - 1;
    const client = new Redis(server.url);
    try {
      await client.call('CLUSTER', 'SET-CONFIG-EPOCH', `${n + 1}`);
      await client.call('CLUSTER', 'ADDSLOTSRANGE', `${from}`, `${to}`);
      for (const other of nodes.slice(0, n)) {
        await client.call('CLUSTER', 'MEET', '127.0.0.1', `${other.server.port}`, `${other.busPort}`);
      }
    } finally {
      client.disconnect();
    }
  }
}
