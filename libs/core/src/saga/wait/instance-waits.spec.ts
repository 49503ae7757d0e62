import { expect, it } from 'vitest';
import type { InstanceStore, LoadRequest, LoadResult } from '../../ports/instance-store.js';
import { silentLogger } from '../../ports/logger.js';
import { systemClock } from '../../ports/system-clock.js';
import { InstanceWaits, type Watch } from './instance-waits.js';

/** More than one statement looks at. */
const COUNT = 450;
const SELDOM_MS = 3_600_000;

const absent: LoadResult = { instance: null, seen: null, tombstone: null };

it('a watch that fails at its look keeps no other from being looked at in the same round', async () => {
  const load = async (all: readonly LoadRequest[]) => all.map(() => absent);
  const store = { load } as unknown as InstanceStore;
  const end = await new Promise<string>((resolve) => {
    const logger = { ...silentLogger, warn: () => resolve('the round has failed') };
    const waits = new InstanceWaits({ store, clock: systemClock, logger, pollIntervalMs: SELDOM_MS });
    const watch = (id: string, look: Watch['look']): void =>
      void waits.add({ at: { tenant: 't', saga: 's', by: { id } }, look, stopped: () => {} });
    watch('bad', async () => {
      throw new Error('It can not be read.');
    });
    for (let n = 2; n < COUNT; n += 1) watch(`w${n}`, () => {});
    watch('last', () => {
      resolve('the last one was looked at');
      waits.stop();
    });
  });
  expect(end).toBe('the last one was looked at');
});

it('waits that are stopped are idle when the look that is under way has ended', async () => {
  const order: string[] = [];
  let answer = (): void => {};
  const answered = new Promise<void>((resolve) => (answer = resolve));
  const looking = new Promise<InstanceWaits>((resolve) => {
    const load = async (all: readonly LoadRequest[]) => {
      resolve(waits);
      await answered;
      order.push('answered');
      return all.map(() => absent);
    };
    const store = { load } as unknown as InstanceStore;
    const ports = { store, clock: systemClock, logger: silentLogger, pollIntervalMs: SELDOM_MS };
    const waits = new InstanceWaits(ports);
    waits.add({ at: { tenant: 't', saga: 's', by: { id: 'i' } }, look: () => {}, stopped: () => {} });
  });
  const waits = await looking;
  waits.stop();
  const idle = waits.idle().then(() => order.push('idle'));
  answer();
  await idle;
  expect(order).toEqual(['answered', 'idle']);
});
