import { UnexpectedEventError } from '../saga-errors.js';
import { unansweredOutcome } from './activity-outcome.js';
import { unchanged, type Base } from './base.js';
import type { Change } from './build-commit.js';
import { unansweredPolicy } from './policies.js';
import type { Cause, MessageOrTimer } from './stimulus.js';

/**
 * What becomes of a stimulus that the state does not care for; `null`: nothing is to change.
 *
 * @throws UnexpectedEventError
 */
export function unanswered(base: Base, cause: MessageOrTimer): Change | null {
  if (cause.kind === 'timer') return unansweredTimer(base, cause);
  if (cause.kind === 'activity') return unansweredOutcome(base, cause);
  const { definition } = base.saga;
  const { name } = cause.envelope;
  const policy = unansweredPolicy(definition, name);
  const state = base.instance?.state ?? null;
  if (policy === 'fault') throw new UnexpectedEventError(definition.name, name, state);
  if (policy === 'ignore') return unchanged(base, 'ignored', name);
  // A delivery that is still unanswered stays where it is.
  return cause.delivery ? null : { ...unchanged(base, 'deferred', name), defer: true };
}

/** A schedule that the state does not care for is over, too. */
function unansweredTimer(base: Base, { payload }: Extract<Cause, { kind: 'timer' }>): Change | null {
  if (payload.schedule === undefined) return null;
  const schedules = new Map(base.notes.schedules);
  schedules.delete(payload.schedule);
  return { ...unchanged(base, 'ignored', payload.label), notes: { ...base.notes, schedules } };
}
