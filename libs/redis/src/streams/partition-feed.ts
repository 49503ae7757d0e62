import type {
  Cancellable,
  Clock,
  GivenBack,
  Logger,
  OwnedPartition,
  PartitionReceiver,
} from '@nestjs-orchestrator/core/ports';
import type { Call } from '../connection/script.js';
import type { PartitionKeys } from './cluster-keys.js';
import { after } from './inbox.js';
import type { Caller, Pipe } from './pipe.js';
import { type Entry, READ_AT_ONCE, type Source } from './reader.js';
import { doneScript } from './scripts.js';
import type { PartitionScripts } from './partition-scripts.js';
import type { Turnstile } from './turnstile.js';

/** What a feed needs around it. */
export interface FeedGround {
  readonly receiver: PartitionReceiver;
  readonly pipe: Pipe;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly window: number;
  readonly maxAttempts: number;
  readonly retryMs: number;
  /** Through it go frames that may end the process, one at a time in all of it. */
  readonly turnstile: Turnstile;
  readonly wake: (source: Source) => void;
  readonly counted: (frame: Buffer) => void;
  /** The lease of this endpoint is good. */
  readonly valid: () => boolean;
  readonly fenced: (feed: PartitionFeed) => void;
}

interface Item {
  readonly id: string;
  readonly name: string;
  readonly frame: Buffer;
  /** Deliveries that failed, or whose owner died. */
  failures: number;
  /** The present delivery is counted on the server already. */
  counted: boolean;
}

/** The frames of one name: what is under way, and what waits since one of them failed or was given back. */
interface Lane {
  out: number;
  waiting: Item[];
  pauseMs: number;
  timer: Cancellable | undefined;
}

const MOST_DONE_AT_ONCE = 1_000;
const LONGEST_PAUSES = 100;
/** From so many deaths on a frame is run alone. */
const ALONE = 2;

/** One owned partition: hands its frames over in order, frees what is done, and tries again what failed. */
export class PartitionFeed implements Source, Caller {
  readonly key: string;
  cursor = '0-0';
  /** Nothing is handed over any more. */
  closed = false;
  private readonly outstanding = new Map<string, Item>();
  private readonly lanes = new Map<string, Lane>();
  private readonly counts = new Map<string, number>();
  private done: string[] = [];
  private sent: Call | undefined;
  /** Frames that wait for those that are run alone. */
  private queue: Item[] = [];
  private alone = false;
  private quiet: (() => void)[] = [];
  private stalled: Cancellable | undefined;

  constructor(
    readonly owned: OwnedPartition,
    private readonly keys: PartitionKeys,
    private readonly scripts: PartitionScripts,
    private readonly ground: FeedGround,
  ) {
    this.key = keys.stream;
  }

  /** What the owner before, who died, may have had in hand. */
  async suspect(): Promise<void> {
    const found = await this.scripts.suspects(this.ground.window + READ_AT_ONCE);
    for (const [id, count] of found) this.counts.set(id, count);
  }

  wants(): boolean {
    return !this.closed && this.outstanding.size < this.ground.window;
  }

  take(entries: readonly Entry[]): void {
    if (this.closed) return;
    for (const { id, name, frame } of entries) {
      const item: Item = { id, name, frame, failures: this.counts.get(id) ?? 0, counted: false };
      this.outstanding.set(id, item);
      if (this.alone || item.failures >= ALONE) this.queue.push(item);
      else this.offer(item);
    }
    if (this.queue.length > 0 && !this.alone) void this.runQueue();
  }

  /** Stops, and settles when nothing is under way or the time is over. */
  async stop(limitMs: number): Promise<void> {
    this.closed = true;
    this.stalled?.cancel();
    for (const { timer } of this.lanes.values()) timer?.cancel();
    for (const tell of this.quiet.splice(0)) tell();
    if (this.isQuiet()) return;
    await new Promise<void>((resolve) => {
      const timer = this.ground.clock.schedule(limitMs, resolve);
      this.quiet.push(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  next(): Call | undefined {
    if (this.sent !== undefined) return this.sent;
    if (this.done.length === 0) return undefined;
    const ids = this.done.splice(0, MOST_DONE_AT_ONCE);
    const counted = ids.filter((id) => this.counts.delete(id));
    const first = this.firstThatStays(ids);
    const named = first === '' ? [...counted, ...ids.filter((id) => !counted.includes(id))] : counted;
    this.sent = {
      script: doneScript,
      keys: [this.keys.owner, this.keys.stream, this.keys.attempts],
      args: [this.owned.epoch, first, counted.length, ...named],
    };
    return this.sent;
  }

  answered(answer: unknown): void {
    this.sent = undefined;
    if (answer instanceof Error) {
      this.ground.logger.error('Frames could not be freed; they come again', { error: answer.message });
    } else if (answer === 0) {
      this.ground.fenced(this);
      return;
    }
    if (this.done.length > 0) this.ground.pipe.add(this);
    this.tellQuiet();
  }

  /** The lease is good again: what was held back goes on. */
  goOn(): void {
    if (this.stalled === undefined) return;
    this.stalled.cancel();
    this.stalled = undefined;
    for (const name of this.lanes.keys()) this.resume(name);
  }

  /** Where everything before one frame is done, that one; `''`: what is done has to be named. */
  private firstThatStays(ids: readonly string[]): string {
    const oldest = this.outstanding.keys().next();
    if (oldest.done === true) return after(this.cursor);
    return ids.every((id) => isBefore(id, oldest.value)) ? oldest.value : '';
  }

  private offer(item: Item): void {
    const lane = this.laneOf(item.name);
    if (lane.timer !== undefined || lane.waiting.length > 0 || !this.ground.valid()) this.hold(lane, item);
    else this.deliver(lane, item);
  }

  private laneOf(name: string): Lane {
    let lane = this.lanes.get(name);
    if (lane === undefined) {
      lane = { out: 0, waiting: [], pauseMs: this.ground.retryMs, timer: undefined };
      this.lanes.set(name, lane);
    }
    return lane;
  }

  /** The lease is in doubt, or the name waits: nothing is handed over until that is settled. */
  private hold(lane: Lane, item: Item): void {
    lane.waiting.push(item);
    if (lane.timer === undefined && lane.out === 0) this.stall();
  }

  private stall(): void {
    this.stalled ??= this.ground.clock.schedule(this.ground.retryMs, () => {
      if (this.ground.valid()) this.goOn();
      else {
        this.stalled = undefined;
        if (!this.closed) this.stall();
      }
    });
  }

  private deliver(lane: Lane, item: Item): void {
    this.ground.counted(item.frame);
    let result: void | Promise<void | GivenBack>;
    lane.out += 1;
    try {
      result = this.ground.receiver.onFrame(this.owned, {
        id: item.id,
        name: item.name,
        bytes: item.frame,
        attempts: item.failures + 1,
      });
    } catch (error) {
      void this.failed(lane, item, error);
      return;
    }
    if (result === undefined) this.succeeded(lane, item);
    else {
      result.then(
        (back) => (back === undefined ? this.succeeded(lane, item) : this.givenBack(lane, item, back)),
        (error: unknown) => this.failed(lane, item, error),
      );
    }
  }

  private succeeded(lane: Lane, item: Item): void {
    this.finished(item);
    lane.pauseMs = this.ground.retryMs;
    this.settled(lane, item.name);
  }

  /** It need not stay in the stream. */
  private finished({ id }: Item): void {
    const wanted = this.wants();
    this.outstanding.delete(id);
    this.done.push(id);
    this.ground.pipe.add(this);
    if (!wanted && this.wants()) this.ground.wake(this);
  }

  private givenBack(lane: Lane, item: Item, { retryInMs }: GivenBack): void {
    this.putBack(lane, item, retryInMs);
  }

  private async failed(lane: Lane, item: Item, error: unknown): Promise<void> {
    const reason = error instanceof Error ? error.message : String(error);
    item.failures += 1;
    this.counts.set(item.id, item.failures);
    this.ground.logger.warn(`A frame failed at delivery ${item.failures}: ${reason}`, {
      partition: this.owned.partition,
      name: item.name,
    });
    if (item.failures < this.ground.maxAttempts) {
      if (!item.counted) void this.scripts.count(item.id).catch(() => undefined);
      item.counted = false;
      this.putBack(lane, item, lane.pauseMs);
      lane.pauseMs = Math.min(lane.pauseMs * 2, this.ground.retryMs * LONGEST_PAUSES);
    } else if (await this.buried(item, reason)) {
      this.settled(lane, item.name);
    } else this.putBack(lane, item, lane.pauseMs);
  }

  private async buried(item: Item, reason: string): Promise<boolean> {
    try {
      if (!(await this.scripts.bury(item.id, reason, item.failures))) this.ground.fenced(this);
    } catch {
      return false;
    }
    this.counts.delete(item.id);
    const wanted = this.wants();
    this.outstanding.delete(item.id);
    if (!wanted && this.wants()) this.ground.wake(this);
    return true;
  }

  private putBack(lane: Lane, item: Item, pauseMs: number): void {
    lane.waiting.push(item);
    lane.waiting.sort((a, b) => (isBefore(a.id, b.id) ? -1 : 1));
    if (!this.closed) {
      lane.timer?.cancel();
      lane.timer = this.ground.clock.schedule(pauseMs, () => {
        lane.timer = undefined;
        this.resume(item.name);
      });
    }
    this.settled(lane, item.name);
  }

  private settled(lane: Lane, name: string): void {
    lane.out -= 1;
    if (lane.out > 0) return;
    if (lane.waiting.length === 0) this.lanes.delete(name);
    else if (lane.timer === undefined) this.resume(name);
    this.tellQuiet();
  }

  /** Hands over what waits for a name, in order, if nothing of it is under way. */
  private resume(name: string): void {
    const lane = this.lanes.get(name);
    if (this.closed || lane === undefined || lane.out > 0 || lane.timer !== undefined) return;
    if (!this.ground.valid()) {
      this.stall();
      return;
    }
    const { waiting } = lane;
    lane.waiting = [];
    for (const item of waiting) {
      if (lane.timer === undefined && lane.waiting.length === 0) this.deliver(lane, item);
      else lane.waiting.push(item);
    }
  }

  /** Frames that may have ended processes: each is counted before it runs, and runs alone. Those behind them wait. */
  private async runQueue(): Promise<void> {
    this.alone = true;
    for (let item = this.queue.shift(); item !== undefined && !this.closed; item = this.queue.shift()) {
      if (item.failures < ALONE) this.offer(item);
      else await this.runAlone(item);
    }
    this.alone = false;
  }

  private async runAlone(item: Item): Promise<void> {
    await this.ground.turnstile.pass(async () => {
      const count = await this.countFirst(item);
      if (count === undefined || this.closed) return;
      item.failures = count - 1;
      item.counted = true;
      this.counts.set(item.id, count);
      // Whatever only lay beside a frame that ended its process has its chance alone.
      if (count > Math.max(this.ground.maxAttempts, ALONE + 1)) {
        await this.buried(item, `It was under way ${count - 1} times when its process ended.`);
        return;
      }
      this.offer(item);
      await new Promise<void>((resolve) => {
        const look = (): void => {
          if (this.closed || !this.outstanding.has(item.id)) resolve();
          else this.quiet.push(look);
        };
        look();
      });
    });
  }

  /** undefined: the partition is not this one's any more. */
  private async countFirst({ id }: Item): Promise<number | undefined> {
    while (!this.closed) {
      try {
        const count = await this.scripts.count(id);
        if (count > 0) return count;
        this.ground.fenced(this);
        return undefined;
      } catch {
        await this.scripts.pause();
      }
    }
    return undefined;
  }

  private isQuiet(): boolean {
    if (this.done.length > 0 || this.sent !== undefined) return false;
    for (const { out } of this.lanes.values()) if (out > 0) return false;
    return true;
  }

  private tellQuiet(): void {
    if (this.quiet.length === 0 || (this.closed && !this.isQuiet())) return;
    for (const tell of this.quiet.splice(0)) tell();
  }
}

/** Whether an id of a stream comes before another one. */
function isBefore(a: string, b: string): boolean {
  const [time = '', number = ''] = a.split('-');
  const [otherTime = '', otherNumber = ''] = b.split('-');
  if (time !== otherTime) return Number(time) < Number(otherTime);
  return Number(number) < Number(otherNumber);
}
