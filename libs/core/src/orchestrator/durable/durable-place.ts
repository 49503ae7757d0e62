import { TransportClosedError } from '../../errors/transport-errors.js';
import type {
  PartitionedSeat,
  PartitionedTransport,
  PartitionReceiver,
} from '../../ports/partitioned-transport.js';
import type { Endpoint } from '../../ports/transport.js';
import type { DurableSettings } from './durable-options.js';

/** The place of a process among those that run durable machines of one group: where their events are put, and answers come in. */
export class DurablePlace {
  private seat: PartitionedSeat | undefined;
  private rejoining: Promise<void> | undefined;
  private leaving: Promise<void> | undefined;

  constructor(
    private readonly transport: PartitionedTransport,
    private readonly settings: DurableSettings,
    /** Each group has partitions of its own: an owner knows the group's definitions. */
    private readonly group: string,
    /** undefined: this process only sends to the group. */
    private readonly receiver: PartitionReceiver | undefined,
    private readonly onAnswer: (frame: Uint8Array) => void,
    private readonly closedError: () => Error,
  ) {}

  get self(): Endpoint | undefined {
    return this.seat?.self;
  }

  /** Bytes of the largest frame. */
  get maxFrameBytes(): number {
    return this.seat?.maxFrameBytes ?? 0;
  }

  /** Whether it is being found again after others had declared this process dead. */
  get isAway(): boolean {
    return this.rejoining !== undefined;
  }

  async join(): Promise<void> {
    const { cluster, name, clock, logger } = this.settings;
    const seat = await this.transport.join(
      { cluster: `${cluster}/${this.group}`, endpoint: name, clock, logger },
      { onFrame: (_from, frame) => this.onAnswer(frame), onPeer: () => undefined },
    );
    this.seat = seat;
    void seat.closed.then(() => {
      if (this.leaving === undefined) this.rejoining = this.joinAgain();
    });
    if (this.receiver !== undefined) await seat.serve(this.receiver);
  }

  /** Settles when the transport's server has it. Once more where the place was lost meanwhile: a repeat is known by the id of its message. */
  async publish(machine: string, frame: (self: Endpoint) => Uint8Array): Promise<void> {
    for (;;) {
      await this.rejoining;
      const { seat } = this;
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

  /** At most once: who does not get it asks again with the same id. */
  answer(to: Endpoint, frame: Uint8Array): void {
    try {
      if (this.seat !== undefined && to.incarnation === this.seat.self.incarnation) this.onAnswer(frame);
      else this.seat?.trySend(to, frame);
    } catch (error) {
      this.settings.logger.debug('An answer reached nobody', { endpoint: to.name, error: String(error) });
    }
  }

  /** Gives back in peace what this process owns. */
  leave(): Promise<void> {
    return (this.leaving ??= this.leaveNow());
  }

  private async leaveNow(): Promise<void> {
    await this.rejoining;
    await this.seat?.leave();
  }

  /** Others have declared this process dead, since it stood still for too long: it comes back as another incarnation. */
  private async joinAgain(): Promise<void> {
    const { clock, giveBackMs, logger } = this.settings;
    while (this.leaving === undefined) {
      try {
        await this.join();
        break;
      } catch (error) {
        logger.warn('This process could not join its cluster again; tried once more', {
          error: String(error),
        });
        await new Promise<void>((resolve) => void clock.schedule(giveBackMs, resolve));
      }
    }
    this.rejoining = undefined;
  }
}
