import type { TransportStatistics } from '@nestjs-orchestrator/core/ports';

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
