import { describe, expect, it } from 'vitest';
import { StoreUnavailableError } from '../../errors/store-errors.js';
import { memoryStore } from '../../memory/index.js';
import { noFaults } from '../../ports/fault-points.js';
import type { InstanceStore } from '../../ports/instance-store.js';
import { silentLogger } from '../../ports/logger.js';
import type { WorkRecord } from '../../ports/records.js';
import { systemClock, systemRandom } from '../../ports/system-clock.js';
import type { Consumer } from './consumer.js';
import { WorkRelay, type WorkRelayPorts } from './work-relay.js';

const LIMITS = { maxAttempts: 3, firstDelayMs: 1, concurrency: 8, handlerConcurrency: 2, pollIntervalMs: 5 };

function row(id: string, destination: string, lane: string | null = null): WorkRecord {
  return { tenant: 't', destination, id, lane, payload: '{}', delayMs: 0 };
}

function relayOn(
  store: InstanceStore,
  consumers: Readonly<Record<string, Consumer>>,
  { logger = silentLogger, buried = async () => {} }: Partial<WorkRelayPorts> = {},
): WorkRelay {
  const relay = new WorkRelay(
    {
      store,
      clock: systemClock,
      random: systemRandom,
      logger,
      faults: noFaults,
      writeOptions: () => ({ owner: 'node', leaseMs: 10_000, now: null }),
      buried,
    },
    LIMITS,
  );
  for (const [name, consumer] of Object.entries(consumers)) relay.register(name, consumer);
  return relay;
}

/** Begins rows as a node that dies while it works on them: their leases are over at once. */
async function beginAndDie(store: InstanceStore, destination: string, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const dead = { owner: `dead-${i}`, leaseMs: 0, now: null };
    const { items } = await store.claimWork({ ...dead, destinations: [destination], limit: 10 });
    expect(items).toHaveLength(1);
    for (const item of items) await store.beginWork(item, dead);
  }
}

function signal(): { readonly given: Promise<string>; give: (id: string) => void } {
  let give: (id: string) => void = () => {};
  const given = new Promise<string>((resolve) => (give = resolve));
  return { given, give };
}

const AWAY_OR_BROKEN = [
  ['is away', new StoreUnavailableError('gone'), 'warn', /store is away/],
  ['fails', new TypeError('no column'), 'error', /could not be written/],
] as const;

/** `store`, of which one method fails. */
function refusing(store: InstanceStore, method: keyof InstanceStore, failure: Error): InstanceStore {
  return new Proxy(store, {
    get: (of, name) => (name === method ? () => Promise.reject(failure) : (Reflect.get(of, name) as unknown)),
  });
}

/** A logger that keeps the lines which tell of an error of the store. */
function linesOf(told: (text: string) => void = () => {}) {
  const lines: (readonly [level: string, line: string, error: unknown])[] = [];
  const log = (level: string) => (text: string, fields?: Readonly<Record<string, unknown>>) => {
    if (fields?.['error'] === undefined) return;
    lines.push([level, text, fields['error']]);
    told(text);
  };
  return { lines, logger: { ...silentLogger, warn: log('warn'), error: log('error') } };
}

describe('WorkRelay', () => {
  it('gives up work that was begun as often as it may be and never ended, without running it once more', async () => {
    const store = memoryStore();
    const ran: string[] = [];
    const next = signal();
    await store.enqueue([row('poison', 'd')], { owner: 'dead', leaseMs: 0, now: null });
    await beginAndDie(store, 'd', LIMITS.maxAttempts - 1);
    await store.enqueue([row('good', 'd')], { owner: 'dead', leaseMs: 0, now: null });
    const relay = relayOn(store, {
      d: {
        pool: 'general',
        consume: async ({ id }) => {
          ran.push(id);
          next.give(id);
          return 'settled';
        },
      },
    });
    relay.start();
    await next.given;
    relay.stopPulling();
    await relay.idle();
    expect(ran).toEqual(['good']);
    expect(await store.deadLetters({})).toMatchObject([
      { id: 'poison', reason: expect.stringMatching(/never ended/) as string },
    ]);
  });

  it('does not count claims of nodes that died before they began', async () => {
    const store = memoryStore();
    await store.enqueue([row('good', 'd')], { owner: 'dead', leaseMs: 0, now: null });
    for (let i = 0; i < 3 * LIMITS.maxAttempts; i++) {
      const dead = { owner: `dead-${i}`, leaseMs: 0, now: null };
      expect((await store.claimWork({ ...dead, destinations: ['d'], limit: 10 })).items).toHaveLength(1);
    }
    const ran = signal();
    const relay = relayOn(store, {
      d: {
        pool: 'general',
        consume: async ({ id, attempts }) => {
          ran.give(`${id} ${attempts}`);
          return 'settled';
        },
      },
    });
    relay.start();
    await expect(ran.given).resolves.toBe('good 2');
    relay.stopPulling();
    await relay.idle();
    expect(await store.deadLetters({})).toEqual([]);
  });

  it('runs what has ended its process twice alone, so that it takes nobody along', async () => {
    const store = memoryStore();
    const ids = ['a', 'b', 'c'];
    await store.enqueue(
      ids.map((id) => row(id, 'd')),
      { owner: 'dead', leaseMs: 0, now: null },
    );
    const dead = { owner: 'dead-2', leaseMs: 0, now: null };
    const { items } = await store.claimWork({ ...dead, destinations: ['d'], limit: 10 });
    for (const item of items) await store.beginWork(item, dead);
    const counts: number[] = [];
    const last = signal();
    let running = 0;
    const relay = relayOn(store, {
      d: {
        pool: 'general',
        consume: async ({ id }) => {
          running += 1;
          await store.ping();
          counts.push(running);
          running -= 1;
          if (counts.length === ids.length) last.give(id);
          return 'settled';
        },
      },
    });
    relay.start();
    await last.given;
    relay.stopPulling();
    await relay.idle();
    expect(counts).toEqual([1, 1, 1]);
  });

  it('takes no attempt for what was no fault of the work, however often it is given back', async () => {
    const store = memoryStore();
    await store.enqueue([row('newer', 'd')], { owner: 'dead', leaseMs: 0, now: null });
    await store.releaseWork(row('newer', 'd'), 0, 'start', { now: null }, false);
    const seen: number[] = [];
    const done = signal();
    const relay = relayOn(store, {
      d: {
        pool: 'general',
        consume: async ({ id, attempts }) => {
          seen.push(attempts);
          if (seen.length <= 2 * LIMITS.maxAttempts) throw new StoreUnavailableError('away');
          done.give(id);
          return 'settled';
        },
      },
    });
    relay.start();
    await done.given;
    relay.stopPulling();
    await relay.idle();
    expect(new Set(seen)).toEqual(new Set([1]));
    expect(await store.deadLetters({})).toEqual([]);
  });

  it('lets a consumer say what exhausted work comes to', async () => {
    const store = memoryStore();
    const told = signal();
    await store.enqueue([row('poison', 'd')], { owner: 'dead', leaseMs: 0, now: null });
    await beginAndDie(store, 'd', LIMITS.maxAttempts - 1);
    const relay = relayOn(store, {
      d: {
        pool: 'general',
        consume: () => Promise.reject(new Error('must not run')),
        giveUp: async ({ id }) => {
          told.give(id);
          return 'settled';
        },
      },
    });
    relay.start();
    await expect(told.given).resolves.toBe('poison');
    relay.stopPulling();
    await relay.idle();
    expect(await store.deadLetters({})).toEqual([]);
  });

  it.each([
    ['says what becomes of its rows', 'giveUp', /broken.*no record/],
    ['describes its rows', 'describe', /^Error: broken$/],
  ])('buries a row whose consumer fails when it %s', async (_, method, reason) => {
    const store = memoryStore();
    const told = signal();
    await store.enqueue([row('r', 'd', 'lane')], { owner: 'dead', leaseMs: 0, now: null });
    const consumer: Consumer = {
      pool: 'general',
      consume: () => Promise.reject(new Error('broken')),
      attemptsFor: () => 2,
      [method]: () => Promise.reject(new TypeError('no record')),
    };
    const relay = relayOn(store, { d: consumer }, { buried: async ({ id }) => told.give(id) });
    relay.start();
    await told.given;
    relay.stopPulling();
    await relay.idle();
    const [letter] = await store.deadLetters({});
    expect(letter?.reason).toMatch(new RegExp(reason));
    expect(letter?.detail).toContain('no record');
  });

  it('gives a row back when the store is away while its consumer says what becomes of it', async () => {
    const store = memoryStore();
    const told = signal();
    await store.enqueue([row('r', 'd')], { owner: 'dead', leaseMs: 0, now: null });
    let tries = 0;
    const relay = relayOn(store, {
      d: {
        pool: 'general',
        consume: () => Promise.reject(new Error('broken')),
        attemptsFor: () => 2,
        giveUp: async ({ id }) => {
          tries += 1;
          if (tries === 1) throw new StoreUnavailableError('away');
          told.give(id);
          return 'settled';
        },
      },
    });
    relay.start();
    await told.given;
    relay.stopPulling();
    await relay.idle();
    expect(await store.deadLetters({})).toEqual([]);
  });

  it.each(AWAY_OR_BROKEN)('tells a store that %s as what it is', async (_, failure, level, line) => {
    const memory = memoryStore();
    await memory.enqueue([row('r', 'd')], { owner: 'dead', leaseMs: 0, now: null });
    const last = signal();
    const { logger, lines } = linesOf(last.give);
    const consume = () => Promise.reject(new Error('broken'));
    const store = refusing(memory, 'releaseWork', failure);
    const relay = relayOn(store, { d: { pool: 'general', consume } }, { logger });
    relay.start();
    await last.given;
    relay.stopPulling();
    await relay.idle();
    expect(lines).toEqual([[level, expect.stringMatching(line), String(failure)]]);
  });

  it.each(AWAY_OR_BROKEN)(
    'tells a store that %s as what it is also where it leaves rows to others',
    async (_, failure, level, line) => {
      const store = refusing(memoryStore(), 'releaseWork', failure);
      const rows = Array.from({ length: 6 }, (_row, n) => row(`r${n}`, 'slow'));
      await store.enqueue(rows, { owner: 'node', leaseMs: 10_000, now: null });
      const { logger, lines } = linesOf();
      const consumer: Consumer = { pool: 'general', concurrency: 1, consume: async () => 'settled' };
      const relay = relayOn(store, { slow: consumer }, { logger });
      relay.start();
      relay.offer(rows, true);
      relay.stopPulling();
      await relay.idle();
      expect(lines.length).toBeGreaterThan(0);
      for (const told of lines) expect(told).toEqual([level, expect.stringMatching(line), String(failure)]);
    },
  );

  it('claims for handlers only what they can run soon', async () => {
    const store = memoryStore();
    const claims: number[] = [];
    const watched = new Proxy(store, {
      get: (of, name) =>
        name === 'claimWork'
          ? (request: Parameters<InstanceStore['claimWork']>[0]) => (
              claims.push(request.limit),
              of.claimWork(request)
            )
          : (Reflect.get(of, name) as unknown),
    });
    const rows = Array.from({ length: 40 }, (_, i) => row(`r${i}`, 'h'));
    await store.enqueue(rows, { owner: 'dead', leaseMs: 0, now: null });
    const done: string[] = [];
    const last = signal();
    const relay = relayOn(watched, {
      h: {
        pool: 'handler',
        consume: async ({ id }) => {
          done.push(id);
          if (done.length === rows.length) last.give(id);
          return 'settled';
        },
      },
    });
    relay.start();
    await last.given;
    relay.stopPulling();
    await relay.idle();
    expect(new Set(done).size).toBe(40);
    expect(Math.max(...claims)).toBe(LIMITS.handlerConcurrency * 4);
  });

  it('runs no more rows of a consumer at a time than that says, and leaves what has no room to other nodes', async () => {
    const store = memoryStore();
    const rows = Array.from({ length: 30 }, (_, i) => row(`r${i}`, 'slow', i % 3 === 0 ? 'lane' : null));
    const mine = { owner: 'node', leaseMs: 10_000, now: null };
    expect(await store.enqueue(rows, mine)).toBe(true);
    const waiting: (() => void)[] = [];
    const [full, quick] = [signal(), signal()];
    const slow: Consumer = {
      pool: 'general',
      concurrency: 2,
      consume: ({ id }) => {
        if (waiting.length === 1) full.give(id);
        return new Promise((resolve) => waiting.push(() => resolve('settled')));
      },
    };
    const other: Consumer = { pool: 'general', consume: async ({ id }) => (quick.give(id), 'settled') };
    const relay = relayOn(store, { slow, other });
    relay.start();
    relay.offer(rows, true);
    await full.given;
    await store.enqueue([row('q', 'other')], { ...mine, owner: 'dead', leaseMs: 0 });
    relay.hint();
    await quick.given;
    expect(waiting).toHaveLength(2);
    relay.stopPulling();
    for (const go of waiting) go();
    await relay.idle();
    const theirs = { owner: 'another', leaseMs: 10_000, now: null };
    const { items } = await store.claimWork({ ...theirs, destinations: ['slow'], limit: 100 });
    expect(items.length).toBeGreaterThan(10);
    expect(items.every(({ attempts, suspect }) => attempts === 1 && !suspect)).toBe(true);
  });

  it('gives back what it was claiming when it stopped, so that no other node waits for a lease to end', async () => {
    const store = memoryStore();
    const [asked, answered] = [signal(), signal()];
    const slow: InstanceStore = Object.assign(Object.create(store) as InstanceStore, {
      claimWork: async (request: Parameters<InstanceStore['claimWork']>[0]) => {
        const claimed = await store.claimWork(request);
        if (claimed.items.length === 0) return claimed;
        asked.give('');
        await answered.given;
        return claimed;
      },
    });
    await store.enqueue([row('late', 'd')], { owner: 'dead', leaseMs: 0, now: null });
    const relay = relayOn(slow, { d: { pool: 'general', consume: async () => 'settled' } });
    relay.start();
    await asked.given;
    relay.stopPulling();
    const closed = relay.idle().then(() => relay.giveBack());
    answered.give('');
    await closed;
    const theirs = { owner: 'another', leaseMs: 10_000, now: null };
    const { items } = await store.claimWork({ ...theirs, destinations: ['d'], limit: 1 });
    expect(items).toMatchObject([{ id: 'late', attempts: 1, suspect: false }]);
  });
});
