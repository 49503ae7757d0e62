import { errorText } from '../../errors/error-text.js';
import { toJson } from '../../message/json.js';
import type { CurrentInstance, SagaStatus, WorkRecord } from '../../ports/records.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import { DEFAULT_UNDO_RULES, type UndoRules } from '../undo-policy.js';
import { unchanged, undoLines, type Base, type Line } from './base.js';
import type { Change } from './build-commit.js';
import { hasEnded, proceedUndo, standing, startUndo, undoWork, type Standing } from './decision.js';
import type { Hold } from './hold.js';
import { stateName } from './step.js';
import type { Cause, UndoneCause } from './stimulus.js';
import type { UndoEntry, UndoLog } from './undo-log.js';

/** Rounds in which an answer is waited for, where the policy names no number of tries. */
const ROUNDS = 3;

/** The rules of one undo step. */
export function rulesOf(saga: CompiledSaga, name: string): UndoRules {
  return saga.definition.undo.get(name) ?? DEFAULT_UNDO_RULES;
}

/** What the outcome of a round does; `null`: that round is over already. `sent`: the work that its commands come to. */
export function undoOutcome(base: Base, cause: UndoneCause, sent: readonly WorkRecord[]): Change | null {
  const entry = base.undo.find(cause.no);
  if (entry === undefined || (entry.round ?? 0) !== cause.round) return null;
  if (entry.status !== (cause.expired ? 'awaiting' : 'running')) return null;
  const rules = rulesOf(base.saga, entry.name);
  if (cause.expired) return expired(base, entry, rules);
  if (cause.error !== undefined) return failed(base, entry, rules, cause.error);
  if (rules.answeredBy !== undefined && sent.length > 0) return awaiting(base, entry, rules, sent);
  return { ...done(base, entry), work: sent };
}

/** The step whose command a message answers, if it is one that a policy names. */
export function answeredStep(
  { saga, undo }: Pick<Base, 'saga' | 'undo'>,
  cause: Extract<Cause, { kind: 'message' }>,
): UndoEntry | undefined {
  const { name, causationId } = cause.envelope;
  const open = undo.entries.filter(({ status, name: step }) => {
    if (status !== 'awaiting') return false;
    const { answeredBy, refusedBy } = rulesOf(saga, step);
    return answeredBy === name || refusedBy === name;
  });
  const exact = open.find(({ awaits = [] }) => causationId !== null && awaits.includes(causationId));
  // An answer from outside may not know which message it answers.
  return exact ?? (open.length === 1 ? open[0] : undefined);
}

/** What an answer does. */
export function undoAnswer(base: Base, entry: UndoEntry, messageName: string): Change {
  const rules = rulesOf(base.saga, entry.name);
  if (rules.refusedBy !== messageName) return done(base, entry);
  return failed(base, entry, rules, `its command was refused by '${messageName}'`);
}

/** Goes on undoing; what a saga has done late is undone, but its success stands. */
export function goOn({ saga, snapshot, notes }: Base, undo: UndoLog): Standing {
  const next = proceedUndo(undo);
  if (next.status !== 'compensated') return next;
  if (notes.cancelled) return { ...next, status: 'cancelled' };
  const isSuccess = saga.definition.ends[stateName(saga, snapshot)] === 'success';
  return isSuccess ? { ...next, status: 'completed' } : next;
}

function done(base: Base, entry: UndoEntry): Change {
  const undo = base.undo.with(entry.no, { status: 'done' });
  return after(base, entry, 'undone', resume(base, entry, undo));
}

function awaiting(base: Base, entry: UndoEntry, rules: UndoRules, sent: readonly WorkRecord[]): Change {
  const { saga, ref, stimulus } = base;
  const undo = base.undo.with(entry.no, {
    status: 'awaiting',
    awaits: [...new Set(sent.map(({ id }) => id))],
  });
  const { no, name, input, round = 0 } = entry;
  const payload = { key: stimulus.key, instance: ref.id, no, name, input, round, expired: true };
  const { name: sagaName, version: definitionVersion } = saga.definition;
  const limit = undoWork(sagaName, ref.tenant, { ...payload, definitionVersion }, rules.answerTimeoutMs);
  const change = after(base, entry, 'undo-sent', standing(statusOf(base), undo));
  return { ...change, work: [...sent, limit] };
}

function expired(base: Base, entry: UndoEntry, rules: UndoRules): Change {
  const round = (entry.round ?? 0) + 1;
  if (round >= (rules.attempts ?? ROUNDS))
    return failed(base, entry, rules, `no '${rules.answeredBy}' came within ${rules.answerTimeoutMs} ms`);
  const undo = base.undo.with(entry.no, { round });
  const again = { ...entry, round };
  const started = startUndo(undo, [again]);
  return after(base, entry, 'undo-unanswered', { ...started, status: statusOf(base) });
}

function failed(base: Base, entry: UndoEntry, rules: UndoRules, error: string): Change {
  const undo = base.undo.with(entry.no, { status: 'failed', error });
  const detail = toJson({ error }, 'undo error');
  const failing = (next: Standing): Change => after(base, entry, 'undo-failed', next, detail);
  if (rules.onFailure === 'escalate' && mayHold(base, entry)) {
    const hold: Hold = {
      was: statusOf(base),
      why: 'undo',
      error: errorText(`Compensation '${entry.name}' failed for good: ${error}`),
      attempts: 0,
      poison: null,
      timers: [],
    };
    return { ...failing(standing('held', undo)), hold };
  }
  if (entry.detached === true || rules.onFailure === 'continue' || isHalted(base))
    return failing(resume(base, entry, undo));
  return failing(standing('compensation-failed', undo));
}

/** An end stays one, and what has halted already waits for an operator. */
function mayHold(base: Base, { detached }: UndoEntry): boolean {
  return detached === true ? !hasEnded(statusOf(base)) : !isHalted(base);
}

/** A step of a scope may end after another one has stopped the whole; one that undoes an activity may end at any time. */
function resume(base: Base, { detached }: UndoEntry, undo: UndoLog): Standing {
  const status = statusOf(base);
  const concerned = detached === true ? isUndone(status) : status === 'compensating';
  return concerned ? goOn(base, undo) : standing(status, undo);
}

/** Whether an instance is being undone, or was: then how well it was tells its status. */
export function isUndone(status: SagaStatus): boolean {
  return status === 'compensating' || status === 'compensated' || status === 'partially-compensated';
}

function isHalted(base: Base): boolean {
  return statusOf(base) !== 'compensating';
}

function statusOf({ instance }: Base): SagaStatus {
  return (instance as CurrentInstance).status;
}

function after(
  base: Base,
  { name }: UndoEntry,
  kind: string,
  next: Standing,
  detail: string | null = null,
): Change {
  const line: Line = { kind, name, from: null, to: null, detail };
  return { ...unchanged(base, 'applied', name), standing: next, history: [line, ...undoLines(next)] };
}
