import type { PeerState, TransportStatistics } from '@nestjs-orchestrator/core/ports';
import type { Place } from './place.js';

/**
 * `none`: it has not begun, or was closed. `taken`: it has its place at the transport. `lost`: its place is gone; a server looks for another one by itself, a client
 * with its next packet.
 */
export type PlaceState = 'none' | 'taken' | 'lost';

/** How a server or client stands. */
export interface EndpointStatistics {
  readonly service: string;
  /** Kind of the transport: `shared-memory`, `named-pipe`, … */
  readonly transport: string;
  /** Its name among the endpoints of the service. */
  readonly endpoint: string;
  readonly place: PlaceState;
  /** How often it has found a place again after it had lost one. */
  readonly rejoins: number;
  /** Names of the other endpoints of the service that take frames. */
  readonly up: readonly string[];
  /** Names of those that hold their place and do not move: what is sent to them waits. */
  readonly suspect: readonly string[];
  /** Bytes of memory for packets that have come in part. */
  readonly halfBytes: number;
  /** Of all its places so far; those that tell how it is now, of this one. */
  readonly frames: TransportStatistics;
}

/** How a `TransportServer` stands. */
export interface TransportServerStatistics extends EndpointStatistics {
  readonly role: 'server';
  /** Packets that handlers have not taken up or, for events, not done. */
  readonly inHand: number;
  /** Requests whose last answer has not gone out. */
  readonly unanswered: number;
}

/** How a `TransportClient` stands. */
export interface TransportClientStatistics extends EndpointStatistics {
  readonly role: 'client';
  /** Names of the servers it knows. */
  readonly servers: readonly string[];
  /** Requests without their last answer. */
  readonly requests: number;
  /** Events that were not acknowledged. */
  readonly events: number;
}

const NOTHING: TransportStatistics = {
  framesSent: 0,
  framesReceived: 0,
  bytesSent: 0,
  bytesReceived: 0,
  refused: 0,
  waiting: 0,
  corrupt: 0,
  peers: 0,
};

/** The places of one server or client, one after the other. */
export class Stays {
  current: Place | undefined = undefined;
  private former = NOTHING;
  private joins = 0;
  private isLost = false;

  began(place: Place): void {
    this.current = place;
  }

  /** The others can find it there. */
  settled(): void {
    this.joins += this.isLost ? 1 : 0;
    this.isLost = false;
  }

  /** It was left, or could not be kept. */
  ended(): void {
    const { current } = this;
    this.current = undefined;
    if (current === undefined) return;
    const { framesSent, framesReceived, bytesSent, bytesReceived, refused, corrupt } =
      this.framesWith(current);
    this.former = { ...NOTHING, framesSent, framesReceived, bytesSent, bytesReceived, refused, corrupt };
  }

  /** It is gone against our will. */
  lost(): void {
    this.ended();
    this.isLost = true;
  }

  closed(): void {
    this.ended();
    this.isLost = false;
  }

  statistics(): Omit<EndpointStatistics, 'service' | 'transport' | 'endpoint'> {
    const { current } = this;
    const peers = current?.seat.peers() ?? [];
    const named = (wanted: PeerState): string[] =>
      peers.filter(({ state }) => state === wanted).map(({ endpoint }) => endpoint.name);
    return {
      place: current === undefined ? (this.isLost ? 'lost' : 'none') : 'taken',
      rejoins: this.joins,
      up: named('up'),
      suspect: named('suspect'),
      halfBytes: current?.halfBytes ?? 0,
      frames: current === undefined ? this.former : this.framesWith(current),
    };
  }

  private framesWith({ seat }: Place): TransportStatistics {
    const now = seat.statistics();
    const { former } = this;
    return {
      ...now,
      framesSent: former.framesSent + now.framesSent,
      framesReceived: former.framesReceived + now.framesReceived,
      bytesSent: former.bytesSent + now.bytesSent,
      bytesReceived: former.bytesReceived + now.bytesReceived,
      refused: former.refused + now.refused,
      corrupt: former.corrupt + now.corrupt,
    };
  }
}
