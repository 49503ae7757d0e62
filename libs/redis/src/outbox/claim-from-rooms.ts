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
  const claim = async (from: readonly Room[], share: number): Promise<void> => {
    const answers = await connection.runAll(from.map((room) => callOf(room, share)));
    answers.forEach((answer, n) => {
      if (answer instanceof Error) throw answer;
      const room = from[n];
      if (room === undefined) return;
      const [ms, ...rows] = answer as Reply;
      if (ms === '') next.delete(room);
      else next.set(room, Number(ms));
      for (let n = 0; n + 2 < rows.length; n += 3) {
        const [record, attempts, suspect] = rows.slice(n, n + 3);
        items.push(
          itemOf(room, { record: String(record), attempts: Number(attempts), suspect: suspect === 1 }),
        );
      }
    });
  };
  await claim(rooms, rooms.length === 1 ? limit : 0);
  if (rooms.length > 1) await share(next, limit, items, claim);
  const least = Math.min(...next.values());
  return { items, nextDueMs: Number.isFinite(least) ? Math.max(0, least) : null };
}

async function share(
  next: ReadonlyMap<Room, number>,
  limit: number,
  items: readonly unknown[],
  claim: (from: readonly Room[], share: number) => Promise<void>,
): Promise<void> {
  for (;;) {
    const due = dueRooms(next);
    const before = items.length;
    const left = limit - before;
    if (due.length === 0 || left <= 0) return;
    await claim(due.slice(0, left), Math.max(1, Math.floor(left / due.length)));
    // Others claimed what was due: enough was tried.
    if (items.length === before) return;
  }
}

function dueRooms(next: ReadonlyMap<Room, number>): readonly Room[] {
  const waiting = [...next].map(([room, nextMs]): Waiting => ({ room, nextMs }));
  return waiting
    .filter(({ nextMs }) => nextMs <= 0)
    .toSorted((a, b) => a.nextMs - b.nextMs)
    .map(({ room }) => room);
}
