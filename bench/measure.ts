/** One line of the report. `ratio` says how many times better than the peer, or than the limit, we are. */
export interface Result {
  readonly name: string;
  readonly ours: number;
  readonly peer: number;
  readonly peerName: string;
  readonly ratio: number;
  readonly unit: string;
}

/** Does that many operations. */
export type Run = (operations: number) => void;

/**
 * Operations per second of each contestant, the best of its rounds. They take turns, so that what else the machine does meanwhile
 * hits all of them alike.
 */
export function race<K extends string>(
  contestants: Readonly<Record<K, Run>>,
  rounds = 12,
): Record<K, number> {
  const names = Object.keys(contestants) as K[];
  const best = Object.fromEntries(names.map((name) => [name, 0])) as Record<K, number>;
  const operations = Object.fromEntries(names.map((name) => [name, 2_000])) as Record<K, number>;
  for (let round = 0; round < rounds; round++) {
    for (const name of names) {
      const started = performance.now();
      contestants[name](operations[name]);
      const perMillisecond = operations[name] / (performance.now() - started);
      best[name] = Math.max(best[name], perMillisecond * 1_000);
      operations[name] = Math.max(500, Math.round(perMillisecond * MILLISECONDS));
    }
  }
  return best;
}

const MILLISECONDS = 40;

export function compare(name: string, ours: number, peer: number, peerName: string, unit: string): Result {
  return { name, ours: round(ours), peer: round(peer), peerName, ratio: round(ours / peer), unit };
}

function round(value: number): number {
  return Number(value.toPrecision(3));
}
