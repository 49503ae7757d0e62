import {
  type ChannelGroup,
  createOrchestrator,
  gateway,
  type OrchestratorOptions,
} from '@nestjs-orchestrator/core';
import { type MemoryNetwork, memoryNetwork, memoryTransport } from '@nestjs-orchestrator/core/memory';
import type { Endpoint } from '@nestjs-orchestrator/core/ports';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import { onTestFinished } from 'vitest';
import { type LedgerHands, registerLedger } from '../transport/support.js';

/** A process of a test. */
export interface Process {
  readonly group: ChannelGroup;
  readonly hands: LedgerHands;
  /** Its place in its own cluster. */
  readonly self: Endpoint;
}

export interface World {
  readonly clock: VirtualClock;
  /** The network of the distributed cluster `company`. */
  readonly company: MemoryNetwork;
  /** The network of a local cluster. */
  networkOf(cluster: string): MemoryNetwork;
  /** A process of a cluster. */
  join(cluster: string, endpoint: string, options?: OrchestratorOptions): Promise<Process>;
  /** A process that is a gateway of a local cluster to `company`, or stands by. */
  joinGateway(cluster: string, endpoint: string, joins?: string): Promise<Process>;
}

/** Clusters in one process: `company` is the distributed one, the others are local. */
export function world(limits: Parameters<typeof memoryNetwork>[0] = {}): World {
  const clock = new VirtualClock();
  const networks = new Map<string, MemoryNetwork>();
  const networkOf = (cluster: string): MemoryNetwork => {
    const network = networks.get(cluster) ?? memoryNetwork(limits);
    networks.set(cluster, network);
    return network;
  };
  const create = async (options: OrchestratorOptions): Promise<Process> => {
    const group = await createOrchestrator({ name: 'ledgers', clock, reachableFrom: () => true, ...options });
    onTestFinished(() => group.release());
    const [own] = group.processes();
    const self = { name: own?.endpoint ?? '', incarnation: own?.incarnation ?? '' };
    return { group, hands: registerLedger(group), self };
  };
  return {
    clock,
    company: networkOf('company'),
    networkOf,
    join: (cluster, endpoint, options = {}) =>
      create({ cluster, endpoint, transports: { memory: memoryTransport(networkOf(cluster)) }, ...options }),
    joinGateway: (cluster, endpoint, joins = 'company') => {
      const local = memoryTransport(networkOf(cluster));
      const distributed = memoryTransport(networkOf(joins));
      return create({ cluster, endpoint, transports: { gateway: gateway({ local, distributed, joins }) } });
    },
  };
}

/** The next active gateway that a process hears of. */
export async function gatewayHeard({ group }: Process) {
  for await (const record of group.subscribe({ only: ['gateway'] })) {
    if (record.type === 'gateway' && record.state === 'active') return record;
  }
  throw new Error('The group was released.');
}

/** The place of a gateway of `plant-1` in `company`, as somebody there sees it. */
export function companySelf(seenBy: Process, { self }: Process): Endpoint {
  const found = seenBy.group.processes().find(({ endpoint }) => endpoint === `plant-1.${self.name}`);
  if (found === undefined) throw new Error(`There is no gateway '${self.name}' in 'company'.`);
  return { name: found.endpoint, incarnation: found.incarnation };
}
