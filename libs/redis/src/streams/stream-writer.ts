import type { Cancellable, Clock } from '@nestjs-orchestrator/core/ports';
import type { Call, Script } from '../connection/script.js';
import { type NamedFrame, pack, packedSize } from './packing.js';
import type { Caller, Pipe } from './pipe.js';

/** A frame on its way to a stream. */
export interface Outgoing extends NamedFrame {
  taken(): void;
  /** `undefined`: the stream is full. */
  refused(error: Error | undefined): void;
}

/** Where a stream is and how much it takes. */
export interface StreamTarget {
  readonly script: Script;
  readonly stream: string;
  readonly seen: string;
  /** Key of how many frames it holds. */
  readonly frames: string;
  readonly limit: number;
  /** A full stream, or one that the server lets nothing into: refuses what came, or lets it wait. */
  readonly whenFull: 'refuse' | 'wait';
  /** The server lets nothing in. Called once until it does. */
  readonly troubled?: (error: Error) => void;
}

/** Milliseconds that a sender's last number is kept. */
export const REMEMBER_MS = 600_000;
/** Frames and bytes of one call; a frame that is larger goes alone. */
const MOST_AT_ONCE = 512;
const MOST_BYTES = 524_288;
/** Frames and bytes of one entry. */
export const FRAMES_OF_ENTRY = 128;
const BYTES_OF_ENTRY = 65_536;
const FIRST_PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 50;

/** Appends this process's frames to one stream: in order, each once, also where an answer of the server gets lost. */
export class StreamWriter implements Caller {
  private waiting: Outgoing[] = [];
  private batch: readonly Outgoing[] = [];
  /** Is the same until it was answered. */
  private call: Call | undefined;
  private first = 1;
  private pauseMs = FIRST_PAUSE_MS;
  private pause: Cancellable | undefined;
  private closed: Error | undefined;
  private isTroubled = false;

  constructor(
    private readonly target: StreamTarget,
    private readonly pipe: Pipe,
    private readonly clock: Clock,
  ) {}

  /** Frames that the server has not answered for. */
  get pending(): number {
    return this.waiting.length + this.batch.length;
  }

  push(outgoing: Outgoing): void {
    if (this.closed !== undefined) {
      outgoing.refused(this.closed);
      return;
    }
    this.waiting.push(outgoing);
    if (this.pause === undefined) this.pipe.add(this);
  }

  /** Takes back what was not sent yet. */
  withdraw(outgoing: Outgoing): void {
    const at = this.waiting.indexOf(outgoing);
    if (at >= 0) this.waiting.splice(at, 1);
  }

  close(error: Error): void {
    this.closed = error;
    this.call = undefined;
    this.pause?.cancel();
    for (const each of [...this.batch, ...this.waiting]) each.refused(error);
    this.batch = [];
    this.waiting = [];
  }

  next(): Call | undefined {
    if (this.pause !== undefined || this.closed !== undefined) return undefined;
    if (this.call !== undefined) return this.call;
    if (this.waiting.length === 0) return undefined;
    const { script, stream, seen, frames, limit } = this.target;
    const args: (string | number | Buffer)[] = [limit, REMEMBER_MS, this.first];
    const taken = addEntries(args, this.waiting);
    this.batch = this.waiting.splice(0, taken.frames);
    this.call = { script, keys: [stream, seen, frames], args, weight: taken.bytes };
    return this.call;
  }

  answered(answer: unknown): void {
    const { batch } = this;
    this.batch = [];
    this.call = undefined;
    this.first += batch.length;
    const taken = typeof answer === 'number' ? answer : 0;
    for (let at = 0; at < taken; at += 1) batch[at]?.taken();
    const error = answer instanceof Error ? answer : undefined;
    this.noticed(error);
    const left = batch.slice(taken);
    if (left.length === 0) this.pauseMs = FIRST_PAUSE_MS;
    else if (this.target.whenFull === 'refuse') left.forEach((each) => each.refused(error));
    else this.waitForRoom(left, taken);
    if (this.waiting.length > 0 && this.pause === undefined) this.pipe.add(this);
  }

  private noticed(error: Error | undefined): void {
    if (error !== undefined && !this.isTroubled) this.target.troubled?.(error);
    this.isTroubled = error !== undefined;
  }

  private waitForRoom(left: readonly Outgoing[], taken: number): void {
    this.waiting = [...left, ...this.waiting];
    this.pauseMs = taken > 0 ? FIRST_PAUSE_MS : Math.min(this.pauseMs * 2, LONGEST_PAUSE_MS);
    this.pause = this.clock.schedule(this.pauseMs, () => {
      this.pause = undefined;
      this.pipe.add(this);
    });
  }
}

/** Packs as many frames as one call takes; per entry their number and they themselves. */
function addEntries(
  args: (string | number | Buffer)[],
  waiting: readonly NamedFrame[],
): { readonly frames: number; readonly bytes: number } {
  let from = 0;
  let at = 0;
  let inEntry = 0;
  let bytes = 0;
  const close = (): void => {
    if (at > from) args.push(at - from, pack(waiting, from, at));
    from = at;
    inEntry = 0;
  };
  for (; at < waiting.length && at < MOST_AT_ONCE; at += 1) {
    const size = packedSize(waiting[at] as NamedFrame);
    if (at > 0 && bytes + size > MOST_BYTES) break;
    if (at - from >= FRAMES_OF_ENTRY || (at > from && inEntry + size > BYTES_OF_ENTRY)) close();
    inEntry += size;
    bytes += size;
  }
  close();
  return { frames: at, bytes };
}
