import { afterEach, describe, expect, it, vi } from 'vitest';
import { LANE_CONTROL_BYTES, SharedLaneMemory } from '../lane/lane-memory.js';
import { SleepFlag } from '../lane/sleep-flag.js';
import { ReadingLoop, type Turns } from './reading-loop.js';

/** Longer than any test takes: what ends a look is never the clock. */
const PATIENT = { spinMs: 0, answerSpinMs: 3_600_000 };

interface Setup {
  readonly loop: ReadingLoop;
  /** What the loop did, in order. */
  readonly done: string[];
}

/** A loop that finds something at the look with this number, the first being 1, and once. */
function setUp(foundAtLook: number): Setup {
  const done: string[] = [];
  let looks = 0;
  let isTaken = false;
  const memory = new SharedLaneMemory(new ArrayBuffer(LANE_CONTROL_BYTES + 64), 0, LANE_CONTROL_BYTES, 64);
  const loop = new ReadingLoop(
    new SleepFlag(memory, 0),
    {
      turn: () => {
        const found = looks >= foundAtLook && !isTaken;
        isTaken ||= found;
        done.push(found ? 'turn' : 'turn in vain');
        return found ? 1 : 0;
      },
      isReady: () => {
        looks += 1;
        done.push('look');
        return looks >= foundAtLook && !isTaken;
      },
      pause: () => void done.push('pause'),
      silence: () => void done.push('silence'),
    },
    PATIENT,
  );
  return { loop, done };
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

describe('a reader that looks for an answer', () => {
  it('begins with what comes without a turn of the event loop', () => {
    const { loop, done } = setUp(3);
    loop.expectAnswer();
    loop.rung();
    expect(done).toEqual(['turn in vain', 'look', 'pause', 'look', 'look', 'turn']);
    loop.close();
  });

  it('gives its core away at once, and then ever less often, and the event loop a turn after so many looks', async () => {
    const { loop, done } = setUp(1_000_000);
    loop.expectAnswer();
    loop.rung();
    const stretches = done
      .slice(1)
      .join()
      .split('pause')
      .map((looks) => looks.split('look').length - 1);
    const [first, ...between] = stretches.slice(0, -1);
    expect(first).toBe(1);
    // A pause takes as long as ten looks or more: those that are far apart cost little.
    expect(between).toEqual([8, 16, 32]);
    const looks = done.filter((what) => what === 'look').length;
    expect(looks).toBeLessThanOrEqual(128);
    await nextTurn();
    expect(done.lastIndexOf('turn in vain')).toBeGreaterThan(looks);
    loop.close();
  });

  it('stops in the middle of a look that closes it', async () => {
    const { loop, done } = setUp(2);
    const push = done.push.bind(done);
    done.push = (...what) => {
      if (what[0] === 'turn') loop.close();
      return push(...what);
    };
    loop.expectAnswer();
    loop.rung();
    await nextTurn();
    expect(done.at(-1)).toBe('turn');
  });
});

describe('a bell that rings', () => {
  it('is silenced after what has come was answered, and before the flag is set again', async () => {
    const { loop, counts, bell, isAsleep } = setUpTraffic(1);
    counts.waiting = 1;
    bell.rings = true;
    loop.rung();
    await Promise.resolve();
    expect([counts.waiting, bell.rings]).toEqual([0, true]);
    await nextTurn();
    expect([bell.rings, isAsleep()]).toEqual([false, true]);
    loop.close();
  });

  it('is heard where nothing has come, and again in the sleep after that', async () => {
    const { loop, bell, before, isAsleep } = setUpTraffic(1);
    const asleepAtLook: boolean[] = [];
    before.look = () => void asleepAtLook.push(bell.rings);
    bell.rings = true;
    loop.rung();
    expect(isAsleep()).toBe(false);
    await nextTurn();
    // The look that sees whether it may sleep comes after the bell was silenced.
    expect([isAsleep(), asleepAtLook]).toEqual([true, [false]]);
    bell.rings = true;
    loop.rung();
    await nextTurn();
    expect([isAsleep(), bell.rings]).toEqual([true, false]);
    loop.close();
  });

  it.each(['pause', 'close'] as const)('is silenced at once around a %s', (end) => {
    const { loop, bell } = setUpTraffic(1);
    bell.rings = true;
    loop.rung();
    loop[end]();
    expect(bell.rings).toBe(false);
    bell.rings = true;
    loop.rung();
    expect(bell.rings).toBe(false);
    loop.close();
  });
});

/** A loop whose frames come when the test says so, by a clock that goes on by so many milliseconds whenever it is looked at. */
function setUpTraffic(step: number) {
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => (now += step));
  const memory = new SharedLaneMemory(new ArrayBuffer(LANE_CONTROL_BYTES + 64), 0, LANE_CONTROL_BYTES, 64);
  const counts = { waiting: 0, turns: 0, looks: 0 };
  const before = { turn: (): void => undefined, look: (): void => undefined };
  const bell = { rings: false };
  const turns: Turns = {
    turn: () => {
      counts.turns += 1;
      before.turn();
      const done = Math.min(1, counts.waiting);
      counts.waiting -= done;
      return done;
    },
    isReady: () => {
      counts.looks += 1;
      before.look();
      return counts.waiting > 0;
    },
    pause: () => undefined,
    silence: () => void (bell.rings = false),
  };
  const loop = new ReadingLoop(new SleepFlag(memory, 0), turns, { spinMs: 0.2, answerSpinMs: 0.5 });
  return { loop, counts, before, bell, isAsleep: () => (memory.load(0) & 1) === 1 };
}

afterEach(() => void vi.restoreAllMocks());

describe('a reader whose traffic has ended', () => {
  it.each([1, 10, 1_000])(
    'sleeps after frames (%s), and neither looks nor turns until the bell rings',
    async (frames) => {
      const { loop, counts, isAsleep } = setUpTraffic(0.01);
      for (let round = 0; round < 3; round += 1) {
        counts.waiting = frames;
        counts.turns = 0;
        loop.expectAnswer();
        loop.rung();
        // A look goes on by 0.01 ms, so 0.5 ms are at most 50 turns; those in line count twice.
        for (let left = frames + 200; !isAsleep(); left -= 1) {
          expect(left).toBeGreaterThan(0);
          await nextTurn();
        }
        expect(counts.waiting).toBe(0);
        const { turns, looks } = counts;
        for (let n = 0; n < 20; n += 1) await nextTurn();
        expect(counts).toEqual({ waiting: 0, turns, looks });
      }
      loop.close();
    },
  );

  it('looks once for each kick', async () => {
    const { loop, counts, isAsleep } = setUpTraffic(1);
    loop.kick();
    for (let n = 0; n < 20; n += 1) await nextTurn();
    expect(isAsleep()).toBe(true);
    counts.turns = 0;
    for (let kick = 0; kick < 5; kick += 1) {
      loop.kick();
      for (let n = 0; n < 5; n += 1) await nextTurn();
    }
    expect(counts.turns).toBe(5);
    expect(isAsleep()).toBe(true);
    loop.close();
  });
});

describe('a reader whose traffic never ends', () => {
  it.each([
    { when: 'is there at each turn', looked: false, turns: 1 },
    { when: 'comes while it looks in line', looked: true, turns: 2 },
  ])('lets the event loop have its turn where something $when', async ({ looked, turns }) => {
    const { loop, counts, before } = setUpTraffic(0.001);
    const most = { turns: 0 };
    before.turn = () => {
      most.turns = Math.max(most.turns, counts.turns);
      if (!looked) counts.waiting = 1_000;
      else if (counts.turns === 1) counts.waiting = 0;
    };
    before.look = () => void (counts.waiting = 1_000);
    loop.expectAnswer();
    for (let n = 0; n < 100; n += 1) {
      counts.turns = 0;
      await nextTurn();
    }
    loop.close();
    expect(most).toEqual({ turns });
  });
});
