import type { RecordedUndo } from '../../handling/recording.js';
import { parseJson, toJson } from '../../message/json.js';

/**
 * How an undo step stands. `awaiting`: its command was sent, and its answer has not come. `kept`: a point of no return was passed after it, so it is
 * never run. `skipped`, `resolved`: an operator said that it need not be run, or that it was done by hand.
 */
export type UndoStatus =
  'recorded' | 'running' | 'awaiting' | 'done' | 'failed' | 'kept' | 'skipped' | 'resolved';

/** One undo step of one instance. */
export interface UndoEntry {
  /** Counts from 1 in the order of recording; with the instance's id it names the step. */
  readonly no: number;
  readonly name: string;
  readonly input: unknown;
  readonly status: UndoStatus;
  /** Steps of one scope may be undone beside each other. */
  readonly scope?: string;
  /** How often it was begun anew: after an answer that did not come, or by an operator. Absent: never. */
  readonly round?: number;
  /** Ids of the commands whose answer it awaits. */
  readonly awaits?: readonly string[];
  /** Why it failed, in the last round that did. */
  readonly error?: string;
  /** Undoes an activity that nobody waited for any more: by itself, whatever becomes of the rest. */
  readonly detached?: true;
  /** Why an operator skipped or resolved it. */
  readonly reason?: string;
}

/** What may change of an entry. */
export type UndoChange = Partial<Pick<UndoEntry, 'status' | 'round' | 'awaits' | 'error' | 'reason'>>;

/** The compensation log of one instance: immutable, oldest first, run from the end. */
export class UndoLog {
  constructor(readonly entries: readonly UndoEntry[]) {}

  static readonly empty = new UndoLog([]);

  static parse(text: string): UndoLog {
    return new UndoLog(parseJson(text) as UndoEntry[]);
  }

  toJson(): string {
    return toJson(this.entries, 'undo log');
  }

  /** @param pivotAt how many of `steps` were recorded before a point of no return; `undefined`: none was passed */
  record(steps: readonly RecordedUndo[], pivotAt?: number): UndoLog {
    const before = pivotAt === undefined ? this : this.kept();
    const added = steps.map((step, i): UndoEntry => ({
      no: this.entries.length + i + 1,
      ...step,
      status: i < (pivotAt ?? 0) ? 'kept' : 'recorded',
    }));
    return new UndoLog([...before.entries, ...added]);
  }

  /** Takes up a step that has nothing to do with the others. */
  detach(step: { readonly name: string; readonly input: unknown }): {
    readonly log: UndoLog;
    readonly entry: UndoEntry;
  } {
    const entry: UndoEntry = { no: this.entries.length + 1, ...step, status: 'running', detached: true };
    return { log: new UndoLog([...this.entries, entry]), entry };
  }

  /** Everything that was not run yet is never run. */
  kept(): UndoLog {
    return new UndoLog(
      this.entries.map((entry) => (entry.status === 'recorded' ? { ...entry, status: 'kept' } : entry)),
    );
  }

  find(no: number): UndoEntry | undefined {
    return this.entries.find((entry) => entry.no === no);
  }

  /** Whether a step stands so, but for those that have nothing to do with the others. */
  has(...statuses: readonly UndoStatus[]): boolean {
    return this.entries.some(({ status, detached }) => detached !== true && statuses.includes(status));
  }

  /** Whether any step stands so. */
  hasAny(...statuses: readonly UndoStatus[]): boolean {
    return this.entries.some(({ status }) => statuses.includes(status));
  }

  /** The steps to run next: the youngest that was not run yet, and with it those of its scope, back to the first that is of none or another. */
  next(): readonly UndoEntry[] {
    const recorded = this.entries.filter(({ status }) => status === 'recorded').toReversed();
    const [last] = recorded;
    if (last?.scope === undefined) return last === undefined ? [] : [last];
    const before = recorded.findIndex(({ scope }) => scope !== last.scope);
    return before < 0 ? recorded : recorded.slice(0, before);
  }

  with(no: number, change: UndoChange): UndoLog {
    return new UndoLog(this.entries.map((entry) => (entry.no === no ? { ...entry, ...change } : entry)));
  }
}
