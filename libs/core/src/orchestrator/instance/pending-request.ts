import type { EventObject, Snapshot } from '@nestjs-orchestrator/statechart';
import { RequestTimeoutError, StepEndedError } from '../errors.js';
import type { EventResult, RequestOptions } from '../machine-ref.js';
import type { Delivery, Waiter } from '../pool/mailbox.js';
import type { Cancellable } from '../../ports/clock.js';
import type { MachineInstance } from './machine-instance.js';

/** Who is told what a request came to: one of the two, once, in the middle of the step that answers. */
export interface Asker {
  answered(result: EventResult): void;
  failed(error: unknown): void;
}

/** Somebody in this process, who holds a promise. */
export class PromisedAnswer implements Asker {
  readonly promise: Promise<EventResult>;
  answered!: (result: EventResult) => void;
  failed!: (error: unknown) => void;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.answered = resolve;
      this.failed = reject;
    });
  }
}

/** A request on its way: in line, in the mailbox, being handled, or settled. */
export class PendingRequest implements Delivery {
  readonly kind = 'request';
  withdrawn = false;
  /** Set where it waits outside of the mailbox. */
  waiter: Waiter | undefined = undefined;
  stage: 'sent' | 'queued' | 'handling' | 'settled' = 'sent';
  /** By which a repeat is known. */
  readonly messageId: string | undefined;
  private readonly timer: Cancellable;
  readonly timeoutMs: number;
  private readonly signal: AbortSignal | undefined;
  /** Listens to the signal, where there is one. */
  private onAbort: (() => void) | undefined = undefined;

  constructor(
    readonly target: MachineInstance,
    readonly event: EventObject,
    /** The machine whose step waits for the answer. */
    readonly asker: MachineInstance | undefined,
    readonly acceptedAt: number,
    options: RequestOptions,
    /** Told of the outcome. */
    private readonly told: Asker,
  ) {
    const { core } = target;
    this.messageId = options.messageId;
    this.timeoutMs = options.timeoutMs ?? core.settings.requestTimeoutMs;
    this.timer = core.clock.schedule(this.timeoutMs, () => this.timedOut());
    this.signal = options.signal;
    if (this.signal !== undefined) {
      this.onAbort = () => this.giveUp(() => this.signal?.reason);
      this.signal.addEventListener('abort', this.onAbort, { once: true });
    }
    core.pendingRequests += 1;
    if (asker !== undefined) (asker.asks ??= []).push(target);
  }

  answer(changed: boolean, snapshot: Snapshot, reply: unknown): void {
    if (this.leave()) this.told.answered({ changed, snapshot, reply });
  }

  /** It had been handled before. */
  repeated(snapshot: Snapshot): void {
    if (this.leave()) this.told.answered({ changed: false, snapshot, reply: undefined, duplicate: true });
  }

  fail(error: unknown): void {
    if (this.leave()) this.told.failed(error);
  }

  /** Gives up: an event that nobody has begun with is taken back. */
  giveUp(error: (withdrawn: boolean) => unknown): void {
    if (this.stage === 'settled') return;
    const withdrawn = this.stage !== 'handling';
    if (this.stage === 'queued') this.target.core.withdraw(this.target, this);
    const { waiter } = this;
    this.target.core.leaveLine(waiter);
    this.fail(error(withdrawn));
    waiter?.leftLine?.();
  }

  /** The step that asked has ended without waiting for the answer. */
  abandon(): void {
    if (this.stage === 'settled') return;
    if (this.told instanceof PromisedAnswer) this.told.promise.catch(() => {});
    this.giveUp(() => new StepEndedError('request', this.asker?.id ?? this.target.id));
  }

  private timedOut(): void {
    const { target, event, timeoutMs } = this;
    target.core.meters.count('timedOut', target.kind.id);
    this.giveUp((withdrawn) => new RequestTimeoutError(target.id, event.type, timeoutMs, withdrawn));
  }

  /** false: it was settled before. */
  private leave(): boolean {
    if (this.stage === 'settled') return false;
    this.stage = 'settled';
    this.timer.cancel();
    if (this.onAbort !== undefined) this.signal?.removeEventListener('abort', this.onAbort);
    this.target.core.pendingRequests -= 1;
    const asks = this.asker?.asks;
    asks?.splice(asks.indexOf(this.target), 1);
    return true;
  }
}

/**
 * The circle that would be closed if `asker` waited for `target`: the machines from the asker to itself; undefined where there is none.
 */
export function cycleOf(asker: MachineInstance, target: MachineInstance): readonly string[] | undefined {
  const path = pathBetween(target, asker, new Set());
  return path === undefined ? undefined : [asker.id, ...path];
}

function pathBetween(
  from: MachineInstance,
  to: MachineInstance,
  seen: Set<MachineInstance>,
): readonly string[] | undefined {
  if (from === to) return [to.id];
  if (seen.has(from)) return undefined;
  seen.add(from);
  for (const next of from.asks ?? []) {
    const path = pathBetween(next, to, seen);
    if (path !== undefined) return [from.id, ...path];
  }
  return undefined;
}
