import { errorText } from '../../errors/error-text.js';
import { TransportClosedError, TransportUnavailableError } from '../../errors/transport-errors.js';
import type {
  FrameLetter,
  LetterRange,
  PartitionedSeat,
  PartitionedTransport,
  PartitionReceiver,
} from '../../ports/partitioned-transport.js';
import type { Endpoint } from '../../ports/transport.js';
import { LastingPlace } from '../cluster/lasting-place.js';
import { durableCluster } from './durable-cluster.js';
import type { DurableSettings } from './durable-options.js';

/** The place of a process among those that run durable machines of one group: where their events are put, and answers come in. It is not lost for good ({@link LastingPlace}). */
export class DurablePlace {
  private readonly place: LastingPlace<PartitionedSeat>;

  constructor(
    private readonly transport: PartitionedTransport,
    private readonly settings: DurableSettings,
    /** Each group, and each tenant of it, has partitions of its own: an owner knows the group's definitions, and its store is the tenant's. */
    private readonly group: string,
    /** undefined: this process only sends to the group. */
    receiver: PartitionReceiver | undefined,
    private readonly onAnswer: (frame: Uint8Array) => void,
    private readonly closedError: () => Error,
  ) {
    const { name, clock, logger, giveBackMs } = settings;
    const cluster = durableCluster(settings);
    this.place = new LastingPlace<PartitionedSeat>({
      clock,
      pauseMs: giveBackMs,
      take: () =>
        transport.join(
          { cluster, endpoint: name, clock, logger },
          { onFrame: (_from, frame) => onAnswer(frame), onPeer: () => undefined },
        ),
      ...(receiver === undefined ? {} : { enter: (seat) => seat.serve(receiver) }),
      found: (_seat, again) => {
        if (again) logger.warn('This process has joined its cluster again', { cluster, endpoint: name });
      },
      failed: (error) =>
        logger.warn(
          `This process could not join its cluster again; tried once more: ${errorText(error).message}`,
          { cluster },
        ),
      closedError,
    });
  }

  get self(): Endpoint | undefined {
    return this.place.latest?.self;
  }

  /** Bytes of the largest frame. */
  get maxFrameBytes(): number {
    return this.place.latest?.maxFrameBytes ?? 0;
  }

  /** Whether it is being found again after others had declared this process dead. */
  get isAway(): boolean {
    return this.place.isAway;
  }

  /** @throws what `Transport.join` and `PartitionedSeat.serve` throw; what `closedError` makes where it is left meanwhile (as rejections). Nothing is left behind then */
  async join(): Promise<void> {
    await this.place.begin();
  }

  /**
   * Settles when the transport's server has it. Once more where the place was lost meanwhile: a repeat is known by the id of its message. Machines that wake while
   * the place is being entered send as well, so it may go as soon as there is one.
   *
   * @throws what `closedError` makes where it was left (as rejections)
   */
  publish(machine: string, frame: (self: Endpoint) => Uint8Array): Promise<void> {
    return this.place.within((seat) => seat.publish(`${this.group}/${machine}`, frame(seat.self)), 'taken');
  }

  get partitions(): number {
    return this.transport.partitions;
  }

  /** The partition of a name. @throws TransportUnavailableError, what `closedError` makes */
  partitionOf(name: string): number {
    return this.seatNow().partitionOf(name);
  }

  /** As those of the seat. @throws TransportUnavailableError, what `closedError` makes (as rejections) */
  letters(limit: number, of?: LetterRange): Promise<readonly FrameLetter[]> {
    return this.atSeat((seat) => seat.letters(limit, of));
  }

  /** As that of the seat. @throws TransportUnavailableError, what `closedError` makes (as rejections) */
  settle(letter: Pick<FrameLetter, 'letter' | 'partition'>, how: 'replay' | 'discard'): Promise<boolean> {
    return this.atSeat((seat) => seat.settleLetter(letter, how));
  }

  private async atSeat<T>(work: (seat: PartitionedSeat) => Promise<T>): Promise<T> {
    try {
      return await work(this.seatNow());
    } catch (error) {
      if (!(error instanceof TransportClosedError)) throw error;
      throw this.place.isLeft ? this.closedError() : this.awayError();
    }
  }

  private seatNow(): PartitionedSeat {
    const { present, latest, isLeft } = this.place;
    if (isLeft || latest === undefined) throw this.closedError();
    if (present === undefined) throw this.awayError();
    return present;
  }

  private awayError(): Error {
    const text =
      'this process has lost its place in the cluster, and is coming back. Ask again a little later.';
    return new TransportUnavailableError(this.transport.type, text);
  }

  /** At most once: who does not get it asks again with the same id. */
  answer(to: Endpoint, frame: Uint8Array): void {
    try {
      if (to.incarnation === this.self?.incarnation) this.onAnswer(frame);
      else this.place.latest?.trySend(to, frame);
    } catch (error) {
      this.settings.logger.debug('An answer reached nobody', { endpoint: to.name, error: String(error) });
    }
  }

  /** Gives back in peace what this process owns. */
  leave(): Promise<void> {
    return this.place.leave();
  }
}
