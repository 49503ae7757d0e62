import { Pump } from '../../bus/relay/pump.js';
import type { Clock } from '../../ports/clock.js';
import type { InstanceStore, LoadRequest } from '../../ports/instance-store.js';
import type { Logger } from '../../ports/logger.js';
import type { InstanceRef, StoredInstance } from '../../ports/records.js';

/** Hints of other nodes come in bursts: one look for all that come within this many milliseconds. */
const GATHER_MS = 20;
/** Instances looked at by one statement. */
const BATCH = 200;

/** Somebody who watches one instance. */
export interface Watch {
  readonly at: Omit<LoadRequest, 'messageId'>;
  /** Called with the instance as it stands; again after each change that was heard of, and now and then. */
  readonly look: (instance: StoredInstance | null) => void | Promise<void>;
  /** The node stops. */
  readonly stopped: () => void;
}

/** What watching needs of its node. */
export interface WatchPorts {
  readonly store: InstanceStore;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly pollIntervalMs: number;
}

/**
 * Watches instances: looks at once when this node has committed one, soon after a hint of the store, and at every poll, since hints get lost and
 * some commits give none. Costs nothing while nobody watches.
 */
export class InstanceWaits {
  private readonly watches = new Set<Watch>();
  /** To be looked at by the next round; `all` after a hint or a poll. */
  private touched: Set<Watch> | 'all' = 'all';
  private readonly pump: Pump;
  private stopped = false;

  constructor(private readonly ports: WatchPorts) {
    this.pump = new Pump(
      ports.clock,
      ports.pollIntervalMs,
      () => this.round(),
      (error) => {
        this.touched = 'all';
        ports.logger.warn('Looking at awaited sagas failed; trying again', {
          error: String(error),
        });
      },
    );
  }

  /** Watches until the function that it returns is called. */
  add(watch: Watch): () => void {
    if (this.stopped) {
      watch.stopped();
      return () => {};
    }
    if (this.watches.size === 0) this.pump.start();
    this.watches.add(watch);
    this.touch(watch);
    return () => {
      this.watches.delete(watch);
      if (this.watches.size === 0) this.pump.stop();
    };
  }

  /** This node has changed an instance. */
  changed(ref: InstanceRef): void {
    for (const watch of this.watches) if (concerns(watch, ref)) this.touch(watch);
  }

  /** Another node may have changed something. */
  hint(): void {
    if (this.watches.size === 0) return;
    this.touched = 'all';
    this.pump.within(GATHER_MS);
  }

  stop(): void {
    this.stopped = true;
    this.pump.stop();
    for (const watch of this.watches) watch.stopped();
    this.watches.clear();
  }

  /** Settles when no look is under way. */
  idle(): Promise<void> {
    return this.pump.idle();
  }

  private touch(watch: Watch): void {
    if (this.touched !== 'all') this.touched.add(watch);
    this.pump.hint();
  }

  private async round(): Promise<null> {
    const round = [...(this.touched === 'all' ? this.watches : this.touched)];
    // A round that nothing touched is a poll.
    this.touched = new Set();
    const looked = round.length === 0 ? [...this.watches] : round;
    const failures: unknown[] = [];
    for (let i = 0; i < looked.length; i += BATCH)
      failures.push(...(await this.look(looked.slice(i, i + BATCH))));
    if (failures.length > 0) throw failures[0];
    return null;
  }

  /** Looks at each of them, whatever becomes of the others; gives what went wrong. */
  private async look(watches: readonly Watch[]): Promise<readonly unknown[]> {
    const { store, clock } = this.ports;
    const requests = watches.map(({ at }) => ({ ...at, messageId: '' }));
    const results = await store.load(requests, { now: clock.storeNow() });
    const looks = await Promise.allSettled(
      watches.map(async (watch, i) => {
        if (this.watches.has(watch)) await watch.look(results[i]?.instance ?? null);
      }),
    );
    return looks.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []));
  }
}

/** An instance that is watched by its key may be any of its saga and tenant. */
function concerns({ at }: Watch, ref: InstanceRef): boolean {
  if (at.saga !== ref.saga || at.tenant !== ref.tenant) return false;
  return 'key' in at.by || at.by.id === ref.id;
}
