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

/** How a question is given up. */
export interface QuestionLimits {
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal | undefined;
  /** @param withdrawn it had not left this process */
  readonly late: (withdrawn: boolean) => Error;
}

/** Something that is asked of another process. */
export class PendingQuestion<T> implements Courier {
  readonly promise: Promise<T>;
  private resolve!: (answer: T) => void;
  private reject!: (error: unknown) => void;
  private settled = false;
  private timer: Cancellable | undefined = undefined;
  private posting: Posting | undefined = undefined;
  private withdraw: ((posting: Posting) => void) | undefined = undefined;

  constructor(
    private readonly member: ClusterMember,
    readonly address: string,
    private readonly limits: QuestionLimits,
    private readonly read: (payload: unknown) => T,
    private readonly noticed: (error: Error) => void = () => {},
  ) {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    member.core.pendingRequests += 1;
    limits.signal?.addEventListener('abort', this.onAbort, { once: true });
    if (limits.timeoutMs === undefined) return;
    this.timer = member.core.clock.schedule(limits.timeoutMs, () => {
      member.core.meters.count('timedOut', '');
      this.giveUp((withdrawn) => limits.late(withdrawn));
    });
  }

  /** Under way: `withdraw` takes it back. */
  sent(posting: Posting, withdraw: (posting: Posting) => void): void {
    this.posting = posting;
    this.withdraw = withdraw;
  }

  accepted(): void {}

  ended(error: Error, _event?: EventObject): void {
    if (!this.leave()) return;
    this.noticed(error);
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

  private giveUp(error: (withdrawn: boolean) => unknown): void {
    if (!this.leave()) return;
    const { posting } = this;
    const withdrawn = posting !== undefined && posting.number === 0;
    if (posting !== undefined) this.withdraw?.(posting);
    this.reject(error(withdrawn));
  }

  private readonly onAbort = (): void => this.giveUp(() => this.limits.signal?.reason);

  private leave(): boolean {
    if (this.settled) return false;
    this.settled = true;
    this.timer?.cancel();
    this.limits.signal?.removeEventListener('abort', this.onAbort);
    this.member.core.pendingRequests -= 1;
    return true;
  }
}
