import type { AbsentPolicy, EndMeaning, UnansweredPolicy } from '../saga-types.js';
import type { Report } from './report.js';

const MEANINGS: readonly EndMeaning[] = ['success', 'undo'];
const ABSENT: readonly AbsentPolicy[] = ['park', 'start', 'discard', 'fault', 'redeliver'];
const UNANSWERED: readonly UnansweredPolicy[] = ['defer', 'ignore', 'fault'];

/** What the ends mean: one that means nothing would keep what a failure should undo. */
export function checkEnds(ends: Readonly<Record<string, EndMeaning>>, report: Report): void {
  for (const [name, meaning] of Object.entries(ends)) check(`ends.${name}`, meaning, MEANINGS, report);
}

interface Policies {
  readonly absent?: AbsentPolicy | undefined;
  readonly unanswered?: UnansweredPolicy | undefined;
}

/** Policies of the whole saga, or of one event. */
export function checkPolicies(path: string, { absent, unanswered }: Policies, report: Report): void {
  if (absent !== undefined) check(`${path}absent`, absent, ABSENT, report);
  if (unanswered !== undefined) check(`${path}unanswered`, unanswered, UNANSWERED, report);
}

function check<T extends string>(path: string, found: T, known: readonly T[], report: Report): void {
  if (!known.includes(found)) report(path, `'${String(found)}' must be one of ${known.join(', ')}`);
}
