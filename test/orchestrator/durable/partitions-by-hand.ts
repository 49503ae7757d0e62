import { EndpointTakenError, TransportClosedError } from '@nestjs-orchestrator/core';
import type {
  Endpoint,
  JoinOptions,
  PartitionedFrame,
  PartitionedSeat,
  PartitionedTransport,
  PartitionReceiver,
} from '@nestjs-orchestrator/core/ports';

/** So many refusals in a row are somebody who asks without a pause. */
const TOO_OFTEN = 1_000;

/** A place in a cluster of one whose transport does what a test says: it begins to serve when it is let, or can't, and is declared dead on demand. */
export class SeatByHand implements PartitionedSeat {
  readonly maxFrameBytes = 1_000_000;
  readonly closed: Promise<void>;
  readonly published: string[] = [];
  /** What was published, as an owner of the partition gets it. */
  readonly frames: PartitionedFrame[] = [];
  /** Who takes part in owning the partition. */
  receiver: PartitionReceiver | undefined;
  isOpen = true;
  isServing = false;
  private tellClosed!: () => void;
  private begin: { readonly resolve: () => void; readonly reject: (error: Error) => void } | undefined;
  private refusals = 0;

  constructor(
    readonly self: Endpoint,
    private readonly options: JoinOptions,
  ) {
    this.closed = new Promise((resolve) => (this.tellClosed = resolve));
  }

  /** Others have declared it dead. */
  die(): void {
    this.isOpen = false;
    this.tellClosed();
  }

  serve(receiver: PartitionReceiver): Promise<void> {
    this.receiver = receiver;
    return new Promise((resolve, reject) => (this.begin = { resolve, reject }));
  }

  /** It has looked for partitions, whether it lives or not. */
  letServe(): void {
    this.isServing = this.isOpen;
    this.begin?.resolve();
  }

  refuseToServe(error: Error = this.refusal()): void {
    this.begin?.reject(error);
  }

  publish(name: string, bytes: Uint8Array): Promise<void> {
    if (this.isOpen) {
      this.published.push(name);
      this.frames.push({ id: `${this.frames.length + 1}`, name, bytes: bytes.slice(), attempts: 1 });
      return Promise.resolve();
    }
    this.refusals += 1;
    return Promise.reject(this.refusals > TOO_OFTEN ? new Error('asked without a pause') : this.refusal());
  }

  leave(): Promise<void> {
    this.die();
    return Promise.resolve();
  }

  private refusal(): Error {
    return new TransportClosedError(this.options.cluster, this.self.name);
  }

  trySend(): boolean {
    return true;
  }
  send(): Promise<void> {
    return Promise.resolve();
  }
  claim(): Promise<void> {
    return Promise.resolve();
  }
  unclaim(): Promise<void> {
    return Promise.resolve();
  }
  locate(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
  names(): Promise<[]> {
    return Promise.resolve([]);
  }
  peers(): [] {
    return [];
  }
  statistics() {
    const none = { framesSent: 0, framesReceived: 0, bytesSent: 0, bytesReceived: 0 };
    return { ...none, refused: this.refusals, waiting: 0, corrupt: 0, peers: 0 };
  }
  partitionOf(): number {
    return 0;
  }
  owned(): [] {
    return [];
  }
  ownerOf(): Promise<undefined> {
    return Promise.resolve(undefined);
  }
  letters(): Promise<[]> {
    return Promise.resolve([]);
  }
  settleLetter(): Promise<boolean> {
    return Promise.resolve(false);
  }
}

/** Gives one place at a time, as a name has one live holder. */
export class PartitionsByHand implements PartitionedTransport {
  readonly type = 'by-hand';
  readonly partitions = 1;
  readonly seats: SeatByHand[] = [];
  /** Times that the name was asked for while somebody had it. */
  taken = 0;
  /** Joins that fail from now on. */
  refusals = 0;

  join(options: JoinOptions): Promise<SeatByHand> {
    if (this.refusals > 0) {
      this.refusals -= 1;
      return Promise.reject(new Error('the door is shut'));
    }
    if (this.last?.isOpen === true) {
      this.taken += 1;
      return Promise.reject(new EndpointTakenError(options.cluster, options.endpoint));
    }
    const seat = new SeatByHand({ name: options.endpoint, incarnation: `${this.seats.length + 1}` }, options);
    this.seats.push(seat);
    return Promise.resolve(seat);
  }

  get last(): SeatByHand | undefined {
    return this.seats.at(-1);
  }

  /** The place of that number, which must be there. */
  seat(number: number): SeatByHand {
    const seat = this.seats[number - 1];
    if (seat === undefined) throw new Error(`There were ${this.seats.length} places only.`);
    return seat;
  }
}
