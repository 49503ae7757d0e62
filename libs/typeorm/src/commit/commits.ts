import type { Commit, CommitResult, WriteOptions } from '@nestjs-orchestrator/core/ports';
import type { Database } from '../database/database.js';
import { halving } from '../database/halving.js';
import type { Statement } from '../database/statement.js';
import { sqlState } from '../database/unavailable.js';
import { commitParameters } from './commit-parameters.js';
import { commitShapes, type CommitShape } from './commit-shapes.js';
import { inRounds, type Entry } from './rounds.js';

export interface CommitRow {
  /** Number of a winner, from 1; `null` in the only row if nobody has won. */
  readonly n: number | null;
  readonly version: number;
  readonly leased: boolean;
  readonly woken: boolean;
  readonly followed: boolean;
}

/** What became of the entries of one call. */
export interface Outcome {
  readonly results: readonly (CommitResult | Error)[];
  /** Others may find work now that nobody holds. */
  readonly claimable: boolean;
}

type Answer = CommitResult | Error;

const CONFLICT: CommitResult = { outcome: 'conflict' };

/** Lost in the middle of a statement (`lose_race()`), by the isolation level, or by a deadlock: a conflict, if it is one entry alone. */
const LOST_RACES: ReadonlySet<string> = new Set(['OR001', '40001', '40P01']);

/** Rows that were not there when the statement looked, and then were: whoever looks again finds them. */
const LOST_ROWS: ReadonlySet<unknown> = new Set(['inbox_pkey', 'outbox_pkey']);

/** Commits entries, coalesced; see `commitSql`. */
export class Commits {
  private readonly shapes: readonly { readonly shape: CommitShape; readonly statement: Statement }[];

  constructor(private readonly database: Database) {
    this.shapes = commitShapes.map((shape) => ({
      shape,
      statement: database.statement('commit', shape.sql),
    }));
  }

  async commit(commits: readonly Commit[], options: WriteOptions): Promise<Outcome> {
    const results: Answer[] = commits.map(() => CONFLICT);
    let claimable = false;
    const together = async (entries: readonly Entry[]): Promise<void> => {
      claimable = (await this.run(entries, options, results)) || claimable;
    };
    for (const round of inRounds(commits)) {
      await halving(round, together, ({ place }, error) => void (results[place] = verdict(error)));
    }
    return { results, claimable };
  }

  private async ask(values: readonly unknown[]): Promise<readonly CommitRow[]> {
    // The last one fits everything.
    const { shape, statement } = (this.shapes.find(({ shape }) => shape.fits(values)) ??
      this.shapes.at(-1)) as (typeof this.shapes)[number];
    const used = shape.uses.map((number) => values[number - 1]);
    return (await this.database.runBatch<CommitRow>(statement, used)).rows;
  }

  private async run(entries: readonly Entry[], options: WriteOptions, results: Answer[]): Promise<boolean> {
    const values = commitParameters(
      entries.map(({ commit }) => commit),
      options,
    );
    const rows = await this.ask(values);
    let claimable = rows[0]?.followed ?? false;
    for (const { n, version, leased, woken } of rows) {
      const entry = n === null ? undefined : entries[n - 1];
      if (entry === undefined) continue;
      results[entry.place] = { outcome: 'committed', version, leased, woken };
      claimable ||= leavesWork(entry.commit, leased, woken);
    }
    return claimable;
  }
}

/** Whether the winner wrote work that it does not hold itself: unleased, or for later. */
export function leavesWork({ work }: Commit, leased: boolean, woken: boolean): boolean {
  if (!leased) return work.length > 0 || woken;
  return work.some(({ delayMs }) => delayMs > 0);
}

/** What an entry that ran alone came to. */
export function verdict(error: unknown): Answer {
  const state = sqlState(error) ?? '';
  if (LOST_RACES.has(state)) return CONFLICT;
  if (state === '23505' && LOST_ROWS.has((error as { readonly constraint?: unknown }).constraint))
    return CONFLICT;
  return error instanceof Error ? error : new Error(String(error));
}
