import { describe, expect, it } from 'vitest';
import { memoryStore } from '../../memory/index.js';
import type { Clock } from '../../ports/clock.js';
import { noFaults } from '../../ports/fault-points.js';
import type { Commit, InstanceStore } from '../../ports/instance-store.js';
import { silentLogger, type Logger } from '../../ports/logger.js';
import type { DueTimer } from '../../ports/records.js';
import { systemRandom } from '../../ports/system-clock.js';
import type { Consumed } from './consumer.js';
import { TimerRelay, type TimerConsumer } from './timer-relay.js';

const SAGA = 's';

/** Time that the test moves. */
function handClock(): Clock & { move(ms: number): void } {
  let now = 0;
  const due = new Map<() => void, number>();
  return {
    now: () => now,
    monotonic: () => now,
    storeNow: () => now,
    schedule: (delayMs, task) => {
      due.set(task, now + delayMs);
      return { cancel: () => void due.delete(task) };
    },
    move: (ms) => {
      now += ms;
      for (const [task, at] of due) if (at <= now && due.delete(task)) task();
    },
  };
}

function armed(id: string, delayMs: number): Commit {
  const ref = { tenant: 't', saga: SAGA, id };
  return {
    ref,
    expectedVersion: 0,
    lease: null,
    supersedes: null,
    next: {
      definitionVersion: 1,
      state: 'a',
      status: 'running',
      data: '{}',
      machine: '{}',
      undo: '[]',
      hold: null,
      ended: false,
    },
    keys: [],
    inbox: null,
    work: [],
    timers: { arm: [{ ...ref, name: 'x', token: id, delayMs, payload: '{}' }], disarm: [] },
    history: [],
    deliveries: { add: [], done: [] },
    wakeIfParked: null,
    done: [],
  };
}

/** Everything that can go on without time passing has gone on. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Scene {
  readonly clock: ReturnType<typeof handClock>;
  readonly store: InstanceStore;
  readonly relay: TimerRelay;
  arm(count: number, delayMs: number): Promise<void>;
}

let armings = 0;

function scene(
  fire: (timer: DueTimer) => Promise<Consumed>,
  more: Pick<TimerConsumer, 'giveUpTimer'> = {},
  logger: Logger = silentLogger,
): Scene {
  const clock = handClock();
  const store = memoryStore();
  const writeOptions = () => ({ owner: 'node', leaseMs: 10_000, now: clock.storeNow() });
  const ports = { store, clock, random: systemRandom, logger, faults: noFaults, writeOptions };
  const policy = { maxAttempts: 3, firstDelayMs: 200 };
  const relay = new TimerRelay(
    ports,
    policy,
    1_000,
    () => [SAGA],
    () => ({ fire, ...more }),
  );
  return {
    clock,
    store,
    relay,
    arm: async (count, delayMs) => {
      const commits = Array.from({ length: count }, () => armed(`i-${(armings += 1)}`, delayMs));
      await store.commit(commits, writeOptions());
      relay.armed(commits.flatMap(({ timers }) => timers.arm));
    },
  };
}

describe('TimerRelay', () => {
  it('fires what is due while an earlier firing is still under way', async () => {
    const fired: string[] = [];
    let release = (): void => {};
    const slow = new Promise<void>((resolve) => (release = resolve));
    const { relay, clock, arm } = scene(async ({ delayMs }) => {
      fired.push(`after ${delayMs}`);
      if (delayMs === 10) await slow;
      return 'settled';
    });
    await arm(1, 10);
    await arm(1, 20);
    relay.start();
    await settled();
    clock.move(10);
    await settled();
    clock.move(10);
    await settled();
    expect(fired).toEqual(['after 10', 'after 20']);
    release();
    relay.stopPulling();
    await relay.idle();
  });

  it('keeps a bounded number under way, and fires the rest as they end', async () => {
    const waiting: (() => void)[] = [];
    let fired = 0;
    const { relay, clock, arm } = scene(async () => {
      fired += 1;
      await new Promise<void>((resolve) => waiting.push(resolve));
      return 'settled';
    });
    await arm(1_000, 10);
    relay.start();
    await settled();
    clock.move(10);
    await settled();
    expect(fired).toBe(400);
    while (waiting.length > 0) {
      expect(waiting.length).toBeLessThanOrEqual(400);
      for (const end of waiting.splice(0, 50)) end();
      await settled();
    }
    expect(fired).toBe(1_000);
    relay.stopPulling();
    await relay.idle();
  });

  it('fires a timer again after the pause that its failure costs, not at the next poll', async () => {
    let tries = 0;
    const { relay, clock, arm } = scene(async () => {
      tries += 1;
      if (tries === 1) throw new Error('not yet');
      return 'settled';
    });
    await arm(1, 10);
    relay.start();
    await settled();
    clock.move(10);
    await settled();
    expect(tries).toBe(1);
    clock.move(200);
    await settled();
    expect(tries).toBe(2);
    relay.stopPulling();
    await relay.idle();
  });

  /** Lets so many minutes go by, second by second. */
  const pass = async ({ clock }: Scene, minutes: number): Promise<void> => {
    for (let second = 0; second < minutes * 60; second += 1) {
      clock.move(1_000);
      await settled();
    }
  };

  it('that can not be given up is fired again within a minute, and says both errors, until it can', async () => {
    const told: string[] = [];
    const logger = { ...silentLogger, error: (text: string) => void told.push(text) };
    const reasons: string[] = [];
    let away = true;
    let fired = 0;
    const giveUpTimer = async (_: DueTimer, error: unknown): Promise<Consumed> => {
      reasons.push(String(error));
      if (away) throw new Error('no room for a hold');
      return 'settled';
    };
    const fire = async (): Promise<Consumed> => {
      fired += 1;
      throw new Error('bad timer');
    };
    const at = scene(fire, { giveUpTimer }, logger);
    await at.arm(1, 10);
    at.relay.start();
    await settled();
    await pass(at, 30);
    // Two tries with a pause that grows, then one or two a minute.
    expect(reasons.length).toBeGreaterThanOrEqual(25);
    expect(reasons.length).toBeLessThanOrEqual(61);
    expect(fired).toBe(reasons.length + 2);
    expect(new Set(reasons)).toEqual(new Set(['Error: bad timer']));
    expect(told.length).toBe(reasons.length);
    expect(told[0]).toMatch(/TimerGiveUpError: .*bad timer.*no room for a hold/);
    away = false;
    const sofar = reasons.length;
    await pass(at, 5);
    expect(reasons.length).toBe(sofar + 1);
    at.relay.stopPulling();
    await at.relay.idle();
  });

  it('that nobody gives up is fired for as long as it takes, and told as an error when its tries are used up', async () => {
    const told: string[] = [];
    const logger = { ...silentLogger, error: (text: string) => void told.push(text) };
    let fired = 0;
    const at = scene(
      async () => {
        fired += 1;
        if (fired < 12) throw new Error('nobody listens');
        return 'settled';
      },
      {},
      logger,
    );
    await at.arm(1, 10);
    at.relay.start();
    await settled();
    await pass(at, 30);
    expect(fired).toBe(12);
    expect(told.length).toBe(11 - 2);
    at.relay.stopPulling();
    await at.relay.idle();
  });
});
