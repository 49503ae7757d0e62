import type { Cancellable, Clock } from '../../ports/clock.js';
import { millisecondsFor, type TokenUnits } from '../limiter/token-units.js';
import type { TakeAnswer } from './bucket-store.js';

/** One call of `acquire` on its way to its tokens. */
interface Waiter {
  readonly units: number;
  readonly cost: number;
  /** End of its wait, in milliseconds of the clock. */
  readonly deadline: number;
  /** Whether it was told to wait; before that, nobody has asked for it. */
  queued: boolean;
  settle(error?: unknown): void;
}

interface Line {
  readonly key: string | undefined;
  readonly waiters: Set<Waiter>;
  /** Whether a question is under way, or about to be. */
  asking: boolean;
  /** Runs while the line waits for tokens. */
  timer: Cancellable | undefined;
  /** Units of the bucket when the store was asked last, and when that was. */
  level: number;
  levelAt: number;
}

/** An answer of the store, or of what stands in for it. */
export interface LineAnswer extends TakeAnswer {
  /** When to ask again, in milliseconds, where the level does not tell. */
  readonly againInMs?: number;
}

/** Why a call of `acquire` is not to wait, or no longer. */
export type LineRefusal = 'queue-full' | 'wait-too-long';

/** What the lines need of their limiter. */
export interface LineKeeper {
  readonly clock: Clock;
  readonly units: TokenUnits;
  readonly maxQueue: number;
  readonly maxWait: number;
  /** Takes `count` times `units`. Never rejects. */
  ask(key: string | undefined, units: number, count: number): Promise<LineAnswer>;
  /** Counts and tells a refusal, and makes its error. */
  refused(key: string | undefined, cost: number, waitMs: number, reason: LineRefusal): Error;
  /** Counts a call that begins to wait. */
  waits(): void;
}

/**
 * Calls that wait for a shared bucket: one line per key and node, first come, first served, with one question for those at its head that ask
 * for the same. Nodes take their turns as the store hears of them.
 */
export class SharedLines {
  private readonly lines = new Map<string | undefined, Line>();
  /** How many wait, over all keys. */
  size = 0;

  constructor(private readonly keeper: LineKeeper) {}

  /** Whether calls wait for the key. */
  has(key: string | undefined): boolean {
    return this.size > 0 && this.lines.get(key)?.timer !== undefined;
  }

  /** Units that those in line for the key ask for together. */
  ahead(key: string | undefined): number {
    let units = 0;
    for (const waiter of this.lines.get(key)?.waiters ?? []) units += waiter.units;
    return units;
  }

  /** Settles when its tokens are taken; rejects with the reason of the signal, or with the keeper's refusal. */
  enter(key: string | undefined, cost: number, units: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const line = this.lineOf(key);
      const leave = (): void => this.leave(line, waiter, signal?.reason);
      const waiter: Waiter = {
        units,
        cost,
        deadline: this.keeper.clock.monotonic() + this.keeper.maxWait,
        queued: false,
        settle: (error) => {
          signal?.removeEventListener('abort', leave);
          if (error === undefined) resolve();
          else reject(error);
        },
      };
      line.waiters.add(waiter);
      signal?.addEventListener('abort', leave, { once: true });
      if (line.timer === undefined) this.serveSoon(line);
      else this.admit(line, waiter, this.ahead(key));
    });
  }

  /** Looks again, since buckets were filled from outside. */
  refresh(key?: string): void {
    for (const line of this.lines.values()) if (key === undefined || line.key === key) this.serveSoon(line);
  }

  private lineOf(key: string | undefined): Line {
    let line = this.lines.get(key);
    if (line === undefined) {
      line = { key, waiters: new Set(), asking: false, timer: undefined, level: 0, levelAt: 0 };
      this.lines.set(key, line);
    }
    return line;
  }

  private leave(line: Line, waiter: Waiter, reason: unknown): void {
    this.remove(line, waiter);
    waiter.settle(reason ?? new Error('aborted'));
    this.serveSoon(line);
  }

  private remove(line: Line, waiter: Waiter): void {
    line.waiters.delete(waiter);
    if (waiter.queued) this.size -= 1;
  }

  /** In a microtask, so that calls of one turn are asked for together. */
  private serveSoon(line: Line): void {
    line.timer?.cancel();
    line.timer = undefined;
    if (line.asking) return;
    line.asking = true;
    queueMicrotask(() => void this.serve(line));
  }

  private async serve(line: Line): Promise<void> {
    for (let goesOn = true; goesOn;) goesOn = await this.serveHead(line);
    line.asking = false;
    if (line.waiters.size === 0) this.lines.delete(line.key);
  }

  /** Asks for those at the head that ask for the same. Says whether there are others to be asked for at once. */
  private async serveHead(line: Line): Promise<boolean> {
    const [head] = line.waiters;
    if (head === undefined) return false;
    const count = alikeAtHead(line.waiters, head.units);
    const answer = await this.keeper.ask(line.key, head.units, count);
    this.grant(line, head.units, answer.granted);
    if (answer.granted === count) return true;
    line.level = answer.level;
    line.levelAt = this.keeper.clock.monotonic();
    this.admitNew(line);
    this.expire(line, answer);
    return this.waitOn(line, answer);
  }

  private grant(line: Line, units: number, granted: number): void {
    let left = granted;
    for (const waiter of line.waiters) {
      if (left === 0 || waiter.units !== units) return;
      left -= 1;
      this.remove(line, waiter);
      waiter.settle();
    }
  }

  private admitNew(line: Line): void {
    let ahead = 0;
    for (const waiter of line.waiters) {
      ahead += waiter.units;
      if (!waiter.queued && !this.admit(line, waiter, ahead)) ahead -= waiter.units;
    }
  }

  /** @param needed units that it and those before it ask for */
  private admit(line: Line, waiter: Waiter, needed: number): boolean {
    const { maxQueue, maxWait } = this.keeper;
    const waitMs = this.waitFor(line, needed);
    const full = this.size >= maxQueue;
    if (full || waitMs > maxWait) {
      this.refuse(line, waiter, waitMs, full ? 'queue-full' : 'wait-too-long');
      return false;
    }
    waiter.queued = true;
    this.size += 1;
    this.keeper.waits();
    return true;
  }

  private refuse(line: Line, waiter: Waiter, waitMs: number, reason: LineRefusal): void {
    this.remove(line, waiter);
    waiter.settle(this.keeper.refused(line.key, waiter.cost, waitMs, reason));
  }

  private waitFor(line: Line, needed: number): number {
    const { clock, units } = this.keeper;
    const elapsed = (clock.monotonic() - line.levelAt) * 1_000;
    const level = Math.min(units.capacity, line.level + elapsed * units.perMicrosecond);
    return Math.max(1, millisecondsFor(units, needed - level));
  }

  /** Other nodes may have taken what those in line were told to wait for. */
  private expire(line: Line, { againInMs }: LineAnswer): void {
    const now = this.keeper.clock.monotonic();
    for (const waiter of line.waiters) {
      if (waiter.deadline > now) return;
      this.refuse(line, waiter, againInMs ?? this.waitFor(line, waiter.units), 'wait-too-long');
    }
  }

  private waitOn(line: Line, { againInMs }: LineAnswer): boolean {
    const [head] = line.waiters;
    if (head === undefined) return false;
    const { clock } = this.keeper;
    const rest = Math.max(0, head.deadline - clock.monotonic());
    const waitMs = Math.min(rest, againInMs ?? this.waitFor(line, head.units));
    line.timer = clock.schedule(waitMs, () => this.serveSoon(line));
    return false;
  }
}

function alikeAtHead(waiters: Iterable<Waiter>, units: number): number {
  let count = 0;
  for (const waiter of waiters) {
    if (waiter.units !== units) break;
    count += 1;
  }
  return count;
}
