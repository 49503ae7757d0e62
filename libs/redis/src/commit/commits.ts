import type { Commit, CommitResult, WriteOptions } from '@nestjs-orchestrator/core/ports';
import type { Connection } from '../connection/connection.js';
import type { Call } from '../connection/script.js';
import type { Rooms } from '../naming/rooms.js';
import { commitCall } from './commit-call.js';

/** What became of the entries of one call. */
export interface Outcome {
  readonly results: readonly (CommitResult | Error)[];
  /** Others may find work now that nobody holds. */
  readonly claimable: boolean;
}

type Reply =
  | readonly [won: 0]
  | readonly [won: 1, version: string, leased: 0 | 1, woken: 0 | 1, followed: 0 | 1, added: number];

/** Commits entries: one script each, sent together. */
export async function commitAll(
  connection: Connection,
  rooms: Rooms,
  commits: readonly Commit[],
  options: WriteOptions,
): Promise<Outcome> {
  const results: (CommitResult | Error)[] = commits.map(() => ({ outcome: 'conflict' }));
  const calls: Call[] = [];
  const places: number[] = [];
  commits.forEach((commit, place) => {
    try {
      calls.push(commitCall(rooms.of(commit.ref.tenant), commit, options));
      places.push(place);
    } catch (error) {
      results[place] = error instanceof Error ? error : new Error(String(error));
    }
  });
  await rooms.register(commits.map(({ ref }) => ref.tenant));
  const answers = await connection.runAll(calls);
  let claimable = false;
  answers.forEach((answer, n) => {
    const place = places[n] ?? 0;
    const { result, leaves } = read(answer as Reply | Error, commits[place]);
    results[place] = result;
    claimable ||= leaves;
  });
  return { results, claimable };
}

function read(
  reply: Reply | Error,
  commit: Commit | undefined,
): { readonly result: CommitResult | Error; readonly leaves: boolean } {
  if (reply instanceof Error) return { result: reply, leaves: false };
  if (reply[0] === 0) return { result: { outcome: 'conflict' }, leaves: false };
  const [, version, leased, woken, followed, added] = reply;
  const delayed = commit?.work.some(({ delayMs }) => delayMs > 0) === true;
  return {
    result: { outcome: 'committed', version: Number(version), leased: leased === 1, woken: woken === 1 },
    leaves: followed === 1 || (added > 0 && (leased === 0 || delayed)),
  };
}
