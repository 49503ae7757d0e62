import type { Commit } from '@nestjs-orchestrator/core/ports';

/** An entry, and the place of its answer. */
export interface Entry {
  readonly place: number;
  readonly commit: Commit;
}

/**
 * Divides entries into rounds, in which no instance, no key and no consumed message comes twice: one statement can't decide between two entries that meet in one row.
 * Nearly always there is one round.
 */
export function inRounds(commits: readonly Commit[]): readonly (readonly Entry[])[] {
  const rounds: { readonly names: Set<string>; readonly entries: Entry[] }[] = [];
  commits.forEach((commit, place) => {
    const names = namesOf(commit);
    // Not before a round in which it meets another entry, so that the first of two goes first.
    const last = rounds.findLastIndex((round) => names.some((name) => round.names.has(name)));
    const round = (rounds[last + 1] ??= { names: new Set(), entries: [] });
    for (const name of names) round.names.add(name);
    round.entries.push({ place, commit });
  });
  return rounds.map(({ entries }) => entries);
}

function namesOf({ ref, keys, supersedes, consumed = [] }: Commit): readonly string[] {
  const room = `${ref.tenant}\n${ref.saga}\n`;
  const instance = `${room}${ref.id}`;
  if (keys.length === 0 && consumed.length === 0) return [instance];
  const unique = keys.filter(({ many }) => many !== true);
  return [
    instance,
    ...(supersedes === null ? [] : [`${room}${supersedes}`]),
    ...unique.map(({ name, value }) => `${room}${JSON.stringify([name, value])}`),
    ...consumed.map(({ message: { tenant, destination, id } }) => JSON.stringify([tenant, destination, id])),
  ];
}
