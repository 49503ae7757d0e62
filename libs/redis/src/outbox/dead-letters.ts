import type {
  DeadLetter,
  DeadLetterFilter,
  Settlement,
  SettleRequest,
} from '@nestjs-orchestrator/core/ports';
import type { Connection } from '../connection/connection.js';
import { preludeLua } from '../connection/prelude.lua.js';
import { Parameters, script } from '../connection/script.js';
import { unpackDelivery } from '../delivery/delivery-record.js';
import { encode } from '../naming/encode.js';
import type { Rooms } from '../naming/rooms.js';
import { deadLettersLua } from './dead-letters.lua.js';
import { mustBeOf, pushRemovals, pushWork, workRecord } from './work-parameters.js';
import { workLua } from './work.lua.js';

/** Newest first: whoever looks wants to know what goes wrong now. */
const listScript = script(
  preludeLua,
  deadLettersLua,
  `
local list, edge, before, limit = take(), take(), take(), takeNumber()
local from = before == '' and '(' .. string.sub(list, 1, -2) .. '0' or edge .. list .. before
local found = {}
for n, member in ipairs(redis.call('ZREVRANGEBYLEX', deadOrder, from, '[' .. list, 'LIMIT', 0, limit)) do
  local letter = string.sub(member, #list + 1)
  found[n] = { letter, letterOf(letter) }
end
return found`,
);

const readScript = script(preludeLua, deadLettersLua, `return letterOf(take())`);

/** 0: there is no such letter, or it is settled. Else 1, and whether others may find work now. */
const settleScript = script(
  preludeLua,
  workLua,
  deadLettersLua,
  `
local letter, settlement, replays = take(), take(), take() == '1'
local removals, work = takeRemovals(), takeWork()
local found = letterOf(letter)
if not found or found[SETTLED] ~= '' then return { 0, 0 } end
checkWork(removals, work)
checkDeadLetters()
found[SETTLED], found[SETTLED_AT] = settlement, text(now)
redis.call('HSET', deadRow, letter, cmsgpack.pack(found))
redis.call('ZADD', deadSettled, text(now), letter)
listLetter('ZREM', 'o', letter, found[DESTINATION])
listLetter('ZADD', 's', letter, found[DESTINATION])
if not replays then
  local dead = removals[1]
  local meta = workOf(dead.name)
  if not meta or meta[DEAD] == 0 then return { 1, 0 } end
  return { 1, removeWork(dead.name, dead.due, dead.lanes) and 1 or 0 }
end
local row = work[1]
local meta = workOf(row.name)
if not meta then
  writeWork(work, '', nil)
elseif meta[DEAD] == 1 then
  meta[DEAD], meta[ATTEMPTS], meta[OWNER], meta[AT] = 0, 0, '', now
  keepWork(row.name, meta)
  local member = meta[SEQ] .. '/' .. row.name
  if meta[LANE] == '' or firstOf(row.lanes, meta[LANE]) == meta[LANE] .. member then redis.call('ZADD', row.due, text(now), member) end
end
return { 1, 1 }`,
);

type Row = readonly [
  kind: 'work' | 'delivery',
  record: string,
  reason: string,
  attempts: number,
  at: string,
  detail: string,
  destination: string,
  settled: string,
  settledAt: string,
];

const MOST = 10_000;
/** Instant and number. */
const NAME_LENGTH = 33;
const LETTER = /^\d{16}-\d{16}@/;

/** What was given up, of one tenant or of all. */
export async function deadLetters(
  connection: Connection,
  rooms: Rooms,
  filter: DeadLetterFilter,
): Promise<readonly DeadLetter[]> {
  const limit = filter.limit ?? MOST;
  if (limit <= 0) return [];
  const wanted = filter.tenant === undefined ? await rooms.all() : [rooms.of(filter.tenant)];
  const list = `${filter.settled === true ? 's' : 'o'}${filter.destination === undefined ? '' : `d/${encode(filter.destination)}`}/`;
  const calls = wanted.map((room) => ({
    script: listScript,
    keys: room.fixed,
    args: ['0', list, ...edgeOf(room.tenant, filter.before), limit],
  }));
  const answers = await connection.runAll(calls);
  const letters = answers.flatMap((answer, n) => {
    if (answer instanceof Error) throw answer;
    const tenant = wanted[n]?.tenant ?? '';
    return (answer as readonly (readonly [string, Row])[]).map(([name, row]) => letterOf(tenant, name, row));
  });
  return letters.toSorted((a, b) => (a.letter < b.letter ? 1 : -1)).slice(0, limit);
}

/**
 * Where a tenant's letters before that one begin. Names grow in each tenant, and two tenants may have the same: a letter is told by its name and its
 * tenant, so that a page which ends between such two hides neither.
 */
function edgeOf(tenant: string, before: string | undefined): readonly [edge: '(' | '[', name: string] {
  if (before === undefined) return ['(', ''];
  const name = before.slice(0, NAME_LENGTH);
  if (!LETTER.test(before))
    throw new RangeError(
      `"${before}" is not the \`letter\` of a dead letter: list again without \`before\`.`,
    );
  return [letterName(tenant, name) < before ? '[' : '(', name];
}

function letterName(tenant: string, name: string): string {
  return `${name}@${encode(tenant)}`;
}

/** Settles an open letter; its work goes on, or its row goes. */
export async function settleDeadLetter(
  connection: Connection,
  rooms: Rooms,
  { tenant, letter, settlement, work, now }: SettleRequest,
): Promise<{ readonly settled: boolean; readonly claimable: boolean }> {
  const room = rooms.of(tenant);
  const name = letter.slice(0, NAME_LENGTH);
  const row = await connection.run({ script: readScript, keys: room.fixed, args: ['0', name] });
  if (row === null) return { settled: false, claimable: false };
  const dead = letterOf(tenant, name, row as Row);
  const parameters = new Parameters(...room.fixed);
  const { verb, by, reason } = settlement;
  parameters.push(now ?? '', name, JSON.stringify([verb, by, reason]), work === null ? '0' : '1');
  pushRemovals(parameters, room, work === null ? [dead] : []);
  if (work !== null) mustBeOf(tenant, [work]);
  pushWork(parameters, room, work === null ? [] : [work]);
  const { keys, args } = parameters;
  const answer = await connection.run({ script: settleScript, keys, args });
  const [settled, claimable] = answer as readonly [0 | 1, 0 | 1];
  return { settled: settled === 1, claimable: claimable === 1 };
}

function letterOf(tenant: string, name: string, row: Row): DeadLetter {
  const [kind, record, reason, attempts, at, detail, , settled, settledAt] = row;
  const about = kind === 'delivery' ? lostDelivery(tenant, record, reason) : lostWork(tenant, record, reason);
  return {
    ...about,
    letter: letterName(tenant, name),
    detail: detail === '' ? null : detail.slice(1),
    attempts,
    at: Number(at),
    settled: settled === '' ? null : settlementOf(settled, Number(settledAt)),
  };
}

function lostWork(tenant: string, record: string, reason: string) {
  const { destination, id, payload } = workRecord(tenant, record);
  return { tenant, destination, id, payload, reason };
}

function lostDelivery(tenant: string, record: string, reason: string) {
  const { saga, messageId, payload, ttlMs } = unpackDelivery(record);
  const why = reason === '' ? `nobody answered it within ${ttlMs} ms` : reason;
  return { tenant, destination: `saga:${saga}`, id: messageId, payload, reason: why };
}

function settlementOf(text: string, at: number): Settlement {
  const [verb, by, reason] = JSON.parse(text) as [Settlement['verb'], string, string];
  return { verb, by, reason, at };
}
