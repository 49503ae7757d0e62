import { TransportClosedError, TransportUnavailableError } from '../../errors/transport-errors.js';
import type {
  FrameLetter,
  LetterRange,
  PartitionedSeat,
  PartitionedTransport,
  PartitionReceiver,
} from '../../ports/partitioned-transport.js';
import type { Cancellable } from '../../ports/clock.js';
import type { Endpoint } from '../../ports/transport.js';
import { durableCluster } from './durable-cluster.js';
import type { DurableSettings } from './durable-options.js';

/** One stay in the cluster. */
interface Stay {
  readonly seat: PartitionedSeat;
  over: boolean;
}

/** The place of a process among those that run durable machines of one group: where their events are put, and answers come in. */
export class DurablePlace {
  private stay: Stay | undefined;
  /** Settles when it is back, or left. */
  private back: Promise<void> | undefined;
  private pause: { readonly timer: Cancellable; readonly end: () => void } | undefined;
  private leaving: Promise<void> | undefined;

  constructor(
    private readonly transport: PartitionedTransport,
    private readonly settings: DurableSettings,
    /** Each group, and each tenant of it, has partitions of its own: an owner knows the group's definitions, and its store is the tenant's. */
    private readonly group: string,
    /** undefined: this process only sends to the group. */
    private readonly receiver: PartitionReceiver | undefined,
    private readonly onAnswer: (frame: Uint8Array) => void,
    private readonly closedError: () => Error,
  ) {}

  get self(): Endpoint | undefined {
    return this.stay?.seat.self;
  }

  /** Bytes of the largest frame. */
  get maxFrameBytes(): number {
    return this.stay?.seat.maxFrameBytes ?? 0;
  }

  /** Whether it is being found again after others had declared this process dead. */
  get isAway(): boolean {
    return this.back !== undefined;
  }

  /** @throws what `Transport.join` and `PartitionedSeat.serve` throw (as rejections); nothing is left behind then */
  async join(): Promise<void> {
    const stay = await this.take();
    try {
      await this.serve(stay);
    } catch (error) {
      // Declared dead meanwhile: it is on its way back.
      if (this.back === undefined) throw error;
    }
    await this.back;
  }

  /** Settles when the transport's server has it. Once more where the place was lost meanwhile: a repeat is known by the id of its message. */
  async publish(machine: string, frame: (self: Endpoint) => Uint8Array): Promise<void> {
    for (;;) {
      await this.back;
      const seat = this.stay?.seat;
      if (this.leaving !== undefined || seat === undefined) throw this.closedError();
      try {
        await seat.publish(`${this.group}/${machine}`, frame(seat.self));
        return;
      } catch (error) {
        if (!(error instanceof TransportClosedError) || this.leaving !== undefined) throw error;
        await seat.closed;
      }
    }
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
      throw this.leaving === undefined ? this.awayError() : this.closedError();
    }
  }

  private seatNow(): PartitionedSeat {
    const { stay } = this;
    if (this.leaving !== undefined || stay === undefined) throw this.closedError();
    if (this.isAway || stay.over) throw this.awayError();
    return stay.seat;
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
      else this.stay?.seat.trySend(to, frame);
    } catch (error) {
      this.settings.logger.debug('An answer reached nobody', { endpoint: to.name, error: String(error) });
    }
  }

  /** Gives back in peace what this process owns. */
  leave(): Promise<void> {
    return (this.leaving ??= this.leaveNow());
  }

  private async leaveNow(): Promise<void> {
    this.pause?.timer.cancel();
    this.pause?.end();
    await this.back;
    await this.stay?.seat.leave();
  }

  private async take(): Promise<Stay> {
    const { name, clock, logger } = this.settings;
    const seat = await this.transport.join(
      { cluster: durableCluster(this.settings), endpoint: name, clock, logger },
      { onFrame: (_from, frame) => this.onAnswer(frame), onPeer: () => undefined },
    );
    const stay = { seat, over: false };
    this.stay = stay;
    void seat.closed.then(() => this.ended(stay));
    return stay;
  }

  /** Settles too when the place is gone meanwhile. One that can't be used is not kept: its name would be taken. */
  private async serve(stay: Stay): Promise<void> {
    if (this.receiver === undefined) return;
    const { seat } = stay;
    try {
      await Promise.race([seat.serve(this.receiver), seat.closed]);
    } catch (error) {
      if (error instanceof TransportClosedError) await seat.closed;
      else await this.discard(stay);
      throw error;
    }
  }

  private async discard(stay: Stay): Promise<void> {
    stay.over = true;
    await stay.seat.leave();
  }

  private ended(stay: Stay): void {
    if (stay.over) return;
    stay.over = true;
    // One way back at a time: two would want the same name.
    if (this.leaving === undefined) this.back ??= this.comeBack();
  }

  /** Others have declared this process dead, since it stood still for too long: it comes back as another incarnation, as often as that happens on the way. */
  private async comeBack(): Promise<void> {
    const { logger, name } = this.settings;
    const cluster = durableCluster(this.settings);
    while (this.leaving === undefined && this.stay?.over === true) {
      try {
        await this.serve(await this.take());
        if (this.stay.over) continue;
        logger.warn('This process has joined its cluster again', { cluster, endpoint: name });
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        logger.warn(`This process could not join its cluster again; tried once more: ${why}`, { cluster });
        await this.rest();
      }
    }
    // In the same step as the last look: a place that ends after it begins another way back.
    this.back = undefined;
  }

  private async rest(): Promise<void> {
    if (this.leaving !== undefined) return;
    const { clock, giveBackMs } = this.settings;
    await new Promise<void>((resolve) => {
      this.pause = { timer: clock.schedule(giveBackMs, resolve), end: resolve };
    });
    this.pause = undefined;
  }
}
