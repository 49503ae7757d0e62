import type { TransportSeat } from '@nestjs-orchestrator/core/ports';

/** A frame that was kept for whoever serves. */
export interface KeptFrame {
  readonly bytes: Uint8Array;
}

/** A place at a transport that keeps frames until somebody has done its work on them, as `redisStreams` does. */
export interface KeepingSeat extends TransportSeat {
  publish(name: string, frame: Uint8Array, signal?: AbortSignal): Promise<void>;
  serve(receiver: {
    onGained(): void;
    /** The frame is gone when this settles, and comes again where it rejects. */
    onFrame(owned: unknown, frame: KeptFrame): Promise<void>;
    onLost(): void;
  }): Promise<void>;
}

export function keeps(seat: TransportSeat): seat is KeepingSeat {
  const { publish, serve } = seat as Partial<KeepingSeat>;
  return typeof publish === 'function' && typeof serve === 'function';
}
