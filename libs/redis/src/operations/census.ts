import { openUndoSteps, type CensusLine, type StoredInstance } from '@nestjs-orchestrator/core/ports';
import type { Connection } from '../connection/connection.js';
import { script } from '../connection/script.js';
import { query } from '../instance/query.js';
import type { Loads } from '../instance/load.js';
import type { Room } from '../naming/room.js';
import type { Rooms } from '../naming/rooms.js';

const PAGE = 1_000;

/** Names of rows that aren't dead, as a scan finds them: none is missing that was there all the time, but one may come twice. */
const workScript = script(`
local page = redis.call('HSCAN', KEYS[1], ARGV[1], 'COUNT', 1000)
local found = { page[1] }
for n = 1, #page[2], 2 do
  if cmsgpack.unpack(page[2][n + 1])[5] == 0 then found[#found + 1] = page[2][n] end
end
return found`);

/** Counts what a new build must be able to continue. Walks over all that has not ended. */
export async function census(
  connection: Connection,
  rooms: Rooms,
  loads: Loads,
): Promise<readonly CensusLine[]> {
  const lines = new Map<string, CensusLine>();
  const count = (line: CensusLine): void => {
    const { count: more, ...group } = line;
    const name = JSON.stringify(group);
    const before = lines.get(name)?.count ?? 0;
    lines.set(name, { ...line, count: before + more });
  };
  for (const room of await rooms.all()) {
    const sagas = await connection.command((client) => client.smembers(room.sagas));
    for (const saga of sagas.map(decodeURIComponent)) {
      for await (const instance of living(connection, rooms, loads, room, saga))
        countInstance(instance, count);
      for (const name of await timersOf(connection, room, saga))
        count({ kind: 'timers', saga, name, count: 1 });
    }
    for (const [destination, many] of await workOf(connection, room))
      count({ kind: 'work', destination, count: many });
  }
  return [...lines.values()];
}

async function* living(
  connection: Connection,
  rooms: Rooms,
  loads: Loads,
  { tenant }: Room,
  saga: string,
): AsyncGenerator<StoredInstance> {
  const filter = { tenant, saga, ended: false, order: 'oldest', limit: PAGE } as const;
  let cursor: string | null = null;
  do {
    const asked = cursor === null ? filter : { ...filter, cursor };
    const page = await query(connection, rooms, loads, asked, { now: 0 });
    yield* page.items;
    cursor = page.next;
  } while (cursor !== null);
}

function countInstance(instance: StoredInstance, count: (line: CensusLine) => void): void {
  const { saga, definitionVersion, state, status } = instance;
  count({ kind: 'instances', saga, definitionVersion, state, status, count: 1 });
  const open = openUndoSteps(instance.undo);
  if (open === null) count({ kind: 'unreadable', saga, definitionVersion, count: 1 });
  for (const name of open ?? []) count({ kind: 'undo', saga, definitionVersion, name, count: 1 });
}

/** The names of all timers of a saga, each as often as it is armed. A scan may tell one twice. */
async function timersOf(connection: Connection, room: Room, saga: string): Promise<readonly string[]> {
  const members = new Set<string>();
  let cursor = '0';
  do {
    const [next, page] = await connection.command((client) =>
      client.zscan(room.timerDue(saga), cursor, 'COUNT', PAGE),
    );
    for (let n = 0; n < page.length; n += 2) members.add(page[n] as string);
    cursor = next;
  } while (cursor !== '0');
  return [...members].map((member) => decodeURIComponent(member.slice(member.lastIndexOf('/') + 1)));
}

async function workOf(connection: Connection, room: Room): Promise<ReadonlyMap<string, number>> {
  const names = new Set<string>();
  let cursor = '0';
  do {
    const call = { script: workScript, keys: [room.work.meta], args: [cursor] };
    const [next = '0', ...page] = (await connection.run(call)) as readonly string[];
    for (const name of page) names.add(name);
    cursor = next;
  } while (cursor !== '0');
  const counts = new Map<string, number>();
  for (const name of names) {
    const destination = decodeURIComponent(name.slice(0, name.indexOf('/')));
    counts.set(destination, (counts.get(destination) ?? 0) + 1);
  }
  return counts;
}
