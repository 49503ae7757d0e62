import { expect, it, vi } from 'vitest';
import { Throttle } from './throttle.js';

/** A clock whose delays end when the test says so. */
function clock() {
  const due: (() => void)[] = [];
  return {
    schedule: (_delayMs: number, task: () => void) => {
      due.push(task);
      return { cancel: () => void due.splice(due.indexOf(task), 1) };
    },
    elapse: () => due.splice(0).forEach((task) => task()),
    due,
  };
}

it('runs at once, and calls in between become one at the end of the interval', () => {
  const time = clock();
  const task = vi.fn<() => void>();
  const throttle = new Throttle(time, 5, task);
  throttle.call();
  expect(task).toHaveBeenCalledTimes(1);
  throttle.call();
  throttle.call();
  expect(task).toHaveBeenCalledTimes(1);
  time.elapse();
  expect(task).toHaveBeenCalledTimes(2);
  time.elapse();
  expect(task).toHaveBeenCalledTimes(2);
  throttle.call();
  expect(task).toHaveBeenCalledTimes(3);
});

it('runs nothing after it was cancelled', () => {
  const time = clock();
  const task = vi.fn<() => void>();
  const throttle = new Throttle(time, 5, task);
  throttle.call();
  throttle.call();
  throttle.cancel();
  expect(time.due).toEqual([]);
  expect(task).toHaveBeenCalledTimes(1);
});
