import type { IdSource } from '../../ports/ids.js';
import type { Scheduler } from '../../ports/scheduler.js';
import { uuidSource } from '../../ports/system-clock.js';
import { systemScheduler } from '../../ports/system-scheduler.js';
import type { Endpoint, Transport } from '../../ports/transport.js';
import { MemoryCluster } from './memory-cluster.js';
import { MemorySeat } from './memory-seat.js';
import { type MemoryNetworkLimits, networkLimits } from './network-limits.js';

/** Options of {@link memoryNetwork}. */
export interface MemoryNetworkOptions extends MemoryNetworkLimits {
  /** When frames are handed over. Default: the runtime's turns. */
  readonly scheduler?: Scheduler;
  /** Incarnations of endpoints. Default: random UUIDs. */
  readonly ids?: IdSource;
}

/** What joins the endpoints of {@link memoryTransport}; tests disturb it here. */
export interface MemoryNetwork {
  /** The endpoint takes no frames and others suspect it, until `resume`. */
  stall(endpoint: Endpoint): void;
  resume(endpoint: Endpoint): void;
  /** The endpoint is gone at once, as if its process had been killed: what it had sent still comes in. */
  lose(endpoint: Endpoint): void;
  /** The others declare the endpoint dead, though it lives: what it had sent still comes in, and it hears that its place is gone. */
  expel(endpoint: Endpoint): void;
  /** What one endpoint sends to another stays on the way until the returned function is called. */
  delay(from: Endpoint, to: Endpoint): () => void;
}

interface Network extends MemoryNetwork {
  readonly cluster: (name: string) => MemoryCluster;
  readonly scheduler: Scheduler;
  readonly ids: IdSource;
}

const networks = new WeakMap<MemoryNetwork, Network>();

/**
 * A network of its own: endpoints of other networks are out of reach.
 *
 * @throws OrchestratorOptionError naming the option, its rule and the value
 */
export function memoryNetwork(options: MemoryNetworkOptions = {}): MemoryNetwork {
  const { scheduler = systemScheduler, ids = uuidSource, ...wishes } = options;
  const limits = networkLimits(wishes);
  const clusters = new Map<string, MemoryCluster>();
  const cluster = (name: string): MemoryCluster => {
    let found = clusters.get(name);
    if (found === undefined) clusters.set(name, (found = new MemoryCluster(name, limits)));
    return found;
  };
  const find = (endpoint: Endpoint): { cluster: MemoryCluster; seat: MemorySeat } | undefined => {
    for (const each of clusters.values()) {
      const seat = each.find(endpoint);
      if (seat !== undefined) return { cluster: each, seat };
    }
    return undefined;
  };
  const network: MemoryNetwork = {
    stall: (endpoint) => find(endpoint)?.seat.stall(true),
    resume: (endpoint) => find(endpoint)?.seat.stall(false),
    lose: (endpoint) => find(endpoint)?.seat.end(),
    expel: (endpoint) => find(endpoint)?.seat.expel(),
    delay(from, to) {
      const [sender, receiver] = [find(from), find(to)];
      if (sender === undefined || receiver === undefined) return () => {};
      const lane = sender.cluster.lane(sender.seat, receiver.seat);
      lane.held += 1;
      let over = false;
      return () => {
        if (over) return;
        over = true;
        lane.held -= 1;
        receiver.seat.wake(lane);
      };
    },
  };
  networks.set(network, { ...network, cluster, scheduler, ids });
  return network;
}

/** A {@link Transport} between endpoints of one process: the executable specification of the port. */
export function memoryTransport(network: MemoryNetwork): Transport {
  const { cluster, scheduler, ids } = networks.get(network) as Network;
  return {
    type: 'memory',
    async join(options, receiver) {
      const place = cluster(options.cluster);
      const seat = new MemorySeat(place, options, receiver, ids.next(), scheduler);
      place.add(seat);
      return seat;
    },
  };
}
