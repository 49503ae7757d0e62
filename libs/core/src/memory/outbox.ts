import type {
  Claimed,
  ClaimedWork,
  ClaimRequest,
  WorkKey,
  WorkRecord,
  WriteOptions,
} from '../ports/index.js';
import type { DeadLetters } from './dead-letters.js';
import { laneName, workName } from './names.js';

/** Work that isn't done yet. */
interface WorkRow extends WorkRecord {
  readonly laneName: string | null;
  /** Not to be claimed before; by the store's clock. */
  notBefore: number;
  owner: string | null;
  leasedUntil: number;
  attempts: number;
  /** Given up: nobody gets it again, but its lane holds behind it. */
  dead: boolean;
}

/** For whom new work is born leased; `null`: for nobody. */
export type BirthLease = Pick<WriteOptions, 'owner' | 'leaseMs'> | null;

/** What became of rows to be written. */
export interface Written {
  /** All rows without a delay are leased to the writer. */
  readonly leased: boolean;
  /** How many were new. */
  readonly added: number;
}

/** The outbox: rows in the order they were written, and their queues. */
export class Outbox {
  private readonly rows = new Map<string, WorkRow>();
  private readonly lanes = new Map<string, Set<WorkRow>>();

  constructor(private readonly letters: DeadLetters) {}

  /** Writes what is new, leased to the writer if all of it may be dispatched now, else to nobody. */
  write(work: readonly WorkRecord[], now: number, lease: BirthLease): Written {
    const fresh = work.map((record) => this.insert(record, now)).filter((row) => row !== null);
    const ready = fresh.filter((row) => row.delayMs <= 0);
    const leased =
      lease !== null && fresh.length === work.length && ready.every((row) => this.isNextAfter(row, ready));
    if (leased) ready.forEach((row) => handOut(row, lease, now));
    return { leased, added: fresh.length };
  }

  claim(request: ClaimRequest, now: number): Claimed<ClaimedWork> {
    const wanted = new Set(request.destinations);
    const items: ClaimedWork[] = [];
    let nextDue = Infinity;
    for (const row of this.rows.values()) {
      if (!wanted.has(row.destination) || row.dead || !this.isHead(row)) continue;
      if (items.length < request.limit && claimableAt(row) <= now) {
        items.push(handOut(row, request, now));
      }
      nextDue = Math.min(nextDue, claimableAt(row));
    }
    return { items, nextDueMs: nextDue === Infinity ? null : Math.max(0, nextDue - now) };
  }

  begin(key: WorkKey, owner: string): number | null {
    const row = this.living(key);
    if (row?.owner !== owner) return null;
    row.attempts += 1;
    return row.attempts;
  }

  renew(keys: readonly WorkKey[], options: WriteOptions, now: number): void {
    for (const key of keys) {
      const row = this.living(key);
      if (row?.owner === options.owner) row.leasedUntil = now + options.leaseMs;
    }
  }

  /** Removes rows; whether another one stood behind one of them. */
  remove(keys: readonly WorkKey[]): boolean {
    let followed = false;
    for (const key of keys) {
      const name = workName(key);
      const row = this.rows.get(name);
      if (row === undefined) continue;
      this.rows.delete(name);
      followed = this.leaveLane(row) || followed;
    }
    return followed;
  }

  release(key: WorkKey, delayMs: number, counted: boolean, now: number): void {
    const row = this.living(key);
    if (row === undefined) return;
    if (!counted) row.attempts = Math.max(0, row.attempts - 1);
    row.notBefore = now + delayMs;
    row.owner = null;
    row.leasedUntil = -Infinity;
  }

  bury(key: WorkKey, reason: string, detail: string | null, now: number): void {
    const row = this.living(key);
    if (row === undefined) return;
    row.dead = true;
    row.owner = null;
    const { tenant, destination, id, payload, attempts } = row;
    this.letters.add({ tenant, destination, id, payload, attempts, reason, detail, at: now });
  }

  /** A dead row may be claimed again, as if it had never been tried. `false`: there is no such row. */
  revive(record: WorkRecord, now: number): boolean {
    const row = this.rows.get(workName(record));
    if (row === undefined) return false;
    if (row.dead)
      Object.assign(row, { dead: false, attempts: 0, owner: null, leasedUntil: -Infinity, notBefore: now });
    return true;
  }

  /** Whether the row is a dead one, that holds its lane. */
  isDead(key: WorkKey): boolean {
    return this.rows.get(workName(key))?.dead === true;
  }

  /** How many there are for each destination. */
  counts(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>();
    for (const { destination, dead } of this.rows.values()) {
      if (!dead) counts.set(destination, (counts.get(destination) ?? 0) + 1);
    }
    return counts;
  }

  private living(key: WorkKey): WorkRow | undefined {
    const row = this.rows.get(workName(key));
    return row?.dead === true ? undefined : row;
  }

  private insert(record: WorkRecord, now: number): WorkRow | null {
    const name = workName(record);
    if (this.rows.has(name)) return null;
    const row = newRow(record, now);
    this.rows.set(name, row);
    if (row.laneName !== null) this.lane(row.laneName).add(row);
    return row;
  }

  private lane(name: string): Set<WorkRow> {
    let lane = this.lanes.get(name);
    if (lane === undefined) this.lanes.set(name, (lane = new Set()));
    return lane;
  }

  private leaveLane(row: WorkRow): boolean {
    if (row.laneName === null) return false;
    const lane = this.lane(row.laneName);
    lane.delete(row);
    if (lane.size === 0) this.lanes.delete(row.laneName);
    return lane.size > 0;
  }

  private isHead(row: WorkRow): boolean {
    return this.isNextAfter(row, []);
  }

  /** Whether nothing stands before `row` in its lane but rows of `others`. */
  private isNextAfter(row: WorkRow, others: readonly WorkRow[]): boolean {
    if (row.laneName === null) return true;
    for (const earlier of this.lane(row.laneName)) {
      if (earlier === row) return true;
      if (!others.includes(earlier)) return false;
    }
    return true;
  }
}

function newRow(record: WorkRecord, now: number): WorkRow {
  const { tenant, destination, id, lane, payload, delayMs } = record;
  return {
    tenant,
    destination,
    id,
    lane,
    payload,
    delayMs,
    laneName: lane === null ? null : laneName({ tenant, destination, lane }),
    notBefore: now + delayMs,
    owner: null,
    leasedUntil: -Infinity,
    attempts: 0,
    dead: false,
  };
}

function claimableAt(row: WorkRow): number {
  return Math.max(row.notBefore, row.leasedUntil);
}

/** Leases a row; of what somebody had who never said what became of it, no attempt is counted. */
function handOut(row: WorkRow, lease: Pick<WriteOptions, 'owner' | 'leaseMs'>, now: number): ClaimedWork {
  const suspect = row.owner !== null;
  row.owner = lease.owner;
  row.leasedUntil = now + lease.leaseMs;
  if (!suspect) row.attempts += 1;
  const { tenant, destination, id, lane, payload, delayMs, attempts } = row;
  return { tenant, destination, id, lane, payload, delayMs, attempts, suspect };
}
