import { parseJson, toJson } from '../../message/json.js';

/** One undo step of one instance. */
export interface UndoEntry {
  /** Counts from 1 in the order of recording; with the instance's id it names the step. */
  readonly no: number;
  readonly name: string;
  readonly input: unknown;
  /** `kept`: a point of no return was passed after it, so it is never run. */
  readonly status: 'recorded' | 'running' | 'done' | 'failed' | 'kept';
  readonly error?: string;
  /** Undoes an activity that nobody waited for any more: by itself, whatever becomes of the rest. */
  readonly detached?: true;
}

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
  record(steps: readonly { readonly name: string; readonly input: unknown }[], pivotAt?: number): UndoLog {
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

  /** A detached step under way. */
  detached(no: number): UndoEntry | undefined {
    return this.entries.find(
      (entry) => entry.no === no && entry.detached === true && entry.status === 'running',
    );
  }

  /** Everything that was not run yet is never run. */
  kept(): UndoLog {
    return new UndoLog(
      this.entries.map((entry) => (entry.status === 'recorded' ? { ...entry, status: 'kept' } : entry)),
    );
  }

  /** The step to run next: the youngest that was not run yet. */
  next(): UndoEntry | undefined {
    return this.entries.findLast((entry) => entry.status === 'recorded');
  }

  /** The step under way, if any: there is at most one. */
  running(): UndoEntry | undefined {
    return this.entries.find((entry) => entry.status === 'running' && entry.detached !== true);
  }

  with(no: number, status: UndoEntry['status'], error?: string): UndoLog {
    return new UndoLog(
      this.entries.map((entry) =>
        entry.no === no ? { ...entry, status, ...(error === undefined ? {} : { error }) } : entry,
      ),
    );
  }
}
