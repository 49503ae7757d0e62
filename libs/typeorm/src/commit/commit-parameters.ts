import type {
  Commit,
  HistoryRecord,
  InboxRecord,
  KeyClaim,
  TimerRecord,
  WorkRecord,
  WriteOptions,
} from '@nestjs-orchestrator/core/ports';
import { columns } from '../database/statement.js';
import { withClearLanes, type Draft } from '../outbox/clear-lanes.js';

/** One thing of one of the entries, which are numbered from 1 as the subscripts of Postgres are. */
interface Of<T> {
  readonly n: number;
  readonly it: T;
}

/** The parameters of `commitSql`, in its order: one array per field. Pure. */
export function commitParameters(
  commits: readonly Commit[],
  options: Omit<WriteOptions, 'owner'> & { readonly owner: string | null },
): unknown[] {
  const told = commits.map(linesOf);
  return [
    options.now,
    options.owner,
    options.leaseMs,
    ...itemColumns(commits),
    ...columns(
      each(commits, ({ keys }) => uniqueKeys(keys)),
      ({ n }) => n,
      ({ it }) => it.name,
      ({ it }) => it.value,
    ),
    ...timerColumns(commits),
    ...historyColumns(told),
    ...deliveryColumns(commits),
    ...columns(
      each(commits, ({ done }) => done),
      ({ n }) => n,
      ({ it }) => it.tenant,
      ({ it }) => it.destination,
      ({ it }) => it.id,
    ),
    ...workColumns(commits, options.owner !== null),
    ...columns(
      each(commits, ({ keys }) => (keys.length === 0 ? NONE : keys.filter(({ many }) => many === true))),
      ({ n }) => n,
      ({ it }) => it.name,
      ({ it }) => it.value,
    ),
    commits.map(({ ifUnseen }) => ifUnseen === true),
    ...columns(
      commits,
      ({ next }) => next.hold,
      ({ lease }) => lease,
      ({ supersedes }) => supersedes,
    ),
    ...columns(
      each(commits, ({ inboxBefore = [] }) => inboxBefore),
      ({ n }) => n,
      ({ it }) => it.messageId,
      ({ it }) => it.outcome,
      ({ it }) => it.reply,
    ),
    ...columns(
      each(commits, ({ consumed = [] }) => consumed),
      ({ n }) => n,
      ({ it }) => it.message.tenant,
      ({ it }) => it.message.destination,
      ({ it }) => it.message.id,
      ({ it }) => it.outcome,
    ),
    ...lineColumns(told.map(({ last }) => last)),
    ...lineColumns(told.flatMap(({ before }) => before)),
  ];
}

/** A line of history, and its place among those of its commit. */
interface Line {
  readonly line: HistoryRecord;
  readonly ordinal: number;
}

const NONE: readonly never[] = [];

/** Where the lines of a commit are written. */
interface Lines {
  /** With its message in the inbox; `undefined`: that leaves no line. */
  readonly last: Line | undefined;
  /** The same of those that were handled on the way. */
  readonly before: readonly (Line | undefined)[];
  /** In the history. */
  readonly rest: readonly Line[];
}

/**
 * The first line that the handling of a message leaves goes into its row of the inbox, where that is certainly a new one. A row that is there already, of a
 * message that has waited, keeps the line that it has.
 */
function linesOf({ history, inbox, inboxBefore = NONE, ifUnseen }: Commit): Lines {
  const [only] = history;
  // What nearly every commit has.
  if (
    ifUnseen === true &&
    history.length === 1 &&
    inboxBefore.length === 0 &&
    only?.messageId === inbox?.messageId
  )
    return { last: only && { line: only, ordinal: 0 }, before: NONE, rest: NONE };
  const lines = history.map((line, ordinal) => ({ line, ordinal }));
  if (ifUnseen !== true) return { last: undefined, before: inboxBefore.map(() => undefined), rest: lines };
  const take = (row: InboxRecord | null): Line | undefined => {
    const at = row === null ? -1 : lines.findIndex(({ line }) => line.messageId === row.messageId);
    return at < 0 ? undefined : lines.splice(at, 1)[0];
  };
  const before = inboxBefore.map(take);
  return { before, last: take(inbox), rest: lines };
}

function lineColumns(lines: readonly (Line | undefined)[]): unknown[][] {
  return columns(
    lines,
    (it) => it?.ordinal,
    (it) => it?.line.kind,
    (it) => it?.line.name,
    (it) => it?.line.from,
    (it) => it?.line.to,
    (it) => it?.line.detail,
  );
}

function each<C, T>(commits: readonly C[], pick: (commit: C) => readonly T[]): readonly Of<T>[] {
  // Loops, since most commits have none of most things: flatMap would make two arrays of each.
  const found: Of<T>[] = [];
  commits.forEach((commit, index) => {
    for (const it of pick(commit)) found.push({ n: index + 1, it });
  });
  return found;
}

function itemColumns(commits: readonly Commit[]): unknown[][] {
  const rows = commits.map((it, index) => ({ n: index + 1, it }));
  return columns(
    rows,
    ({ n }) => n,
    ({ it }) => it.ref.tenant,
    ({ it }) => it.ref.saga,
    ({ it }) => it.ref.id,
    ({ it }) => it.expectedVersion,
    ({ it }) => uniqueKeys(it.keys).length,
    ({ it }) => it.next.definitionVersion,
    ({ it }) => it.next.state,
    ({ it }) => it.next.status,
    ({ it }) => it.next.data,
    ({ it }) => it.next.machine,
    ({ it }) => it.next.undo,
    ({ it }) => it.next.ended,
    ({ it }) => it.inbox?.messageId ?? null,
    ({ it }) => it.inbox?.outcome ?? null,
    ({ it }) => it.inbox?.reply ?? null,
  );
}

/** Keys that lead to one instance. A key given twice is one key; Postgres could not update its row twice. */
function uniqueKeys(keys: readonly KeyClaim[]): readonly KeyClaim[] {
  if (keys.length === 0) return keys;
  const unique = keys.filter(({ many }) => many !== true);
  if (unique.length < 2) return unique;
  return [...new Map(unique.map((key) => [JSON.stringify([key.name, key.value]), key])).values()];
}

/** Of a name armed twice the last counts. */
function lastArmed(timers: readonly TimerRecord[]): readonly TimerRecord[] {
  if (timers.length < 2) return timers;
  return [...new Map(timers.map((timer) => [timer.name, timer])).values()];
}

function timerColumns(commits: readonly Commit[]): unknown[][] {
  return [
    ...columns(
      each(commits, ({ timers }) => timers.disarm),
      ({ n }) => n,
      ({ it }) => it,
    ),
    ...columns(
      each(commits, ({ timers }) => lastArmed(timers.arm)),
      ({ n }) => n,
      ({ it }) => it.name,
      ({ it }) => it.token,
      ({ it }) => it.delayMs,
      ({ it }) => it.payload,
    ),
  ];
}

function historyColumns(told: readonly Lines[]): unknown[][] {
  return columns(
    each(told, ({ rest }) => rest),
    ({ n }) => n,
    ({ it }) => it.ordinal,
    ({ it }) => it.line.kind,
    ({ it }) => it.line.name,
    ({ it }) => it.line.messageId,
    ({ it }) => it.line.from,
    ({ it }) => it.line.to,
    ({ it }) => it.line.detail,
  );
}

function deliveryColumns(commits: readonly Commit[]): unknown[][] {
  return [
    ...columns(
      each(commits, ({ deliveries }) => deliveries.done),
      ({ n }) => n,
      ({ it }) => it,
    ),
    ...columns(
      each(commits, ({ deliveries }) => deliveries.add),
      ({ n }) => n,
      ({ it }) => it.messageId,
      ({ it }) => it.payload,
      ({ it }) => it.ttlMs,
    ),
  ];
}

function workColumns(commits: readonly Commit[], leased: boolean): unknown[][] {
  const drafts: Draft[] = [];
  commits.forEach(({ work, wakeIfParked }, index) => {
    const entry = index + 1;
    for (const record of eachOnce(work)) drafts.push({ entry, record, wake: false });
    if (wakeIfParked) drafts.push({ entry, record: wakeIfParked, wake: true });
  });
  return columns(
    withClearLanes(drafts),
    ({ entry }) => entry,
    ({ wake }) => wake,
    ({ clear }) => clear && leased,
    ({ record }) => record.tenant,
    ({ record }) => record.destination,
    ({ record }) => record.id,
    ({ record }) => record.lane,
    ({ record }) => record.payload,
    ({ record }) => record.delayMs,
  );
}

/** The same row twice is one row. */
function eachOnce(work: readonly WorkRecord[]): readonly WorkRecord[] {
  if (work.length < 2) return work;
  const keys = new Set<string>();
  return work.filter(({ tenant, destination, id }) => {
    const { size } = keys;
    return keys.add(JSON.stringify([tenant, destination, id])).size > size;
  });
}
