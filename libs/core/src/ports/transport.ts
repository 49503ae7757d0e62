import type { Clock } from './clock.js';
import type { Logger } from './logger.js';

/** One run of one process in a cluster. A process that starts again keeps its name and is another incarnation. */
export interface Endpoint {
  /** Unique among the endpoints that live. */
  readonly name: string;
  /** Never used again: frames for an incarnation that is gone are for nobody. */
  readonly incarnation: string;
}

/**
 * `up`: it takes frames. `suspect`: it holds its place and does not move (stopped, in a debugger); senders to it wait, nothing is given up.
 * `lost`: it is gone and will not come back under this incarnation.
 */
export type PeerState = 'up' | 'suspect' | 'lost';

/** An endpoint as others see it. */
export interface Peer {
  readonly endpoint: Endpoint;
  readonly state: PeerState;
  /** Process id, where the transport knows it; for people. */
  readonly pid?: number;
}

/** A name and who holds it. */
export interface NamedEntry {
  readonly name: string;
  readonly endpoint: Endpoint;
  /** What the holder said about it. */
  readonly about: string;
}

/** What a transport calls when something comes in. */
export interface FrameReceiver {
  /**
   * Called for each frame, in order per sender. The bytes are the receiver's to keep. A promise holds back this sender's next frames until it
   * settles, and nobody else's. It must not throw: what it throws is logged and the frame is gone.
   */
  onFrame(from: Endpoint, frame: Uint8Array): void | Promise<void>;
  /** Called when another endpoint comes, stalls, moves again, or is lost; after the last of its frames. */
  onPeer(peer: Peer): void;
}

/** How an endpoint joins a cluster. */
export interface JoinOptions {
  /** Who has the same name shares the transport: the segment, the directory of sockets, the prefix of keys. */
  readonly cluster: string;
  /** Name of this endpoint. */
  readonly endpoint: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Counters since the endpoint joined; totals over all peers. */
export interface TransportStatistics {
  readonly framesSent: number;
  readonly framesReceived: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Frames that `trySend` did not take, or that `send` let wait. */
  readonly refused: number;
  /** Senders that wait for room at present. */
  readonly waiting: number;
  /** Frames that were thrown away since they did not pass the check sum or the length check. */
  readonly corrupt: number;
  readonly peers: number;
}

/**
 * Moves frames between the processes of a cluster and keeps their directory of names; knows nothing of machines. A frame that was taken comes
 * in whole, once, in order per sender, or its receiver is reported `lost`. Nothing is said about frames that were on the way to a lost one.
 */
export interface Transport {
  /** For people and options: `shared-memory`, `named-pipe`. */
  readonly type: string;
  /**
   * @throws EndpointTakenError (the name is held by a live process), RegistryFullError, TransportUnavailableError (as rejections). After a
   * rejection nothing is left behind.
   */
  join(options: JoinOptions, receiver: FrameReceiver): Promise<TransportSeat>;
}

/** An endpoint's place in a cluster. */
export interface TransportSeat {
  readonly self: Endpoint;
  /** Bytes of the largest frame. */
  readonly maxFrameBytes: number;
  /**
   * Of transports that may take the place of a process that lives: settles when this place is gone, since it was left or given up, or others have declared this endpoint dead. The
   * others were reported lost before. Whoever wants to go on joins again.
   */
  readonly closed?: Promise<void>;
  /**
   * Of transports whose server may forget what it has taken: gives this place up, as if others had declared this endpoint dead. To be called where frames of a sender
   * turn out to be missing; nothing that was open can be finished then. A second call does nothing.
   *
   * @param reason for the log
   */
  giveUp?(reason: string): void;
  /**
   * Hands a frame over; `false` says that there is no room now, or that others wait already, and the frame was not taken. The bytes may be
   * used again when it returns.
   *
   * @throws FrameTooLargeError, PeerLostError, TransportClosedError
   */
  trySend(to: Endpoint, frame: Uint8Array): boolean;
  /**
   * As `trySend`, but settles when there was room; first come, first served. The bytes must not change until then.
   *
   * @throws as `trySend`, and the signal's reason (as rejections)
   */
  send(to: Endpoint, frame: Uint8Array, signal?: AbortSignal): Promise<void>;
  /**
   * Takes a name in the cluster's directory. It is free again when its holder gives it back, leaves or dies.
   *
   * @throws NameTakenError, NameInvalidError (too long), RegistryFullError, TransportClosedError (as rejections)
   */
  claim(name: string, about: string): Promise<void>;
  /** Gives a name back; nothing where it is not one's own. */
  unclaim(name: string): Promise<void>;
  /** Who holds a name now. Where that one lives it is a peer from then on, and takes frames, even if nothing else was heard of it. */
  locate(name: string): Promise<NamedEntry | undefined>;
  /** Every name that is held; as `locate`. */
  names(): Promise<readonly NamedEntry[]>;
  /** The other endpoints that are not lost. */
  peers(): readonly Peer[];
  statistics(): TransportStatistics;
  /** Gives the place back: others see this endpoint as lost. A second call settles with the first. */
  leave(): Promise<void>;
}
