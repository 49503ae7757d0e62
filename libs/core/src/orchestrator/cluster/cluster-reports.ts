import type { TransportSeat } from '../../ports/transport.js';
import type { ClusterMachine, ClusterProcess } from './cluster-statistics.js';

/** The own process first. */
export function processesOf(seat: TransportSeat): ClusterProcess[] {
  const { name, incarnation } = seat.self;
  const others = seat.peers().map(({ endpoint, state, pid }) => ({
    endpoint: endpoint.name,
    incarnation: endpoint.incarnation,
    state,
    pid,
    self: false,
  }));
  return [{ endpoint: name, incarnation, state: 'up', pid: undefined, self: true }, ...others];
}

/** Names that are no machine's are left out. */
export async function machinesIn(seat: TransportSeat): Promise<ClusterMachine[]> {
  const names = await seat.names();
  return names.flatMap(({ name, about, endpoint }) => {
    const slash = name.indexOf('/');
    const [group, id] = [name.slice(0, slash), name.slice(slash + 1)];
    return slash < 1 ? [] : [{ group, id, definition: about, endpoint: endpoint.name }];
  });
}

/** What is not well, in sentences. */
export function troublesOf(seat: TransportSeat, cluster: string, waiting: number): string[] {
  const suspects = seat.peers().filter(({ state }) => state === 'suspect');
  const troubles = suspects.map(
    ({ endpoint }) => `process '${endpoint.name}' of cluster '${cluster}' does not move`,
  );
  return waiting === 0 ? troubles : [...troubles, `${waiting} sends to other processes wait for room`];
}
