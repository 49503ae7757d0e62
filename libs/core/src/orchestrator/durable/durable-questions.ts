import type { Clock } from '../../ports/clock.js';
import { failureFrom } from '../cluster/wire/failure-text.js';
import { RequestTimeoutError } from '../errors.js';
import { DurableRequestError } from './durable-errors.js';
import { decodeFrame, type DurableAnswer, type DurableOutcome } from './durable-frame.js';

interface Asked {
  readonly resolve: (result: DurableOutcome) => void;
  readonly reject: (error: unknown) => void;
}

/** Until when an answer is waited for. */
export interface AskLimits {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Requests of this process that wait for their answers. */
export class DurableQuestions {
  private readonly open = new Map<number, Asked>();
  private last = 0;

  constructor(private readonly clock: Clock) {}

  /** Settles with the answer; `send` gives the question its number away. */
  ask(
    machine: string,
    event: string,
    { timeoutMs, signal }: AskLimits,
    send: (request: number) => Promise<void>,
  ): Promise<DurableOutcome> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const request = (this.last += 1);
    return new Promise<DurableOutcome>((resolve, reject) => {
      const settle = (how: () => void): void => {
        timer.cancel();
        signal?.removeEventListener('abort', aborted);
        this.open.delete(request);
        how();
      };
      const aborted = (): void => settle(() => reject(signal?.reason as Error));
      const timer = this.clock.schedule(timeoutMs, () =>
        settle(() => reject(new RequestTimeoutError(machine, event, timeoutMs, false))),
      );
      signal?.addEventListener('abort', aborted, { once: true });
      this.open.set(request, {
        resolve: (result) => settle(() => resolve(result)),
        reject: (error) => settle(() => reject(error)),
      });
      send(request).catch((error: unknown) => this.open.get(request)?.reject(error));
    });
  }

  /** Answered in this process. */
  settle(request: number, outcome: DurableOutcome): void {
    this.open.get(request)?.resolve(outcome);
  }

  answered(bytes: Uint8Array): void {
    const answer = decodeFrame<DurableAnswer>(bytes);
    const asked = answer === undefined ? undefined : this.open.get(answer.request);
    if (answer === undefined || asked === undefined) return;
    if ('error' in answer) {
      const { code, message, failure } = answer.error;
      const cause = failure === undefined ? undefined : failureFrom(failure);
      asked.reject(new DurableRequestError(code, message, cause));
    } else asked.resolve(answer);
  }

  giveUp(error: Error): void {
    for (const { reject } of [...this.open.values()]) reject(error);
  }
}
