import type { Snapshot } from '@nestjs-orchestrator/statechart';
import { WaitTimeoutError } from '../errors.js';
import type { WaitOptions } from '../machine-ref.js';
import type { Cancellable } from '../../ports/clock.js';
import type { MachineInstance } from './machine-instance.js';

type Holds = (snapshot: Snapshot) => boolean;

/** Somebody who waits for a machine to be somewhere. */
export class StateWait {
  readonly promise: Promise<Snapshot>;
  private resolve!: (snapshot: Snapshot) => void;
  private reject!: (error: unknown) => void;
  private timer: Cancellable | undefined = undefined;
  private readonly signal: AbortSignal | undefined;

  constructor(
    private readonly owner: MachineInstance,
    private readonly holds: Holds,
    what: string,
    options: WaitOptions,
  ) {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    const { timeoutMs, signal } = options;
    this.signal = signal;
    signal?.addEventListener('abort', this.onAbort, { once: true });
    if (timeoutMs === undefined) return;
    this.timer = owner.core.clock.schedule(timeoutMs, () => {
      owner.core.meters.count('timedOut', owner.kind.id);
      this.fail(new WaitTimeoutError(owner.id, what, timeoutMs));
    });
  }

  /** Looks at a snapshot; a predicate that throws ends the wait with what it threw. */
  look(snapshot: Snapshot): void {
    try {
      if (!this.holds(snapshot)) return;
    } catch (error) {
      this.fail(error);
      return;
    }
    this.leave();
    this.resolve(snapshot);
  }

  fail(error: unknown): void {
    this.leave();
    this.reject(error);
  }

  private readonly onAbort = (): void => this.fail(this.signal?.reason);

  private leave(): void {
    this.timer?.cancel();
    this.signal?.removeEventListener('abort', this.onAbort);
    this.owner.waits?.delete(this);
  }
}
