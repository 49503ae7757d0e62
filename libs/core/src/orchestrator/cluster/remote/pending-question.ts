import type { EventObject, Snapshot } from '@nestjs-orchestrator/statechart';
import type { Cancellable } from '../../../ports/clock.js';
import type { EventResult } from '../../machine-ref.js';
import type { ClusterMember } from '../cluster-member.js';
import type { Courier } from '../link/in-flight.js';
import type { Posting } from '../link/posting.js';

/** The answer of a machine that turned out to be in this process. */
export class LocalAnswer {
  constructor(readonly result: EventResult) {}

  static of(snapshot: Snapshot): LocalAnswer {
    return new LocalAnswer({ changed: false, snapshot, reply: undefined });
  }
}

/** How long whoever asks waits. */
export interface QuestionLimits {
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/**
 * Something that is asked of another process. What it is and what its answer means is said by methods, not by functions that are made for each: there
 * is one of these for each request.
 */
export abstract class PendingQuestion<T> implements Courier {
  readonly promise: Promise<T>;
  protected readonly timeoutMs: number | undefined;
  private readonly signal: AbortSignal | undefined;
  private resolve!: (answer: T) => void;
  private reject!: (error: unknown) => void;
  private settled = false;
  private timer: Cancellable | undefined = undefined;
  private posting: Posting | undefined = undefined;
  /** Listens to the signal, where there is one. */
  private onAbort: (() => void) | undefined = undefined;

  constructor(
    protected readonly member: ClusterMember,
    { timeoutMs, signal }: QuestionLimits,
  ) {
    this.timeoutMs = timeoutMs;
    this.signal = signal;
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    member.core.pendingRequests += 1;
    if (signal !== undefined) {
      this.onAbort = () => this.giveUp(() => signal.reason);
      signal.addEventListener('abort', this.onAbort, { once: true });
    }
    if (timeoutMs !== undefined) this.timer = member.core.clock.schedule(timeoutMs, () => this.timedOut());
  }

  abstract get address(): string;

  /** What the answer means. */
  protected abstract read(payload: unknown): T;

  /** @param withdrawn it had not left this process */
  protected abstract late(withdrawn: boolean): Error;

  /** Takes it back. */
  protected abstract takeBack(posting: Posting): void;

  /** It was refused, failed, or nobody knows. */
  protected notice(_error: Error): void {}

  /** Under way. */
  sent(posting: Posting): void {
    this.posting = posting;
  }

  accepted(): void {}

  ended(error: Error, _event?: EventObject): void {
    if (!this.leave()) return;
    this.notice(error);
    this.reject(error);
  }

  replied(payload: unknown): void {
    if (!this.leave()) return;
    try {
      this.resolve(this.read(payload));
    } catch (error) {
      this.reject(error);
    }
  }

  /** The step that asked has ended without waiting for the answer. */
  abandon(): void {
    this.promise.catch(() => {});
    this.giveUp(() => new Error('The step that asked has ended.'));
  }

  private timedOut(): void {
    this.member.core.meters.count('timedOut', '');
    this.giveUp((withdrawn) => this.late(withdrawn));
  }

  private giveUp(error: (withdrawn: boolean) => unknown): void {
    if (!this.leave()) return;
    const { posting } = this;
    const withdrawn = posting !== undefined && posting.number === 0;
    if (posting !== undefined) this.takeBack(posting);
    this.reject(error(withdrawn));
  }

  private leave(): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.timer?.cancel();
    if (this.onAbort !== undefined) this.signal?.removeEventListener('abort', this.onAbort);
    this.member.core.pendingRequests -= 1;
    return true;
  }
}
