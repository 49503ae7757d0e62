import { describe, expect, it } from 'vitest';
import { faultPoints } from './fault-points.js';

/** What became of a call, looked at after every promise chain has run out. */
async function fateOf(call: void | Promise<void>): Promise<string> {
  let fate = 'waits';
  void Promise.resolve(call).then(
    () => (fate = 'passed'),
    (error: Error) => (fate = `failed: ${error.message}`),
  );
  await new Promise((resolve) => setImmediate(resolve));
  return fate;
}

describe('faultPoints', () => {
  it('lets everything pass, at once, and records it', async () => {
    const faults = faultPoints();
    expect([faults.reach('a'), faults.reach('b'), faults.reach('a')]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(faults.reached).toEqual(['a', 'b', 'a']);
    expect([faults.count('a'), faults.count('b'), faults.count('c')]).toEqual([2, 1, 0]);
  });

  it('crashes a node at the coming it was told, and lets none of its points pass again', async () => {
    const faults = faultPoints();
    const crashed = faults.crashAt('commit', 2);
    expect(await fateOf(faults.reach('commit'))).toBe('passed');
    expect(await fateOf(crashed)).toBe('waits');
    expect(await fateOf(faults.reach('commit'))).toBe('waits');
    expect(await fateOf(crashed)).toBe('passed');
    expect(await fateOf(faults.reach('other'))).toBe('waits');
    expect(faults.reached).toEqual(['commit', 'commit']);
  });

  it('fails once, at the coming it was told', async () => {
    const faults = faultPoints();
    faults.failAt('commit', new Error('no disk'), 2);
    const fates = [];
    for (let n = 0; n < 3; n += 1) fates.push(await fateOf(faults.reach('commit')));
    expect(fates).toEqual(['passed', 'failed: no disk', 'passed']);
  });

  it('counts from now, not from the beginning', async () => {
    const faults = faultPoints();
    await faults.reach('commit');
    faults.failAt('commit', new Error('next'));
    expect(await fateOf(faults.reach('commit'))).toBe('failed: next');
  });

  it('holds a caller until it is resumed', async () => {
    const faults = faultPoints();
    const pause = faults.pauseAt('commit');
    expect(await fateOf(pause.reached)).toBe('waits');
    const call = faults.reach('commit');
    expect([await fateOf(pause.reached), await fateOf(call)]).toEqual(['passed', 'waits']);
    expect(await fateOf(faults.reach('commit'))).toBe('passed');
    pause.resume();
    expect(await fateOf(call)).toBe('passed');
  });

  it('does not hold a caller that was resumed before it came', async () => {
    const faults = faultPoints();
    faults.pauseAt('commit').resume();
    expect(await fateOf(faults.reach('commit'))).toBe('passed');
  });

  it('tells when a point is reached', async () => {
    const faults = faultPoints();
    const second = faults.whenReached('commit', 2);
    await faults.reach('commit');
    expect(await fateOf(second)).toBe('waits');
    await faults.reach('commit');
    expect(await fateOf(second)).toBe('passed');
  });

  it('does all that was planned for one coming, in that order', async () => {
    const faults = faultPoints();
    const pause = faults.pauseAt('commit');
    faults.failAt('commit', new Error('after the pause'));
    const call = Promise.resolve(faults.reach('commit'));
    expect(await fateOf(call)).toBe('waits');
    pause.resume();
    await expect(call).rejects.toThrow('after the pause');
  });

  it.each([0, -1, 1.5])('refuses to count to %d', (nth) => {
    expect(() => faultPoints().failAt('commit', new Error('x'), nth)).toThrow(RangeError);
  });
});
