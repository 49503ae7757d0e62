import { toJson } from '../../message/json.js';
import type { CurrentInstance, SagaStatus } from '../../ports/records.js';
import { unchanged, undoLines, type Base, type Line } from '../run/base.js';
import type { Change } from '../run/build-commit.js';
import { hasEnded, standing, startUndo, type Standing } from '../run/decision.js';
import { readHold, type Hold } from '../run/hold.js';
import type { Stimulus } from '../run/stimulus.js';
import { joinedChanges, NO_TIMER_CHANGES, type TimerChanges } from '../run/timer-changes.js';
import { goOn, isUndone } from '../run/undo-outcome.js';
import type { UndoEntry, UndoLog } from '../run/undo-log.js';
import type { OperatorCause } from './operator-cause.js';
import { OperatorRefusedError } from './operator-errors.js';

/** An instance that an operator acts on. */
export type OperatedBase = Base & { readonly instance: CurrentInstance };

/** What an operator's action does to an instance; a replay of poison, which handlers decide, is not among them. */
export function operatorChange(base: OperatedBase, cause: OperatorCause): Change | null {
  const hold = readHold(base.instance);
  switch (cause.verb) {
    case 'retry':
      return released(base, cause, hold, retried(base, cause, hold));
    case 'skip':
      return skipped(base, cause, hold);
    case 'resolve':
      return settled(base, cause, hold, 'resolved');
    case 'cancel':
      return cancelled(base, cause, hold);
    case 'replay':
      return replayed(base, cause, hold);
    case 'release':
      return continued(base, cause, hold);
    case 'save':
    case 'note':
      return auditedOnly(base, cause);
    default:
      return cause.verb satisfies never;
  }
}

/** What comes to wait for a held instance is taken up again: an instance without poison, or whose poison was handled in `change`. */
export function releasedChange(base: OperatedBase, cause: OperatorCause, hold: Hold, change: Change): Change {
  return { ...audited(base, cause, change), timers: joinedChanges(change.timers, timersOf(hold)) };
}

/** The poison as the stimulus that it was. */
export function poisonStimulus({ stimulus }: Base, hold: Hold): Stimulus | null {
  const { poison } = hold;
  if (poison === null) return null;
  const { tenant, key } = stimulus;
  if (poison.kind === 'timer') {
    return { tenant, key, messageId: `timer:${poison.name}:${poison.token}`, work: null, cause: poison };
  }
  const { envelope } = poison;
  const cause = { kind: 'message', envelope, message: envelope.body as object, delivery: false } as const;
  return { tenant, key, messageId: envelope.id, work: null, cause };
}

function retried(base: OperatedBase, cause: OperatorCause, hold: Hold | null): Standing {
  refusePoison(cause, hold);
  const steps = chosen(base, cause, hold);
  const started = begunAgain(base.undo, steps);
  return steps.every(isDetached) ? { ...started, status: hold?.was ?? base.instance.status } : started;
}

/** Whether a step undoes an activity by itself: then the saga is not undone for it. */
function isDetached({ detached }: UndoEntry): boolean {
  return detached === true;
}

function settled(
  base: OperatedBase,
  cause: OperatorCause,
  hold: Hold | null,
  status: 'skipped' | 'resolved',
): Change {
  refusePoison(cause, hold);
  const reason = cause.reason ?? '';
  const steps = chosen(base, cause, hold);
  const undo = steps.reduce((log, { no }) => log.with(no, { status, reason }), base.undo);
  const was = hold?.was ?? base.instance.status;
  const alone = steps.every(isDetached) && !isUndone(was);
  return released(base, cause, hold, alone ? standing(was, undo) : after(base, undo));
}

/** Steps of a scope may have failed besides: they wait for the operator as before. */
function after(base: OperatedBase, undo: UndoLog): Standing {
  const halting = undo.entries.some(
    ({ status, name, detached }) =>
      status === 'failed' &&
      detached !== true &&
      base.saga.definition.undo.get(name)?.onFailure !== 'continue',
  );
  return halting ? standing('compensation-failed', undo) : goOn(base, undo);
}

function cancelled(base: OperatedBase, cause: OperatorCause, hold: Hold | null): Change {
  const { status } = base.instance;
  if (hasEnded(status))
    throw refused(cause, `it has ended as '${status}'. Compensate by a new saga, if you must`);
  const marked = { ...base, notes: { ...base.notes, cancelled: true } };
  const was: SagaStatus = hold?.was ?? status;
  // Nobody waits for what has failed any more.
  const next = was === 'compensation-failed' ? standing('cancelled', base.undo) : goOn(marked, base.undo);
  return audited(marked, cause, { ...unchanged(marked, 'applied', cause.verb), standing: next });
}

function skipped(base: OperatedBase, cause: OperatorCause, hold: Hold | null): Change {
  return hold?.poison
    ? released(base, cause, hold, resumed(base, hold))
    : settled(base, cause, hold, 'skipped');
}

/** `null`: somebody was faster, and it may be held for another reason by now. */
function continued(base: OperatedBase, cause: OperatorCause, hold: Hold | null): Change | null {
  return hold?.why === 'version' ? released(base, cause, hold, resumed(base, hold)) : null;
}

function replayed(base: OperatedBase, cause: OperatorCause, hold: Hold | null): Change {
  if (hold === null)
    throw refused(cause, `its status is '${base.instance.status}'; only held instances are replayed`);
  return released(base, cause, hold, hold.why === 'undo' ? retried(base, cause, hold) : resumed(base, hold));
}

/** As it stood before it was held, with undo steps that nobody started meanwhile. */
function resumed(base: OperatedBase, hold: Hold): Standing {
  const { was } = hold;
  const steps = base.undo.entries.filter((entry) => isUnrun(entry, hold));
  if (steps.length > 0) return { ...begunAgain(base.undo, steps), status: was };
  return was === 'compensating' ? goOn(base, base.undo) : standing(was, base.undo);
}

/** Whether the row of a step is gone, though it was never run. */
function isUnrun({ no, status }: UndoEntry, hold: Hold | null): boolean {
  return status === 'running' && hold?.unrun?.includes(no) === true;
}

function begunAgain(undo: UndoLog, steps: readonly UndoEntry[]): Standing {
  const next = steps.reduce((log, { no, round = 0 }) => log.with(no, { round: round + 1 }), undo);
  return startUndo(
    next,
    steps.map(({ no }) => next.find(no) as UndoEntry),
  );
}

function released(base: OperatedBase, cause: OperatorCause, hold: Hold | null, next: Standing): Change {
  const change = audited(base, cause, { ...unchanged(base, 'applied', cause.verb), standing: next });
  return { ...change, timers: hold === null ? NO_TIMER_CHANGES : timersOf(hold) };
}

/** A change of nothing but the history. */
export function auditedOnly(base: OperatedBase, cause: OperatorCause): Change {
  return audited(base, cause, unchanged(base, 'applied', cause.verb));
}

/** With the line of history that says who did it, in place of that of `unchanged`. */
function audited({ instance }: OperatedBase, cause: OperatorCause, change: Change): Change {
  const { verb, by, reason, step } = cause;
  const detail = toJson({ by, reason, ...(step === undefined ? {} : { step }) }, 'audit');
  const line: Line = {
    kind: verb === 'release' ? 'released' : 'operator',
    name: verb,
    from: instance.state,
    to: null,
    detail,
  };
  const others = change.stimulus.cause.kind === 'operator' ? undoLines(change.standing) : change.history;
  return { ...change, history: [line, ...others] };
}

function timersOf({ timers }: Hold): TimerChanges {
  const arm = timers.map(({ name, token, payload }) => ({ name, token, delayMs: 0, payload }));
  return { arm, disarm: [] };
}

/** The failed steps that are meant; of a held instance also those that could not be run at all. */
function chosen(base: OperatedBase, cause: OperatorCause, hold: Hold | null): readonly UndoEntry[] {
  const open = base.undo.entries.filter(
    (entry) =>
      entry.status === 'failed' ||
      (hold?.why === 'undo' && entry.status === 'running') ||
      isUnrun(entry, hold),
  );
  const steps = open.filter(({ no }) => cause.step === undefined || cause.step === no);
  if (steps.length > 0) return steps;
  const failed = open.map(({ no, name }) => `${no} (${name})`).join(', ') || 'none';
  throw refused(cause, `there is no such failed undo step. Failed: ${failed}`);
}

function refusePoison(cause: OperatorCause, hold: Hold | null): void {
  if (hold?.poison)
    throw refused(cause, `it is held by a message that can't be handled; 'replay' or 'skip' that`);
}

function refused({ verb, instance }: OperatorCause, reason: string): OperatorRefusedError {
  return new OperatorRefusedError(verb, instance, `${reason}.`);
}
