import type { GatewayStatistics } from './gateway/gateway-node.js';
import type { PeerState, TransportStatistics } from '../../ports/transport.js';

/** Of a group that belongs to a cluster: what goes between its processes. */
export interface ClusterStatistics {
  /** Kind of the transport: `shared-memory`, `named-pipe`, … */
  readonly type: string;
  readonly cluster: string;
  /** Name of this process in the cluster. */
  readonly endpoint: string;
  readonly frames: TransportStatistics;
  /** Envelopes sent that the others have not accepted yet. */
  readonly unaccepted: number;
  /** Envelopes sent whose steps are not over yet. */
  readonly unfinished: number;
  /** Sends that wait for room. */
  readonly waiting: number;
  /** How often this process has joined again after others had declared it dead. */
  readonly rejoins: number;
  /** Of a process that is a gateway. */
  readonly gateway?: GatewayStatistics;
}

/** A process of a cluster, as this one sees it. */
export interface ClusterProcess {
  readonly endpoint: string;
  readonly incarnation: string;
  readonly state: PeerState;
  /** Process id, where the transport knows it. */
  readonly pid: number | undefined;
  /** Whether it is this one. */
  readonly self: boolean;
}

/** A machine in the directory of a cluster. */
export interface ClusterMachine {
  /** Its cluster, where that is another one than the own. */
  readonly cluster?: string;
  readonly group: string;
  readonly id: string;
  /** Id of its definition. */
  readonly definition: string;
  /** The process that it is in. */
  readonly endpoint: string;
}
