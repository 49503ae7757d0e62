import type { Cancellable, Clock } from '../../../ports/clock.js';

/** Milliseconds without an answer after which a question is asked again, and the longest pause; each is twice the one before. */
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 60_000;

/** A question, under each of the numbers that it was asked by. */
interface Asked {
  readonly to: string;
  readonly numbers: number[];
  readonly resolve: (found: unknown) => void;
  readonly reject: (error: Error) => void;
  timer: Cancellable | undefined;
}

/** One time that it was asked; a list comes in parts. */
interface Time {
  readonly asked: Asked;
  readonly parts: unknown[];
}

/** Questions to others. One without an answer is asked again: a server in between may have forgotten it, or its answer. The first answer counts. */
export class Questions {
  private readonly times = new Map<number, Time>();
  private last = 0;

  constructor(private readonly clock: Clock) {}

  /**
   * What is answered.
   *
   * @param to incarnation of whom is asked
   * @param send hands the question of that number over
   */
  ask(to: string, send: (number: number) => void): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.put({ to, numbers: [], resolve, reject, timer: undefined }, send, FIRST_PAUSE_MS);
    });
  }

  answered(from: string, number: number, found: unknown, more: boolean): void {
    const time = this.times.get(number);
    if (time?.asked.to !== from) return;
    const { asked, parts } = time;
    if (Array.isArray(found)) parts.push(...(found as unknown[]));
    if (more) return;
    this.forget(asked);
    asked.resolve(Array.isArray(found) ? parts : found);
  }

  failed(from: string, number: number, error: Error): void {
    const asked = this.times.get(number)?.asked;
    if (asked?.to === from) this.reject(asked, error);
  }

  /** Whoever was asked is gone. */
  lost(to: string, reason: Error): void {
    for (const { asked } of [...this.times.values()]) if (asked.to === to) this.reject(asked, reason);
  }

  /** Nobody is asked any more. */
  close(reason: Error): void {
    for (const { asked } of [...this.times.values()]) this.reject(asked, reason);
  }

  private put(asked: Asked, send: (number: number) => void, pauseMs: number): void {
    const number = (this.last += 1);
    asked.numbers.push(number);
    this.times.set(number, { asked, parts: [] });
    const next = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    asked.timer = this.clock.schedule(pauseMs, () => this.put(asked, send, next));
    send(number);
  }

  private reject(asked: Asked, reason: Error): void {
    this.forget(asked);
    asked.reject(reason);
  }

  private forget({ numbers, timer }: Asked): void {
    timer?.cancel();
    for (const number of numbers) this.times.delete(number);
  }
}
