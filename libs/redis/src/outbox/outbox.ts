import type { AtInstant, WorkKey, WorkRecord, WriteOptions } from '@nestjs-orchestrator/core/ports';
import type { Connection } from '../connection/connection.js';
import { preludeLua } from '../connection/prelude.lua.js';
import { Parameters, script, type Script } from '../connection/script.js';
import { byTenant } from '../naming/by-tenant.js';
import { FOR_WORK, type Room } from '../naming/room.js';
import type { Rooms } from '../naming/rooms.js';
import { deadLettersLua } from './dead-letters.lua.js';
import { pushRemovals, pushWork } from './work-parameters.js';
import { workLua } from './work.lua.js';

const enqueueScript = script(
  preludeLua,
  workLua,
  `
local owner, lease, work = take(), takeNumber(), takeWork()
checkWork(work)
local leased, added = writeWork(work, owner, lease)
return { leased and 1 or 0, added }`,
);

const completeScript = script(
  preludeLua,
  workLua,
  `
local consumed = takeRemovals()
checkWork(consumed)
return removeAll(consumed) and 1 or 0`,
);

const renewScript = script(
  preludeLua,
  workLua,
  `
local owner, lease, rows = take(), takeNumber(), takeRemovals()
checkWork(rows)
for _, row in ipairs(rows) do
  local meta = workOf(row.name)
  if meta and meta[DEAD] == 0 and meta[OWNER] == owner then
    meta[AT] = now + lease
    keepWork(row.name, meta)
    redis.call('ZADD', row.due, 'XX', text(meta[AT]), meta[SEQ] .. '/' .. row.name)
  end
end`,
);

/** Counts the attempt of what is suspect, just before it runs. */
const beginScript = script(
  preludeLua,
  workLua,
  `
local owner, rows = take(), takeRemovals()
checkWork(rows)
local meta = workOf(rows[1].name)
if not meta or meta[DEAD] == 1 or meta[OWNER] ~= owner then return false end
meta[ATTEMPTS] = meta[ATTEMPTS] + 1
keepWork(rows[1].name, meta)
return meta[ATTEMPTS]`,
);

const releaseScript = script(
  preludeLua,
  workLua,
  `
local delay, counted, rows = takeNumber(), take() == '1', takeRemovals()
checkWork(rows)
for _, row in ipairs(rows) do
  local meta = workOf(row.name)
  if meta and meta[DEAD] == 0 then
    meta[AT], meta[OWNER] = now + delay, ''
    if not counted then meta[ATTEMPTS] = math.max(0, meta[ATTEMPTS] - 1) end
    keepWork(row.name, meta)
    redis.call('ZADD', row.due, 'XX', text(meta[AT]), meta[SEQ] .. '/' .. row.name)
  end
end`,
);

const buryScript = script(
  preludeLua,
  workLua,
  deadLettersLua,
  `
local reason, detail, rows = take(), take(), takeRemovals()
checkWork(rows)
checkDeadLetters()
for _, row in ipairs(rows) do
  local meta = workOf(row.name)
  if meta and meta[DEAD] == 0 then
    meta[DEAD], meta[OWNER] = 1, ''
    keepWork(row.name, meta)
    redis.call('ZREM', row.due, meta[SEQ] .. '/' .. row.name)
    giveUp('work', string.match(row.name, '^[^/]*'), redis.call('HGET', workRow, row.name), reason, meta[ATTEMPTS], detail)
  end
end`,
);

/** The outbox outside of commits. Rows of several tenants are written tenant by tenant. */
export class Outbox {
  constructor(
    private readonly connection: Connection,
    private readonly rooms: Rooms,
  ) {}

  /** Adds work; whether all of it was born leased, and whether others may find work now. */
  async enqueue(
    work: readonly WorkRecord[],
    { now, owner, leaseMs }: WriteOptions,
  ): Promise<{ readonly leased: boolean; readonly claimable: boolean }> {
    await this.rooms.register(work.map(({ tenant }) => tenant));
    let [leased, claimable] = [true, false];
    const answers = await this.perTenant(work, enqueueScript, (to, room, rows) => {
      to.push(now ?? '', owner, leaseMs);
      pushWork(to, room, rows);
    });
    for (const [rows, answer] of answers) {
      const [all, added] = answer as readonly [0 | 1, number];
      leased &&= all === 1;
      claimable ||= added > 0 && (all === 0 || rows.some(({ delayMs }) => delayMs > 0));
    }
    return { leased, claimable };
  }

  /** Removes rows; whether others may find work now that was behind them. */
  async complete(keys: readonly WorkKey[]): Promise<boolean> {
    const answers = await this.perTenant(keys, completeScript, (to, room, rows) => {
      to.push('0');
      pushRemovals(to, room, rows);
    });
    return answers.some(([, answer]) => answer === 1);
  }

  async renew(keys: readonly WorkKey[], { now, owner, leaseMs }: WriteOptions): Promise<void> {
    await this.perTenant(keys, renewScript, (to, room, rows) => {
      to.push(now ?? '', owner, leaseMs);
      pushRemovals(to, room, rows);
    });
  }

  async begin(key: WorkKey, { now, owner }: WriteOptions): Promise<number | null> {
    const answers = await this.perTenant([key], beginScript, (to, room, rows) => {
      to.push(now ?? '', owner);
      pushRemovals(to, room, rows);
    });
    return (answers[0]?.[1] ?? null) as number | null;
  }

  async release(key: WorkKey, delayMs: number, counted: boolean, { now }: AtInstant): Promise<void> {
    await this.perTenant([key], releaseScript, (to, room, rows) => {
      to.push(now ?? '', delayMs, counted ? '1' : '0');
      pushRemovals(to, room, rows);
    });
  }

  async bury(key: WorkKey, reason: string, detail: string | null, { now }: AtInstant): Promise<void> {
    await this.perTenant([key], buryScript, (to, room, rows) => {
      to.push(now ?? '', reason, detail === null ? '' : `=${detail}`);
      pushRemovals(to, room, rows);
    });
  }

  private async perTenant<T extends WorkKey>(
    rows: readonly T[],
    script: Script,
    push: (to: Parameters, room: Room, rows: readonly T[]) => void,
  ): Promise<readonly (readonly [rows: readonly T[], answer: unknown])[]> {
    const groups = byTenant(rows);
    const calls = groups.map(([tenant, group]) => {
      const room = this.rooms.of(tenant);
      const parameters = new Parameters(...room.fixed.slice(0, script === buryScript ? undefined : FOR_WORK));
      push(parameters, room, group);
      return { script, keys: parameters.keys, args: parameters.args };
    });
    const answers = await this.connection.runAll(calls);
    const failure = answers.find((answer) => answer instanceof Error);
    if (failure instanceof Error) throw failure;
    return groups.map(([, group], n) => [group, answers[n]] as const);
  }
}
