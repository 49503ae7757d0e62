import type { Cancellable, GivenUp, PartitionedFrame } from '@nestjs-orchestrator/core/ports';
import type { OpenEntry } from './progress.js';

/** A frame of a partition in the hands of its feed. */
export interface Item {
  /** That of its entry, and its place in it. */
  readonly id: string;
  readonly entry: OpenEntry;
  /** Grows along the stream. */
  readonly order: number;
  readonly name: string;
  readonly bytes: Buffer;
  isDone: boolean;
  /** Deliveries that failed, or whose owner died. */
  failures: number;
  /** The present delivery is counted on the server already. */
  counted: boolean;
}

/** The frames of one name: what is under way, and what waits since one of them failed or was given back. */
export interface Lane {
  out: number;
  waiting: Item[];
  pauseMs: number;
  timer: Cancellable | undefined;
}

/** Why an entry that somebody else has written is given up. */
export const UNREADABLE: GivenUp = { deadLetter: 'It holds no frames of this library.' };

export function itemOf(given: Pick<Item, 'id' | 'entry' | 'order' | 'name' | 'bytes'>, failures = 0): Item {
  return { ...given, isDone: false, failures, counted: false };
}

export function frameOf({ id, name, bytes }: Item, attempts: number): PartitionedFrame {
  return { id, name, bytes, attempts };
}
