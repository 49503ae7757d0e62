import { randomUUID } from 'node:crypto';
import { EndpointTakenError, TransportUnavailableError } from '@nestjs-orchestrator/core';
import type {
  Endpoint,
  FrameReceiver,
  JoinOptions,
  PartitionedSeat,
  PartitionedTransport,
} from '@nestjs-orchestrator/core/ports';
import type { Cluster, Redis } from 'ioredis';
import { Connection } from '../connection/connection.js';
import { checkPermissions, STREAM_COMMANDS } from '../connection/permissions.js';
import { checkServer } from '../connection/server.js';
import { ClusterKeys } from './cluster-keys.js';
import { asUnavailable, opened } from './access.js';
import { differenceOf, LAYOUT, TYPE } from './layout.js';
import { checkName } from './directory.js';
import { memberOf, removal } from './members.js';
import { type RedisStreamsOptions, streamSettings, type StreamSettings } from './options.js';
import { joinScript } from './scripts.js';
import { RedisSeat } from './seat.js';

/**
 * Endpoints on several machines, joined by Redis Streams: one server, Sentinel, or a cluster of it. The client is the caller's, who closes it; a seat makes
 * connections like it and closes those itself.
 *
 * What a publisher was told is taken is as durable as the server makes it. Redis 7 or newer, with `maxmemory-policy noeviction`.
 *
 * @throws OrchestratorOptionError naming the option, its rule and the value
 */
export function redisStreams(
  redis: Redis | Cluster,
  options: RedisStreamsOptions = {},
): PartitionedTransport {
  const settings = streamSettings(options);
  return {
    type: TYPE,
    partitions: settings.partitions,
    join: (joining, receiver) => join(redis, settings, joining, receiver),
  };
}

async function join(
  redis: Redis | Cluster,
  settings: StreamSettings,
  options: JoinOptions,
  receiver: FrameReceiver,
): Promise<PartitionedSeat> {
  checkName(options.endpoint);
  checkName(options.cluster);
  const { clock } = options;
  const connection = new Connection(redis, settings.timeoutMs, clock);
  const keys = new ClusterKeys(settings.prefix, options.cluster, settings.partitions);
  const self: Endpoint = { name: options.endpoint, incarnation: randomUUID() };
  const seat = new RedisSeat(self, options, receiver, connection, keys, settings);
  try {
    await opened(connection);
    await checkPermissions(connection, { commands: STREAM_COMMANDS, key: keys.until, channel: keys.hints });
    await checkServer(connection, options.logger);
    await takePlace(connection, keys, self, settings, options);
    await seat.begin();
    return seat;
  } catch (error) {
    await seat.leave();
    throw asUnavailable(error);
  }
}

/** A name that is held by somebody who gives no sign of life is free when his lease is over; until then it is looked at again. */
async function takePlace(
  connection: Connection,
  keys: ClusterKeys,
  self: Endpoint,
  { leaseMs, partitions }: StreamSettings,
  { cluster, clock }: JoinOptions,
): Promise<void> {
  const about = JSON.stringify([self.name, process.pid, 0]);
  const call = {
    script: joinScript,
    keys: [keys.until, keys.nodes, keys.endpoints, keys.settings, keys.pulse],
    args: [self.name, self.incarnation, leaseMs, about, `${LAYOUT}/${partitions}`],
  };
  let seen: string | undefined;
  for (;;) {
    const [answer, found = '', until] = (await connection.run(call)) as readonly string[];
    if (answer === 'joined') return;
    if (answer === 'settings') {
      throw new TransportUnavailableError(TYPE, differenceOf(cluster, keys.settings, found, partitions));
    }
    if (answer === 'dead') {
      // With all that it held: nobody else may be there to do it.
      await connection.run(removal(keys, { name: self.name, incarnation: found }, false));
      continue;
    }
    if (seen !== undefined && seen !== until) {
      throw new EndpointTakenError(cluster, self.name, memberOf('', found).pid);
    }
    seen = until;
    await new Promise<void>((resolve) => void clock.schedule(leaseMs / 2, resolve));
  }
}
