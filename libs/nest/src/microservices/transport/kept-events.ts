import type { PartitionedFrame, PartitionedSeat, TransportSeat } from '@nestjs-orchestrator/core/ports';

/** Names of events whose order somebody asked for, by their key; others are spread. */
const ORDERED = 'ordered/';
const SPREAD = 'spread/';
/** More names than most clusters have partitions, so that all of them get their share. */
const SPREAD_OVER = 256;

/** Whether a transport keeps frames until somebody has done the work on them, as that of Redis Streams does. */
export function keepsFrames(seat: TransportSeat): seat is PartitionedSeat {
  const { publish, serve } = seat as Partial<PartitionedSeat>;
  return typeof publish === 'function' && typeof serve === 'function';
}

/** The name under which an event is kept. `turn` spreads those without a key. */
export function keptName(key: string | undefined, turn: number): string {
  return key === undefined ? SPREAD + (turn % SPREAD_OVER) : ORDERED + key;
}

/** Handles kept events: those with a key one after the other, and none before one that failed. */
export class KeptEvents {
  private readonly lines = new Map<string, Promise<void>>();

  constructor(private readonly handle: (bytes: Uint8Array) => Promise<void>) {}

  /** Rejects where the event is to come again. */
  take({ name, bytes }: PartitionedFrame): Promise<void> {
    if (!name.startsWith(ORDERED)) return this.handle(bytes);
    const before = this.lines.get(name);
    // Where the one before fails, this one comes again behind it.
    const done = before === undefined ? this.handle(bytes) : before.then(() => this.handle(bytes));
    this.lines.set(name, done);
    const forget = (): void => {
      if (this.lines.get(name) === done) this.lines.delete(name);
    };
    done.then(forget, forget);
    return done;
  }
}
