import type { Clock } from '../../ports/clock.js';
import { RequestTimeoutError } from '../errors.js';
import { DurableRequestError } from './durable-errors.js';
import { decodeFrame, type DurableAnswer } from './durable-frame.js';
import type { DurableResult } from './durable-ref.js';

interface Asked {
  readonly resolve: (result: DurableResult) => void;
  readonly reject: (error: unknown) => void;
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
    timeoutMs: number,
    send: (request: number) => Promise<void>,
  ): Promise<DurableResult> {
    const request = (this.last += 1);
    return new Promise<DurableResult>((resolve, reject) => {
      const settle = (how: () => void): void => {
        timer.cancel();
        this.open.delete(request);
        how();
      };
      const timer = this.clock.schedule(timeoutMs, () =>
        settle(() => reject(new RequestTimeoutError(machine, event, timeoutMs, false))),
      );
      this.open.set(request, {
        resolve: (result) => settle(() => resolve(result)),
        reject: (error) => settle(() => reject(error)),
      });
      send(request).catch((error: unknown) => this.open.get(request)?.reject(error));
    });
  }

  answered(bytes: Uint8Array): void {
    const answer = decodeFrame<DurableAnswer>(bytes);
    const asked = answer === undefined ? undefined : this.open.get(answer.request);
    if (answer === undefined || asked === undefined) return;
    if ('error' in answer) asked.reject(new DurableRequestError(answer.error.code, answer.error.message));
    else asked.resolve({ changed: answer.changed, duplicate: answer.duplicate, reply: answer.reply });
  }

  giveUp(error: Error): void {
    for (const { reject } of [...this.open.values()]) reject(error);
  }
}
