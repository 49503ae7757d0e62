/** Figures above which a node counts as down. What is not given is not judged. */
export interface OrchestratorHealthThresholds {
  /** Messages claimed by this node that wait for their turn. */
  readonly queued?: number;
  /** Events in the mailboxes of the application's machines. */
  readonly queuedEvents?: number;
  /** Senders that wait to be let in. */
  readonly waitingSenders?: number;
  /** Requests to machines without an answer yet. */
  readonly pendingRequests?: number;
  /** Milliseconds that 99 of 100 events take at most, from acceptance to the end of their step. */
  readonly latencyP99Ms?: number;
}

/** The figures that thresholds are compared with. */
export type JudgedFigures = Readonly<Record<keyof OrchestratorHealthThresholds, number>>;

/** Says which figures are above their thresholds, or nothing. */
export function overThreshold(
  thresholds: OrchestratorHealthThresholds,
  figures: JudgedFigures,
): string | undefined {
  const over = (Object.entries(thresholds) as [keyof JudgedFigures, number | undefined][]).filter(
    ([name, most]) => most !== undefined && figures[name] > most,
  );
  if (over.length === 0) return undefined;
  return over.map(([name, most]) => `${name} is ${figures[name]}, above its threshold of ${most}`).join('; ');
}
