import { type Clock, systemClock } from '@nestjs-orchestrator/core/ports';
import { expect, it } from 'vitest';
import { folderOfTest, numbered, numberIn, Station } from './support.js';

const HOUR_MS = 3_600_000;

/** The machine stands still as soon as somebody waits for long: that timer is late, and runs before anything else that has come meanwhile. */
function standingStillOnce(): Clock {
  let stands = true;
  return {
    ...systemClock,
    schedule(delayMs, task) {
      if (!stands || delayMs < HOUR_MS / 10) return systemClock.schedule(delayMs, task);
      stands = false;
      const turn = setImmediate(task);
      return { cancel: () => clearImmediate(turn) };
    },
  };
}

it('what was taken comes in before its sender is gone, also where the machine stands still while that leaves', async () => {
  const directory = folderOfTest();
  const two = await new Station('two').join({ directory });
  const one = await new Station('one', standingStillOnce()).join({ directory, leaveMs: HOUR_MS });
  let taken = 0;
  while (one.seat.trySend(two.seat.self, numbered(taken))) taken += 1;
  await one.seat.leave();
  await two.sees('one', 'lost');
  expect(two.frames.map(numberIn)).toEqual(Array.from({ length: taken }, (_, number) => number));
});
