import type { Endpoint, FrameReceiver, JoinOptions, Transport, TransportSeat } from './transport.js';

/** A partition in the hands of one owner. */
export interface OwnedPartition {
  readonly partition: number;
  /** Owner epoch: grows with each owner and never repeats. What a former owner says under an older one is refused. */
  readonly epoch: number;
}

/** A frame that waits in a partition until its owner is done with it. */
export interface PartitionedFrame {
  /** Its place in the partition, the same at each delivery. */
  readonly id: string;
  /** The name it was published to. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** 1 for the first time; counts deliveries that failed, or whose owner died. */
  readonly attempts: number;
}

/** Gives a frame back: it is no failure, it is just not this owner's yet. Frames of the same name wait behind it. */
export interface GivenBack {
  readonly retryInMs: number;
}

/** Gives a frame up at once, since it would fail each time: it becomes a dead letter with that reason. */
export interface GivenUp {
  readonly deadLetter: string;
  /** What was thrown, where something was; stays in this process, and comes back with `onLetter`. */
  readonly cause?: unknown;
}

/**
 * Why a partition goes: given away in peace, when all that was handed over is done; or gone already, since another owner has it or this endpoint's
 * lease is over.
 */
export type PartitionLoss = 'handed-over' | 'fenced';

/** What a transport calls about the partitions that this endpoint owns. */
export interface PartitionReceiver {
  /** Called before the first frame of the partition; its frames wait until a promise settles. */
  onGained(owned: OwnedPartition): void | Promise<void>;
  /**
   * Called for the frames of a partition in their order; those of one name are handed over without waiting for each other. A frame is gone when
   * its promise settles, and comes again if that rejects: after a pause, and as a dead letter after `maxAttempts`.
   *
   * What fails or is given back must be followed by those of its name that were handed over after it: they come again behind it, in order.
   */
  onFrame(owned: OwnedPartition, frame: PartitionedFrame): void | Promise<void | GivenBack | GivenUp>;
  /** Called when a frame has become a dead letter, which the server has by then: given up by `onFrame`, or after `maxAttempts`. */
  onLetter?(owned: OwnedPartition, frame: PartitionedFrame, why: GivenUp): void;
  /** Called when a partition goes. Before it is handed over, a promise is waited for; nothing of the partition comes in meanwhile. */
  onLost(owned: OwnedPartition, loss: PartitionLoss): void | Promise<void>;
}

/** A frame that was given up, kept until somebody decides. */
export interface FrameLetter {
  /** Names this letter in its partition. */
  readonly letter: string;
  readonly partition: number;
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly reason: string;
  readonly attempts: number;
  /** Milliseconds since the epoch, by the server's clock. */
  readonly at: number;
}

/** Which letters: those of a partition, behind one of them or from the beginning. */
export type LetterRange = Pick<FrameLetter, 'partition'> & Partial<Pick<FrameLetter, 'letter'>>;

/**
 * A transport with a server in the middle: beside frames between endpoints, which are gone with their receiver, it keeps frames for *names*. Each name
 * falls into one of a fixed number of partitions, and each partition has one owner at a time among the endpoints that serve. An owner that dies
 * is followed by another, who gets everything that was not done, in order.
 */
export interface PartitionedTransport extends Transport {
  /** The same in every process of a cluster. */
  readonly partitions: number;
  join(options: JoinOptions, receiver: FrameReceiver): Promise<PartitionedSeat>;
}

/** An endpoint's place in a cluster with partitions. */
export interface PartitionedSeat extends TransportSeat {
  /** As in `TransportSeat`; always there, since a lease may end. */
  readonly closed: Promise<void>;
  /** The partition of a name. */
  partitionOf(name: string): number;
  /**
   * Puts a frame into the partition of a name; settles when the server has it. In order per sender and name, once for each call. While the
   * server is away it waits.
   *
   * @throws PartitionFullError, FrameTooLargeError, NameInvalidError, TransportClosedError, the signal's reason (as rejections). An abort does not
   * take back what was sent already.
   */
  publish(name: string, frame: Uint8Array, signal?: AbortSignal): Promise<void>;
  /**
   * Takes part in owning partitions from now on, until `leave`. Settles when this endpoint has looked once for partitions that are free.
   *
   * @throws TransportClosedError; a second call with TypeError (as rejections)
   */
  serve(receiver: PartitionReceiver): Promise<void>;
  /** What this endpoint owns at present. */
  owned(): readonly OwnedPartition[];
  /** Who owns the partition of a name; undefined: nobody at the moment. */
  ownerOf(name: string): Promise<Endpoint | undefined>;
  /**
   * Frames that were given up, oldest first, of all partitions or of one, there from the beginning or behind a letter. `limit`: of each; default 100.
   *
   * @throws TransportClosedError, TransportUnavailableError (as rejections)
   */
  letters(limit?: number, of?: LetterRange): Promise<readonly FrameLetter[]>;
  /**
   * Puts a letter back at the end of its partition (`replay`), or forgets it: once, whoever else does so at the same time. `false`: there is no such letter (any
   * more).
   *
   * @throws TransportClosedError; TransportUnavailableError, after which it may be settled or not (as rejections)
   */
  settleLetter(
    letter: Pick<FrameLetter, 'letter' | 'partition'>,
    how: 'replay' | 'discard',
  ): Promise<boolean>;
}
