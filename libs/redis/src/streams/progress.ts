import type { Call } from '../connection/script.js';
import type { PartitionKeys } from './cluster-keys.js';
import { after, isBefore } from './entry-id.js';
import { doneScript } from './scripts.js';

/** An entry of which not all frames are done. */
export interface OpenEntry {
  readonly id: string;
  readonly count: number;
  left: number;
  /** Ids of frames that are done, of which the server does not know. */
  unmarked: string[];
}

/** An entry all of whose frames are done. */
type Done = Pick<OpenEntry, 'id' | 'count'>;

const MOST_DONE_AT_ONCE = 1_000;

/** How far a partition is: what is not done, and what the server has to free or to mark. */
export class Progress {
  /** What the server knows of frames: deliveries that were counted, or that they are done. */
  readonly known = new Map<string, number | 'done'>();
  /** In the order of the stream. */
  private readonly open = new Map<string, OpenEntry>();
  private done: Done[] = [];
  /** Entries of which some frames are done, and their ids are to be marked. */
  private readonly partly = new Set<OpenEntry>();

  begin(id: string, count: number): OpenEntry {
    const entry: OpenEntry = { id, count, left: count, unmarked: [] };
    this.open.set(id, entry);
    return entry;
  }

  /** A frame is done; `known`: the server knows. */
  finished(entry: OpenEntry, id: string, how?: 'known'): void {
    entry.left -= 1;
    if (entry.left === 0) {
      this.open.delete(entry.id);
      this.partly.delete(entry);
      this.done.push(entry);
    } else if (how === undefined) {
      entry.unmarked.push(id);
      this.partly.add(entry);
    }
  }

  /** Whether there is something to tell the server. */
  get hasNews(): boolean {
    return this.done.length > 0 || this.partly.size > 0;
  }

  /** Tells the server, up to the entry that was read last. */
  next({ owner, stream, attempts, frames }: PartitionKeys, epoch: number, cursor: string): Call | undefined {
    if (!this.hasNews) return undefined;
    const first = this.firstThatStays(cursor);
    // Before it everything goes; otherwise each has its name.
    const gone = first === '' ? this.done.splice(0, MOST_DONE_AT_ONCE) : this.done.splice(0);
    const args: (string | number)[] = [epoch];
    if (first === '') {
      args.push('', 0, gone.length);
      for (const { id, count } of gone) args.push(id, count);
    } else
      args.push(
        first,
        gone.reduce((sum, { count }) => sum + count, 0),
        0,
      );
    const marks = this.marks();
    args.push(marks.length, ...marks, ...this.forgotten(gone));
    return { script: doneScript, keys: [owner, stream, attempts, frames], args };
  }

  /** Where everything that is done comes before one entry, that one; `''`: what is done has to be named. */
  private firstThatStays(cursor: string): string {
    if (this.done.length === 0) return '';
    const oldest = this.open.keys().next();
    if (oldest.done === true) return after(cursor);
    return this.done.every(({ id }) => isBefore(id, oldest.value)) ? oldest.value : '';
  }

  /** Frames that are done while others of their entry are not: who has the partition next is not to hand them over again. */
  private marks(): readonly string[] {
    const marks: string[] = [];
    for (const entry of this.partly) {
      if (marks.length >= MOST_DONE_AT_ONCE) break;
      this.partly.delete(entry);
      for (const id of entry.unmarked) this.known.set(id, 'done');
      marks.push(...entry.unmarked);
      entry.unmarked = [];
    }
    return marks;
  }

  private forgotten(gone: readonly Done[]): readonly string[] {
    const ids: string[] = [];
    if (this.known.size === 0) return ids;
    for (const { id, count } of gone) {
      for (let place = 0; place < count; place += 1) {
        const frame = `${id}.${place}`;
        if (this.known.delete(frame)) ids.push(frame);
      }
    }
    return ids;
  }
}
