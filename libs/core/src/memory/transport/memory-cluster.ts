import {
  EndpointTakenError,
  NameInvalidError,
  NameTakenError,
  RegistryFullError,
} from '../../errors/transport-errors.js';
import type { Endpoint, NamedEntry, Peer, PeerState } from '../../ports/transport.js';
import { Lane } from './lane.js';
import type { MemorySeat } from './memory-seat.js';
import type { NetworkLimits } from './network-limits.js';

/** The endpoints of one cluster, the lanes between them, and their directory. */
export class MemoryCluster {
  /** Those that live, by name. */
  readonly seats = new Map<string, MemorySeat>();
  private readonly lanes = new Map<string, Lane>();
  private readonly directory = new Map<string, NamedEntry>();

  constructor(
    readonly name: string,
    readonly limits: NetworkLimits,
  ) {}

  /** @throws EndpointTakenError, RegistryFullError */
  add(seat: MemorySeat): void {
    const { name } = seat.self;
    if (this.seats.has(name)) throw new EndpointTakenError(this.name, name);
    const { maxEndpoints } = this.limits;
    if (this.seats.size >= maxEndpoints)
      throw new RegistryFullError('endpoints', maxEndpoints, 'maxEndpoints');
    this.seats.set(name, seat);
    for (const other of this.seats.values()) {
      if (other === seat) continue;
      if (other.stalled) seat.hearOf(other.self, 'suspect');
      other.hearOf(seat.self, 'up');
    }
  }

  /** The endpoint is gone: what it sent still comes in, what was on the way to it does not. */
  remove(seat: MemorySeat, toWaiting: Error): void {
    this.seats.delete(seat.self.name);
    for (const [name, entry] of this.directory) {
      if (entry.endpoint === seat.self) this.directory.delete(name);
    }
    for (const other of this.seats.values()) {
      const lane = this.lane(seat, other);
      lane.refuse(toWaiting);
      lane.senderIsGone = true;
      other.wake(lane);
      this.lanes.get(key(other, seat))?.refuse(seat.lostError());
      this.lanes.delete(key(other, seat));
    }
  }

  find(endpoint: Endpoint): MemorySeat | undefined {
    const seat = this.seats.get(endpoint.name);
    return seat?.self.incarnation === endpoint.incarnation ? seat : undefined;
  }

  lane(sender: MemorySeat, receiver: MemorySeat): Lane {
    const name = key(sender, receiver);
    let lane = this.lanes.get(name);
    if (lane === undefined) this.lanes.set(name, (lane = new Lane(sender, receiver, this.limits)));
    return lane;
  }

  forget(lane: Lane): void {
    this.lanes.delete(key(lane.sender, lane.receiver));
  }

  lanesFrom(seat: MemorySeat): Lane[] {
    return [...this.lanes.values()].filter(({ sender }) => sender === seat);
  }

  lanesTo(seat: MemorySeat): Lane[] {
    return [...this.lanes.values()].filter(({ receiver }) => receiver === seat);
  }

  tellOthers(about: MemorySeat, state: PeerState): void {
    for (const other of this.seats.values()) if (other !== about) other.hearOf(about.self, state);
  }

  peersOf(seat: MemorySeat): Peer[] {
    return [...this.seats.values()]
      .filter((other) => other !== seat)
      .map(({ self, stalled }) => ({ endpoint: self, state: stalled ? 'suspect' : 'up' }));
  }

  /** @throws NameTakenError, NameInvalidError, RegistryFullError */
  claim(name: string, about: string, endpoint: Endpoint): void {
    const { maxNames, maxNameBytes } = this.limits;
    const bytes = new TextEncoder().encode(name).length;
    if (bytes < 1 || bytes > maxNameBytes) throw new NameInvalidError(name, maxNameBytes);
    const held = this.directory.get(name);
    if (held !== undefined) throw new NameTakenError(name, held.endpoint.name);
    if (this.directory.size >= maxNames) throw new RegistryFullError('names', maxNames, 'maxNames');
    this.directory.set(name, { name, about, endpoint });
  }

  unclaim(name: string, endpoint: Endpoint): void {
    if (this.directory.get(name)?.endpoint === endpoint) this.directory.delete(name);
  }

  locate(name: string): NamedEntry | undefined {
    return this.directory.get(name);
  }

  names(): NamedEntry[] {
    return [...this.directory.values()];
  }
}

function key(sender: MemorySeat, receiver: MemorySeat): string {
  return `${sender.self.incarnation} ${receiver.self.incarnation}`;
}
