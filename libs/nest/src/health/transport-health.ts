import type { Orchestrator } from '@nestjs-orchestrator/core';

/** How a node stands among the processes of its cluster. */
export interface TransportHealth {
  /** Kind of the transport: `shared-memory`, `named-pipe`, … */
  readonly type: string;
  readonly cluster: string;
  /** Name of this process in it. */
  readonly endpoint: string;
  /** Names of the other processes that take frames. */
  readonly up: readonly string[];
  /** Names of those that hold their place and do not move: senders to them wait. That is their trouble, not this node's. */
  readonly suspect: readonly string[];
  /** Sends of this node that wait for room. */
  readonly waiting: number;
}

/** Nothing where the node is alone. */
export function transportHealth(machines: Orchestrator): { readonly transport?: TransportHealth } {
  const { cluster } = machines.stats();
  if (cluster === undefined) return {};
  const others = machines.processes().filter(({ self }) => !self);
  const named = (wanted: 'up' | 'suspect'): string[] =>
    others.filter(({ state }) => state === wanted).map(({ endpoint }) => endpoint);
  const { type, cluster: name, endpoint, waiting } = cluster;
  return {
    transport: { type, cluster: name, endpoint, up: named('up'), suspect: named('suspect'), waiting },
  };
}
