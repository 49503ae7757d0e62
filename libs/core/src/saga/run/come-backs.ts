import type { Clock } from '../../ports/clock.js';
import type { Random } from '../../ports/ids.js';
import type { Rejection } from '../saga-gate.js';

/** Pause where nobody knows when a message may come again, in milliseconds. */
const UNKNOWN_MS = 1_000;
/** Longest time by which a message comes later than it might, in milliseconds. */
const LONGEST_SPREAD_MS = 60_000;
/** Messages remembered while they are away. */
const MOST_AWAY = 10_000;
/** How long after its time a message that is away counts as gone to another node, in milliseconds. */
const GRACE_MS = 5_000;

interface Away {
  readonly key: string;
  readonly due: number;
}

/**
 * When rejected messages come again. All that wait for one key are told the same instant, at which there will be one token: so they are spread over as many such
 * times as there are others away.
 */
export class ComeBacks {
  private readonly away = new Map<string, Away>();
  private readonly counts = new Map<string, number>();

  constructor(
    private readonly clock: Pick<Clock, 'monotonic'>,
    private readonly random: Random,
  ) {}

  /** Milliseconds until a message that was rejected may come again. */
  pause(id: string, { key, retryAfterMs = UNKNOWN_MS }: Pick<Rejection, 'key' | 'retryAfterMs'>): number {
    const now = this.clock.monotonic();
    this.arrived(id);
    this.giveUpThoseBefore(now - GRACE_MS);
    const others = this.counts.get(key) ?? 0;
    const least = Math.max(1, retryAfterMs);
    const pause = Math.ceil(least + this.random.next() * Math.min(LONGEST_SPREAD_MS, least * others));
    if (this.away.size < MOST_AWAY) {
      this.away.set(id, { key, due: now + pause });
      this.counts.set(key, others + 1);
    }
    return pause;
  }

  /** A message is here again, or done. */
  arrived(id: string): void {
    const away = this.away.get(id);
    if (away === undefined) return;
    this.away.delete(id);
    const others = (this.counts.get(away.key) ?? 1) - 1;
    if (others === 0) this.counts.delete(away.key);
    else this.counts.set(away.key, others);
  }

  private giveUpThoseBefore(instant: number): void {
    for (const [id, { due }] of this.away) {
      if (due >= instant) return;
      this.arrived(id);
    }
  }
}
