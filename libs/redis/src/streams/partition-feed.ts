import type {
  Cancellable,
  Clock,
  GivenBack,
  GivenUp,
  Logger,
  OwnedPartition,
  PartitionedFrame,
  PartitionReceiver,
} from '@nestjs-orchestrator/core/ports';
import type { Call } from '../connection/script.js';
import type { PartitionKeys } from './cluster-keys.js';
import { BEGINNING } from './entry-id.js';
import { frameOf, type Item, itemOf, type Lane, UNREADABLE } from './feed-item.js';
import type { Caller, Pipe } from './pipe.js';
import { type Entry, READ_AT_ONCE, type Source } from './reader.js';
import { type OpenEntry, Progress } from './progress.js';
import type { PartitionScripts } from './partition-scripts.js';
import { Suspects } from './suspects.js';
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

const LONGEST_PAUSES = 100;

/** One owned partition: hands its frames over in order, frees what is done, and tries again what failed. */
export class PartitionFeed implements Source, Caller {
  readonly key: string;
  readonly expiresWith = undefined;
  cursor = BEGINNING;
  /** Nothing is handed over any more. */
  closed = false;
  private outstanding = 0;
  private order = 0;
  private readonly lanes = new Map<string, Lane>();
  private readonly progress = new Progress();
  private sent: Call | undefined;
  private readonly suspects: Suspects;
  private quiet: (() => void)[] = [];
  private stalled: Cancellable | undefined;

  constructor(
    readonly owned: OwnedPartition,
    private readonly keys: PartitionKeys,
    private readonly scripts: PartitionScripts,
    private readonly ground: FeedGround,
  ) {
    this.key = keys.stream;
    this.suspects = new Suspects(scripts, {
      turnstile: ground.turnstile,
      maxAttempts: ground.maxAttempts,
      closed: () => this.closed,
      counted: ({ id }, count) => void this.progress.known.set(id, count),
      offer: (item) => this.offer(item),
      bury: (item, why) => this.bury(item, why),
      fenced: () => ground.fenced(this),
      whenQuiet: (look) => void this.quiet.push(look),
    });
  }

  /** Learns what is known of the frames, and counts those that the owner before may have had in hand when it died. */
  async open(orphan: boolean): Promise<void> {
    const found = await this.scripts.open(orphan ? this.ground.window + READ_AT_ONCE : 0);
    for (const [id, known] of found) this.progress.known.set(id, known);
  }

  wants(): boolean {
    return !this.closed && this.outstanding < this.ground.window;
  }

  take(entries: readonly Entry[]): void {
    if (this.closed) return;
    for (const { id, frames, unreadable } of entries) {
      if (unreadable === undefined) this.takeEntry(id, frames);
      else void this.buryUnreadable(id, unreadable);
    }
    this.suspects.run();
  }

  private takeEntry(id: string, frames: Entry['frames']): void {
    const entry = this.progress.begin(id, frames.length);
    this.outstanding += frames.length;
    frames.forEach(({ name, bytes }, place) => this.takeOne(entry, `${id}.${place}`, name, bytes));
  }

  private takeOne(entry: OpenEntry, id: string, name: string, bytes: Buffer): void {
    const known = this.progress.known.get(id) ?? 0;
    const failures = known === 'done' ? 0 : known;
    const order = (this.order += 1);
    const item = itemOf({ id, entry, order, name, bytes }, failures);
    if (known === 'done') this.finished(item, 'known');
    else if (!this.suspects.keeps(item)) this.offer(item);
  }

  /** What holds no frames of ours is a letter at once. */
  private async buryUnreadable(id: string, bytes: Buffer): Promise<void> {
    const entry = this.progress.begin(id, 1);
    this.outstanding += 1;
    const order = (this.order += 1);
    const item = itemOf({ id: `${id}.0`, entry, order, name: '', bytes });
    const { partition } = this.owned;
    this.ground.logger.error(`Entry ${id} of a partition holds no frames of this library`, { partition });
    await this.bury(item, UNREADABLE);
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
    this.sent ??= this.progress.next(this.keys, this.owned.epoch, this.cursor);
    return this.sent;
  }

  answered(answer: unknown): void {
    this.sent = undefined;
    if (answer instanceof Error) {
      this.ground.logger.error('Frames could not be freed; they come again', { error: answer.message });
    } else if (answer === 0) {
      this.ground.fenced(this);
      // Whoever gives it away need not wait: it is another's already.
      for (const tell of this.quiet.splice(0)) tell();
      return;
    }
    if (this.progress.hasNews) this.ground.pipe.add(this);
    this.tellQuiet();
  }

  /** The lease is good again: what was held back goes on. */
  goOn(): void {
    if (this.stalled === undefined) return;
    this.stalled.cancel();
    this.stalled = undefined;
    for (const name of this.lanes.keys()) this.resume(name);
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
    this.ground.counted(item.bytes);
    let result: void | Promise<void | GivenBack | GivenUp>;
    lane.out += 1;
    try {
      result = this.ground.receiver.onFrame(this.owned, frameOf(item, item.failures + 1));
    } catch (error) {
      void this.failed(lane, item, error);
      return;
    }
    if (result === undefined) this.succeeded(lane, item);
    else {
      result.then(
        (back) => this.settle(lane, item, back),
        (error: unknown) => this.failed(lane, item, error),
      );
    }
  }

  private succeeded(lane: Lane, item: Item): void {
    this.finished(item);
    lane.pauseMs = this.ground.retryMs;
    this.settled(lane, item.name);
  }

  /** It need not stay in the stream; `known`: the server knows that it is done. */
  private finished(item: Item, how?: 'known'): void {
    if (item.isDone) return;
    item.isDone = true;
    const wanted = this.wants();
    this.outstanding -= 1;
    this.progress.finished(item.entry, item.id, how);
    if (this.progress.hasNews) this.ground.pipe.add(this);
    if (!wanted && this.wants()) this.ground.wake(this);
  }

  private settle(lane: Lane, item: Item, result: void | GivenBack | GivenUp): void {
    if (result === undefined) this.succeeded(lane, item);
    else if ('retryInMs' in result) this.putBack(lane, item, result.retryInMs);
    else void this.giveUp(lane, item, result);
  }

  /** Where the server is away it comes again. */
  private async giveUp(lane: Lane, item: Item, why: GivenUp): Promise<void> {
    if (await this.buried(item, why)) this.settled(lane, item.name);
    else this.putBack(lane, item, lane.pauseMs);
  }

  private async failed(lane: Lane, item: Item, error: unknown): Promise<void> {
    const reason = error instanceof Error ? error.message : String(error);
    item.failures += 1;
    this.progress.known.set(item.id, item.failures);
    this.ground.logger.warn(`A frame failed at delivery ${item.failures}: ${reason}`, {
      partition: this.owned.partition,
      name: item.name,
    });
    if (item.failures < this.ground.maxAttempts) {
      if (!item.counted) void this.scripts.count(item.id).catch(() => undefined);
      item.counted = false;
      this.putBack(lane, item, lane.pauseMs);
      lane.pauseMs = Math.min(lane.pauseMs * 2, this.ground.retryMs * LONGEST_PAUSES);
    } else await this.giveUp(lane, item, { deadLetter: reason, cause: error });
  }

  /** Where the server is away, when it is back. */
  private async bury(item: Item, why: GivenUp): Promise<void> {
    while (!this.closed && !(await this.buried(item, why))) await this.scripts.pause();
  }

  private async buried(item: Item, why: GivenUp): Promise<boolean> {
    const { id, entry, name, bytes } = item;
    const attempts = Math.max(1, item.failures);
    try {
      const own = await this.scripts.bury({ entry: entry.id, id, name, bytes }, why.deadLetter, attempts);
      if (own) this.tell(frameOf(item, attempts), why);
      else this.ground.fenced(this);
    } catch {
      return false;
    }
    this.progress.known.set(id, 'done');
    this.finished(item, 'known');
    return true;
  }

  private tell(frame: PartitionedFrame, why: GivenUp): void {
    try {
      this.ground.receiver.onLetter?.(this.owned, frame, why);
    } catch (error) {
      this.ground.logger.error('A receiver of dead letters failed', { error: String(error) });
    }
  }

  private putBack(lane: Lane, item: Item, pauseMs: number): void {
    lane.waiting.push(item);
    lane.waiting.sort((a, b) => a.order - b.order);
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

  private isQuiet(): boolean {
    if (this.progress.hasNews || this.sent !== undefined) return false;
    for (const { out } of this.lanes.values()) if (out > 0) return false;
    return true;
  }

  private tellQuiet(): void {
    if (this.quiet.length === 0 || (this.closed && !this.isQuiet())) return;
    for (const tell of this.quiet.splice(0)) tell();
  }
}
