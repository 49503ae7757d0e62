import { StoreSchemaError } from '@nestjs-orchestrator/core';
import type { Logger } from '@nestjs-orchestrator/core/ports';
import type { Cluster, Redis } from 'ioredis';
import { StoreServerError } from '../errors.js';
import { encode } from '../naming/encode.js';
import type { Connection } from './connection.js';

/** Version of the layout of the keys. */
const LAYOUT = 1;
const OLDEST_SERVER = 7;

/** Refuses a server that would lose what it acknowledged without being asked to, and warns of one that may. */
export async function checkServer(connection: Connection, logger: Logger): Promise<void> {
  const infos = await connection.command((client) =>
    Promise.all(mastersOf(client).map(async (node) => ({ node: nameOf(node), text: await node.info() }))),
  );
  for (const { node, text } of infos) checkOne(node, text, logger);
}

/** The servers that take writes. */
export function mastersOf(client: Redis | Cluster): readonly Redis[] {
  return client.isCluster ? (client as Cluster).nodes('master') : [client as Redis];
}

/** For messages. */
export function nameOf({ options }: Redis): string {
  return options.path ?? `${options.host}:${options.port}`;
}

function checkOne(node: string, info: string, logger: Logger): void {
  const field = (name: string): string => new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1] ?? '';
  const version = field('redis_version');
  if (Number.parseInt(version, 10) < OLDEST_SERVER) {
    throw new StoreServerError(
      `Redis ${version} at ${node} is too old: the store needs ${OLDEST_SERVER}.0 or newer.`,
    );
  }
  const policy = field('maxmemory_policy');
  if (policy !== '' && policy !== 'noeviction') {
    throw new StoreServerError(
      `Redis at ${node} has \`maxmemory-policy ${policy}\`: it would throw sagas away when its memory is full. Set \`maxmemory-policy noeviction\`.`,
    );
  }
  if (field('aof_enabled') !== '1') {
    logger.warn(
      'Redis keeps no append-only file: what it acknowledged since its last snapshot is lost when it ends. Set `appendonly yes` and `appendfsync always`.',
      { node },
    );
  }
}

/** Where the version of the layout stands. */
export const layoutKey = (prefix: string): string => `{${encode(prefix)}}:layout`;

/** Writes the version of the layout down, or compares it. */
export async function checkLayout(connection: Connection, prefix: string): Promise<void> {
  const key = layoutKey(prefix);
  const found = await connection.command(async (client) => {
    await client.set(key, LAYOUT, 'NX');
    return Number(await client.get(key));
  });
  if (found <= LAYOUT) return;
  throw new StoreSchemaError(
    `The keys under '${prefix}' have layout ${found}, this build knows ${LAYOUT}: run the newer build, or choose another prefix.`,
    found,
    LAYOUT,
  );
}
