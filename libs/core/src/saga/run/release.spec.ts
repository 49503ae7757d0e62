import { assert, double, integer, oneof, property } from 'fast-check';
import { expect, it } from 'vitest';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import { SagaMigrationError, SagaStillHeldError, SagaVersionError } from '../saga-errors.js';
import { holdText } from './hold.js';
import { releasePause, Releases } from './release.js';
import type { SagaRunner } from './saga-runner.js';

const saga = { definition: { name: 'trip', version: 2 } } as unknown as CompiledSaga;
const clock = { now: () => 60_000 };
const at = (id: string) => ({ tenant: 't', key: { name: 'id', value: 'x' }, messageId: id, work: null });

/** A runner whose instance is held for that reason, and which does that with what it is given. */
function runnerThat(why: 'version' | 'poison', handle: () => Promise<'consumed'>) {
  const was = { was: 'running', error: null, attempts: 0, poison: null, timers: [] } as const;
  const instance = { id: 'i-1', definitionVersion: 1, hold: holdText({ ...was, why }) };
  return { find: async () => instance, handle } as unknown as SagaRunner;
}

it('an instance that is held longer is looked at more seldom, every 5 s to 5 min, whatever clocks say', () => {
  const instant = oneof(integer(), double());
  assert(
    property(instant, instant, (since, now) => {
      const pause = releasePause(since, now);
      expect(pause).toBeGreaterThanOrEqual(5_000);
      expect(pause).toBeLessThanOrEqual(300_000);
    }),
  );
  expect([0, 40_000, 400_000, 2_000_000].map((waited) => releasePause(1, 1 + waited))).toEqual([
    5_000, 10_000, 100_000, 300_000,
  ]);
});

it('a build that has not the version is asked again each time, one whose migration fails runs it once', async () => {
  for (const [error, runs] of [
    [new SagaVersionError('trip', 1, [2]), 3],
    [new SagaMigrationError('trip', 1, 2, 'it threw'), 1],
  ] as const) {
    let asked = 0;
    const runner = runnerThat('version', () => ((asked += 1), Promise.reject(error)));
    const releases = new Releases(runner, clock);
    for (let turn = 1; turn <= 3; turn += 1)
      await expect(releases.release(saga, at('row'), 0)).rejects.toMatchObject({
        code: 'SAGA_STILL_HELD',
        retryAfterMs: 15_000,
      });
    expect(asked).toBe(runs);
    await expect(releases.release(saga, at('other row'), 0)).rejects.toBeInstanceOf(SagaStillHeldError);
    expect(asked).toBe(runs + 1);
  }
});

it('an instance that is held for another reason by now is left to whoever replays it', async () => {
  const runner = runnerThat('poison', () => Promise.reject(new Error('handled')));
  expect(await new Releases(runner, clock).release(saga, at('row'), 0)).toBe('settled');
});

it('any other failure is that of the row', async () => {
  const runner = runnerThat('version', () => Promise.reject(new Error('away')));
  await expect(new Releases(runner, clock).release(saga, at('row'), 0)).rejects.toThrow('away');
});
