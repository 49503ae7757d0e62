import type { Commit, KeyClaim, TimerRecord, WriteOptions } from '@nestjs-orchestrator/core/ports';
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
    ...historyColumns(commits),
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
      each(commits, ({ keys }) => keys.filter(({ many }) => many === true)),
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
  ];
}

function each<T>(commits: readonly Commit[], pick: (commit: Commit) => readonly T[]): readonly Of<T>[] {
  return commits.flatMap((commit, index) => pick(commit).map((it) => ({ n: index + 1, it })));
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

function historyColumns(commits: readonly Commit[]): unknown[][] {
  return columns(
    each(commits, ({ history }) => history.map((line, ordinal) => ({ ...line, ordinal }))),
    ({ n }) => n,
    ({ it }) => it.ordinal,
    ({ it }) => it.kind,
    ({ it }) => it.name,
    ({ it }) => it.messageId,
    ({ it }) => it.from,
    ({ it }) => it.to,
    ({ it }) => it.detail,
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
  const drafts = commits.flatMap(({ work, wakeIfParked }, index): Draft[] => {
    const entry = index + 1;
    const rows = work.map((record) => ({ entry, record, wake: false }));
    return wakeIfParked ? [...rows, { entry, record: wakeIfParked, wake: true }] : rows;
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
