import { expect, it } from 'vitest';
import type { Cancellable, Clock } from '../../../ports/clock.js';
import { Questions } from './questions.js';

/** Questions, the numbers that they were asked by, and time that goes on by hand. */
function stage() {
  const timers: { readonly delayMs: number; readonly task: () => void; over: boolean }[] = [];
  const clock: Clock = {
    now: () => 0,
    monotonic: () => 0,
    storeNow: () => null,
    schedule(delayMs, task): Cancellable {
      const timer = { delayMs, task, over: false };
      timers.push(timer);
      return { cancel: () => void (timer.over = true) };
    },
  };
  const asked: number[] = [];
  const questions = new Questions(clock);
  return {
    questions,
    asked,
    pauses: () => timers.map(({ delayMs }) => delayMs / 1_000),
    open: () => timers.filter(({ over }) => !over).length,
    ask: () => questions.ask('there', (number) => void asked.push(number)),
    /** The last timer is due. */
    goOn: () => {
      const timer = timers.at(-1);
      if (timer === undefined || timer.over) return;
      timer.over = true;
      timer.task();
    },
  };
}

it('A question without an answer is asked again, ever more seldom, until it has one', async () => {
  const { questions, asked, pauses, open, ask, goOn } = stage();
  const answer = ask();
  for (let times = 0; times < 6; times += 1) goOn();
  expect(asked).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(pauses()).toEqual([5, 10, 20, 40, 60, 60, 60]);
  questions.answered('there', 7, 'found', false);
  expect([await answer, open()]).toEqual(['found', 0]);
});

it('The first whole answer counts, whichever time it answers; parts of two are not put together', async () => {
  const { questions, ask, goOn } = stage();
  const list = ask();
  questions.answered('there', 1, ['a'], true);
  goOn();
  questions.answered('there', 2, ['a'], true);
  questions.answered('there', 1, ['b'], false);
  questions.answered('there', 2, ['b', 'c'], false);
  expect(await list).toEqual(['a', 'b']);
});

it('Nobody but whoever was asked answers; a failure and the end of that one end it as well', async () => {
  const { questions, open, ask } = stage();
  const [failed, lost] = [ask(), ask()];
  questions.answered('elsewhere', 1, 'forged', false);
  questions.failed('elsewhere', 2, new Error('forged'));
  questions.failed('there', 1, new Error('it fails'));
  await expect(failed).rejects.toThrow('it fails');
  questions.lost('elsewhere', new Error('gone'));
  expect(open()).toBe(1);
  questions.lost('there', new Error('gone'));
  await expect(lost).rejects.toThrow('gone');
  expect(open()).toBe(0);
  const left = ask();
  questions.close(new Error('we leave'));
  await expect(left).rejects.toThrow('we leave');
  expect(open()).toBe(0);
});
