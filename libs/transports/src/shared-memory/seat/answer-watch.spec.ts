import { describe, expect, it } from 'vitest';
import { AnswerWatch } from './answer-watch.js';

/** Sends that are watched, of so many that nothing answers. */
function watchedOf(watch: AnswerWatch, sends: number): number {
  let watched = 0;
  for (let send = 0; send < sends; send += 1) {
    if (watch.begins(0)) watched += 1;
    watch.goesOn(1);
  }
  return watched;
}

describe('a process that has woken another one', () => {
  it('looks for the answer until its time is over', () => {
    const watch = new AnswerWatch(0.5);
    expect(watch.goesOn(0)).toBe(false);
    expect(watch.begins(10)).toBe(true);
    expect([watch.goesOn(10.1), watch.goesOn(10.49), watch.goesOn(10.5)]).toEqual([true, true, false]);
    expect(watch.goesOn(10.1)).toBe(false);
  });

  it('goes on looking after each send while answers come', () => {
    const watch = new AnswerWatch(0.5);
    for (let send = 0; send < 10; send += 1) {
      expect(watch.begins(send)).toBe(true);
      watch.found();
      expect(watch.goesOn(send)).toBe(false);
    }
  });

  it('looks ever more seldom where none comes, and always again after one that came', () => {
    const watch = new AnswerWatch(0.5);
    expect(watchedOf(watch, 10_000)).toBeLessThan(50);
    let skipped = 0;
    while (!watch.begins(0)) skipped += 1;
    expect(skipped).toBeLessThanOrEqual(255);
    watch.found();
    expect(watch.begins(0)).toBe(true);
  });

  it('never looks where it is told so', () => {
    expect(watchedOf(new AnswerWatch(0), 100)).toBe(0);
  });
});
