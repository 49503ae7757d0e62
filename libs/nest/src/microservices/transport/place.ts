import type { LoggerService } from '@nestjs/common';
import { systemClock, type Endpoint, type Peer, type TransportSeat } from '@nestjs-orchestrator/core/ports';
import { NestLogger } from '../../logging/nest-logger.js';
import { Inbox } from './inbox.js';
import { Outbox } from './outbox.js';
import { clusterOf, type ServiceOptions } from './transport-options.js';
import type { WireHead } from './wire.js';

/** What comes in at a place. */
export interface PlaceReceiver {
  /** A whole frame. A promise holds back its sender's next ones. */
  onFrame(from: Endpoint, frame: Uint8Array): void | Promise<void>;
  onPeer(peer: Peer): void;
  /** A packet of so many bytes is above the limit. */
  onTooLarge(from: Endpoint, head: WireHead, bytes: number): void;
  /** A packet did not come whole, and its sender is at fault. */
  onBroken(from: Endpoint, head: WireHead): void;
}

/** What it takes to join. */
export interface PlaceOptions extends Pick<ServiceOptions, 'transport' | 'service'> {
  readonly endpoint: string;
  readonly maxPacketBytes: number;
  readonly logger: LoggerService;
}

/** One stay of a server or client at its transport, over which packets have any size. */
export class Place {
  private readonly outbox: Outbox;

  private constructor(
    readonly seat: TransportSeat,
    private readonly inbox: Inbox,
  ) {
    this.outbox = new Outbox(seat);
  }

  /** @throws as `Transport.join` (as rejections) */
  static async take(options: PlaceOptions, receiver: PlaceReceiver): Promise<Place> {
    const { transport, service, endpoint, maxPacketBytes, logger } = options;
    let place: Place | undefined = undefined as Place | undefined;
    const inbox = new Inbox(maxPacketBytes, {
      tooLarge: (from, head, bytes) => receiver.onTooLarge(from, head, bytes),
      broken: (from, problem, isGap, head) => {
        const about = `A packet of '${from.name}' did not come whole: ${problem}`;
        if (isGap && place?.seat.giveUp !== undefined) {
          place.seat.giveUp(`${about}, which the server may have forgotten`);
          return;
        }
        logger.error(about);
        if (head !== undefined) receiver.onBroken(from, head);
      },
    });
    const seat = await transport.join(
      { cluster: clusterOf(service), endpoint, clock: systemClock, logger: new NestLogger(logger) },
      {
        onFrame: (from, bytes) => {
          const frame = inbox.take(from, bytes);
          return frame === undefined ? undefined : receiver.onFrame(from, frame);
        },
        onPeer: (peer) => {
          if (peer.state === 'lost') inbox.drop(peer.endpoint);
          receiver.onPeer(peer);
        },
      },
    );
    place = new Place(seat, inbox);
    return place;
  }

  /** As that of the seat. */
  get closed(): Promise<void> | undefined {
    return this.seat.closed;
  }

  leave(): Promise<void> {
    return this.seat.leave();
  }

  /** Bytes of memory for packets that have come in part. */
  get halfBytes(): number {
    return this.inbox.heldBytes;
  }

  /**
   * Settles when the transport has all of it; `false`: nobody wanted it any more.
   *
   * @throws as `TransportSeat.send` (as rejections)
   */
  send(to: Endpoint, frame: Uint8Array, isWanted?: () => boolean): Promise<boolean> {
    return this.outbox.send(to, frame, isWanted);
  }

  /** Whether somebody is lost. */
  hasLost({ incarnation }: Endpoint): boolean {
    return this.seat.peers().every(({ endpoint }) => endpoint.incarnation !== incarnation);
  }
}
