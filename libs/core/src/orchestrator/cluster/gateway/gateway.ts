import type { Transport } from '../../../ports/transport.js';
import { OrchestratorOptionError } from '../../errors.js';
import { isClusterName } from '../address.js';

/** Options of {@link gateway}. */
export interface GatewayOptions {
  /** Joins the processes of the own cluster: shared memory, or a named pipe. */
  readonly local: Transport;
  /** Joins the clusters: Redis Streams. */
  readonly distributed: Transport;
  /**
   * Name of the cluster that is joined over `distributed`. Its processes are addressed by it, and the clusters of its other gateways by theirs.
   * Another name than the own cluster's. Default: `'default'`.
   */
  readonly joins?: string;
  /** Milliseconds after which a gateway that stands by looks whether it is needed, and an active one whether it still is. Default: 1 000. */
  readonly retryMs?: number;
  /** Bytes that may wait for one process before those who send them are held back. Default: 33 554 432. */
  readonly maxQueuedBytes?: number;
}

/** What {@link gateway} returns: a choice among `transports`. */
export interface Gateway extends Required<GatewayOptions> {
  readonly type: 'gateway';
}

const DEFAULTS = { joins: 'default', retryMs: 1_000, maxQueuedBytes: 33_554_432 };

/**
 * Makes a process the gateway of its cluster: a member of the local cluster as any other, that carries frames between it and a distributed one. Machines
 * of both find each other by `cluster/group/machine`. Several may be started: one is active, the next takes over when it dies or loses its lease.
 *
 * ```ts
 * const orchestrator = await createOrchestrator({
 *   cluster: 'plant-1',
 *   transports: { gateway: gateway({ local: sharedMemory(), distributed: redisStreams(redis), joins: 'company' }) },
 * });
 * ```
 *
 * @throws OrchestratorOptionError naming the option, its rule and the value
 */
export function gateway(options: GatewayOptions): Gateway {
  const { joins = DEFAULTS.joins, retryMs = DEFAULTS.retryMs } = options;
  const { maxQueuedBytes = DEFAULTS.maxQueuedBytes, local, distributed } = options;
  for (const [name, transport] of Object.entries({ local, distributed })) {
    if (!isTransport(transport)) throw new OrchestratorOptionError(name, 'must be a transport', transport);
  }
  if (!isClusterName(joins))
    throw new OrchestratorOptionError('joins', 'must be the name of a cluster', joins);
  for (const [name, value] of Object.entries({ retryMs, maxQueuedBytes })) {
    if (!isCount(value))
      throw new OrchestratorOptionError(name, 'must be a whole number of at least 1', value);
  }
  return { type: 'gateway', local, distributed, joins, retryMs, maxQueuedBytes };
}

function isTransport(value: Transport | undefined): boolean {
  return typeof value?.join === 'function';
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}

export function isGateway(choice: Transport | Gateway): choice is Gateway {
  return 'distributed' in choice;
}
