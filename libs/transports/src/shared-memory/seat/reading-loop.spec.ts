import { describe, expect, it } from 'vitest';
import { LANE_CONTROL_BYTES, SharedLaneMemory } from '../lane/lane-memory.js';
import { SleepFlag } from '../lane/sleep-flag.js';
import { ReadingLoop } from './reading-loop.js';

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
    loop.close();
    expect(done).toEqual(['turn in vain', 'look', 'pause', 'look', 'look', 'turn']);
  });

  it('gives its core away now and then, and the event loop a turn after so many looks', async () => {
    const { loop, done } = setUp(1_000_000);
    loop.expectAnswer();
    loop.rung();
    const looks = done.filter((what) => what === 'look').length;
    const pauses = done.filter((what) => what === 'pause').length;
    expect(looks).toBeLessThanOrEqual(64);
    expect(pauses).toBeGreaterThanOrEqual(4);
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
