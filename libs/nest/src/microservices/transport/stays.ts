import type { PeerState, TransportStatistics } from '@nestjs-orchestrator/core/ports';
import type { Place } from './place.js';
import type { EndpointStatistics } from './statistics.js';

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
