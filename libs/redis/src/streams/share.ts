/** Who has a partition, as far as is known. */
export interface Holding {
  readonly partition: number;
  readonly epoch: number;
  /** Incarnation of a live owner; undefined: it is free. */
  readonly owner: string | undefined;
}

/** What one endpoint does about its share. */
export interface Moves {
  readonly claim: readonly Holding[];
  readonly release: readonly number[];
}

/**
 * How many partitions each endpoint should have: as many as the others, one more for those that have most already, so that few move when
 * somebody comes or goes.
 */
export function shares(
  holdings: readonly Holding[],
  serving: readonly string[],
): ReadonlyMap<string, number> {
  const has = new Map(serving.map((each) => [each, 0]));
  for (const { owner } of holdings) {
    if (owner !== undefined && has.has(owner)) has.set(owner, (has.get(owner) ?? 0) + 1);
  }
  const base = Math.floor(holdings.length / serving.length);
  const extra = holdings.length % serving.length;
  const ranked = [...has].toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  return new Map(ranked.map(([each], rank) => [each, base + (rank < extra ? 1 : 0)]));
}

/** What `self` does to get to its share: it takes free partitions, and gives away what it has too many. Takes nothing from anybody. */
export function movesOf(self: string, holdings: readonly Holding[], serving: readonly string[]): Moves {
  const share = shares(holdings, serving).get(self) ?? 0;
  const own = holdings.filter(({ owner }) => owner === self);
  if (own.length >= share) return { claim: [], release: own.slice(share).map(({ partition }) => partition) };
  const free = holdings.filter(({ owner }) => owner === undefined);
  // Each begins at another place, so that two rarely want the same.
  const start = free.length === 0 ? 0 : Math.floor((serving.indexOf(self) * free.length) / serving.length);
  return { claim: [...free.slice(start), ...free.slice(0, start)].slice(0, share - own.length), release: [] };
}
