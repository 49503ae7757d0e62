import type { PendingRequest } from '../instance/pending-request.js';
import type { Delivery, Waiter } from '../pool/mailbox.js';
import type { GroupCore } from './group-core.js';

/** A plain send that waits for room. */
export class WaitingSend implements Waiter {
  readonly promise: Promise<void>;
  cancelled = false;
  private resolve!: () => void;
  private reject!: (error: unknown) => void;

  constructor(
    private readonly core: GroupCore,
    readonly event: object,
    /** Where a repeat of it is known. */
    readonly delivery: Delivery | undefined,
  ) {
    core.waitingSenders += 1;
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  accepted(): void {
    this.core.waitingSenders -= 1;
    this.core.queued += 1;
    this.resolve();
  }

  refused(error: unknown): void {
    this.core.waitingSenders -= 1;
    this.reject(error);
  }
}

/** A request that waits for room. */
export class WaitingRequest implements Waiter {
  cancelled = false;
  readonly event: object;

  constructor(
    private readonly core: GroupCore,
    readonly delivery: PendingRequest,
  ) {
    core.waitingSenders += 1;
    this.event = delivery.event;
  }

  accepted(): void {
    this.core.waitingSenders -= 1;
    this.core.queued += 1;
    this.delivery.waiter = undefined;
    this.delivery.stage = 'queued';
  }

  refused(error: unknown): void {
    this.core.waitingSenders -= 1;
    this.delivery.waiter = undefined;
    this.delivery.fail(error);
  }
}
