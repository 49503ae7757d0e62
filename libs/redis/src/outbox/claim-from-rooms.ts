import type { Claimed } from '@nestjs-orchestrator/core/ports';
import type { Connection } from '../connection/connection.js';
import type { Call } from '../connection/script.js';
import type { Room } from '../naming/room.js';

type Reply = readonly [next: string, ...rows: readonly (string | number)[]];

/** What a script says of a row that it leased. */
export interface ClaimedRow {
  readonly record: string;
  readonly attempts: number;
  readonly suspect: boolean;
}

/** A room, and in how many milliseconds it has something to claim; negative: for so long it has been waiting. */
interface Waiting {
  readonly room: Room;
  readonly nextMs: number;
}

/** What came of one round: rooms that had as much as they were asked for, and so may have more. */
type Claim = (from: readonly Room[], share: number) => Promise<readonly Room[]>;

/**
 * Claims from all tenants. With one of them that is one script. With several, all are asked first how long their next row has been due, and those
 * with due rows then share the hand, who waited longest first.
 */
export async function claimFromRooms<T>(
  connection: Connection,
  rooms: readonly Room[],
  limit: number,
  callOf: (room: Room, limit: number) => Call,
  itemOf: (room: Room, row: ClaimedRow) => T,
): Promise<Claimed<T>> {
  const items: T[] = [];
  const next = new Map<Room, number>();
  const claim: Claim = async (from, share) => {
    const answers = await connection.runAll(from.map((room) => callOf(room, share)));
    return from.filter((room, n) => {
      const answer = answers[n];
      if (answer instanceof Error) throw answer;
      const [ms, ...fields] = answer as Reply;
      if (ms === '') next.delete(room);
      else next.set(room, Number(ms));
      const rows = rowsOf(fields);
      items.push(...rows.map((row) => itemOf(room, row)));
      return rows.length >= share;
    });
  };
  await claim(rooms, rooms.length === 1 ? limit : 0);
  if (rooms.length > 1) await shareOut(dueRooms(next), limit, items, claim);
  const least = Math.min(...next.values());
  return { items, nextDueMs: Number.isFinite(least) ? Math.max(0, least) : null };
}

/** Goes on with those that may have more, until the hand is full. */
async function shareOut(
  due: readonly Room[],
  limit: number,
  items: readonly unknown[],
  claim: Claim,
): Promise<void> {
  for (let rooms = due; rooms.length > 0 && items.length < limit;) {
    const left = limit - items.length;
    rooms = await claim(rooms.slice(0, left), Math.max(1, Math.floor(left / rooms.length)));
  }
}

function rowsOf(fields: readonly (string | number)[]): readonly ClaimedRow[] {
  const rows: ClaimedRow[] = [];
  for (let n = 0; n + 2 < fields.length; n += 3) {
    const [record, attempts, suspect] = fields.slice(n, n + 3);
    rows.push({ record: String(record), attempts: Number(attempts), suspect: suspect === 1 });
  }
  return rows;
}

function dueRooms(next: ReadonlyMap<Room, number>): readonly Room[] {
  const waiting = [...next].map(([room, nextMs]): Waiting => ({ room, nextMs }));
  return waiting
    .filter(({ nextMs }) => nextMs <= 0)
    .toSorted((a, b) => a.nextMs - b.nextMs)
    .map(({ room }) => room);
}
