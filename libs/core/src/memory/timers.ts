import type { Claimed, ClaimRequest, DueTimer, InstanceRef, TimerRecord } from '../ports/index.js';
import { timerName } from './names.js';

/** Names one arming of a timer. */
export type TimerToken = InstanceRef & { readonly name: string; readonly token: string };

interface TimerRow extends TimerRecord {
  readonly dueAt: number;
  /** Given back: not to be claimed before. */
  notBefore: number;
  leasedUntil: number;
  /** Who has it, or had it and never said what became of it. */
  owner: string | null;
  attempts: number;
}

/** The timers of all instances. */
export class Timers {
  private readonly rows = new Map<string, TimerRow>();

  /** Arms a timer; one of the same name is replaced, with its token, lease and attempts. */
  arm(timer: TimerRecord, now: number): void {
    const { tenant, saga, id, name, token, delayMs, payload } = timer;
    const dueAt = now + delayMs;
    const row = { tenant, saga, id, name, token, delayMs, payload, dueAt };
    const rowName = timerName(timer);
    this.rows.delete(rowName);
    this.rows.set(rowName, { ...row, notBefore: dueAt, leasedUntil: -Infinity, owner: null, attempts: 0 });
  }

  disarm(ref: InstanceRef, name: string): void {
    this.rows.delete(timerName({ ...ref, name }));
  }

  claim(request: ClaimRequest, now: number): Claimed<DueTimer> {
    const wanted = new Set(request.destinations);
    const rows = [...this.rows.values()].filter((row) => wanted.has(row.saga));
    const due = rows.filter((row) => claimableAt(row) <= now).sort((a, b) => a.dueAt - b.dueAt);
    const items = due.slice(0, request.limit).map((row) => lend(row, request, now));
    const nextDue = rows.reduce((least, row) => Math.min(least, claimableAt(row)), Infinity);
    return { items, nextDueMs: nextDue === Infinity ? null : Math.max(0, nextDue - now) };
  }

  begin(timer: TimerToken, owner: string): number | null {
    const row = this.current(timer);
    if (row?.owner !== owner) return null;
    row.attempts += 1;
    return row.attempts;
  }

  drop(timer: TimerToken): void {
    if (this.current(timer) !== undefined) this.rows.delete(timerName(timer));
  }

  /** The instance goes, and with it its timers. */
  removeAll({ tenant, saga, id }: InstanceRef): void {
    for (const [name, row] of this.rows) {
      if (row.tenant === tenant && row.saga === saga && row.id === id) this.rows.delete(name);
    }
  }

  /** All that are armed. */
  all(): Iterable<TimerRecord> {
    return this.rows.values();
  }

  release(timer: TimerToken, delayMs: number, counted: boolean, now: number): void {
    const row = this.current(timer);
    if (row === undefined) return;
    if (!counted) row.attempts = Math.max(0, row.attempts - 1);
    row.owner = null;
    row.notBefore = now + delayMs;
    row.leasedUntil = -Infinity;
  }

  /** The row, if it still is the arming that the caller speaks of. */
  private current(timer: TimerToken): TimerRow | undefined {
    const row = this.rows.get(timerName(timer));
    return row?.token === timer.token ? row : undefined;
  }
}

function claimableAt(row: TimerRow): number {
  return Math.max(row.notBefore, row.leasedUntil);
}

function lend(row: TimerRow, { owner, leaseMs }: ClaimRequest, now: number): DueTimer {
  const suspect = row.owner !== null;
  row.leasedUntil = now + leaseMs;
  row.owner = owner;
  if (!suspect) row.attempts += 1;
  const { tenant, saga, id, name, token, delayMs, payload, attempts, dueAt } = row;
  return { tenant, saga, id, name, token, delayMs, payload, attempts, suspect, dueAt };
}
