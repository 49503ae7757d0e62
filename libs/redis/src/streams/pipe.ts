import { StoreUnavailableError } from '@nestjs-orchestrator/core';
import type { Cancellable, Clock } from '@nestjs-orchestrator/core/ports';
import type { Connection } from '../connection/connection.js';
import type { Call } from '../connection/script.js';

/** Somebody with one script call at a time: what gathers while it is under way goes into the next one. */
export interface Caller {
  /** The next call; undefined: nothing to say. Called again after `lost`, it gives the same call again. */
  next(): Call | undefined;
  answered(answer: unknown): void;
}

const RETRY_MS = 50;

/** Sends the calls of many callers together, each caller's one after the other. While the server is away they wait. */
export class Pipe {
  private readonly ready = new Set<Caller>();
  private readonly underWay = new Set<Caller>();
  private scheduled = false;
  private closed = false;
  private pause: Cancellable | undefined;
  private readonly idle: (() => void)[] = [];

  constructor(
    private readonly connection: Connection,
    private readonly clock: Clock,
  ) {
    connection.connectedAgain(() => this.goOn());
  }

  /** Says that a caller has something. */
  add(caller: Caller): void {
    if (this.closed) return;
    this.ready.add(caller);
    this.schedule();
  }

  /** Settles when nothing is to be said any more. */
  async flushed(): Promise<void> {
    if (this.closed || (this.ready.size === 0 && this.underWay.size === 0)) return;
    await new Promise<void>((resolve) => this.idle.push(resolve));
  }

  close(): void {
    this.closed = true;
    this.pause?.cancel();
    this.tellIdle();
  }

  private schedule(): void {
    if (this.scheduled || this.pause !== undefined) return;
    this.scheduled = true;
    queueMicrotask(() => {
      this.scheduled = false;
      this.flush();
    });
  }

  private flush(): void {
    const callers: Caller[] = [];
    const calls: Call[] = [];
    for (const caller of this.ready) {
      if (this.underWay.has(caller)) continue;
      this.ready.delete(caller);
      const call = caller.next();
      if (call === undefined) continue;
      callers.push(caller);
      calls.push(call);
    }
    if (calls.length > 0) void this.send(callers, calls);
    else if (this.underWay.size === 0) this.tellIdle();
  }

  private async send(callers: readonly Caller[], calls: readonly Call[]): Promise<void> {
    for (const caller of callers) this.underWay.add(caller);
    let answers: readonly unknown[];
    try {
      answers = await this.connection.runAll(calls);
    } catch (error) {
      answers = callers.map(() => error);
    }
    callers.forEach((caller, n) => {
      this.underWay.delete(caller);
      if (this.closed) return;
      if (answers[n] instanceof StoreUnavailableError) this.again(caller);
      else caller.answered(answers[n]);
    });
    if (this.ready.size > 0) this.schedule();
    else if (this.underWay.size === 0) this.tellIdle();
  }

  private again(caller: Caller): void {
    this.ready.add(caller);
    this.pause ??= this.clock.schedule(RETRY_MS, () => this.goOn());
  }

  private goOn(): void {
    this.pause?.cancel();
    this.pause = undefined;
    if (this.ready.size > 0) this.schedule();
  }

  private tellIdle(): void {
    for (const tell of this.idle.splice(0)) tell();
  }
}
