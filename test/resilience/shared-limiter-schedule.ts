import { SharedRateLimiter, type SharedBucketStore } from '@nestjs-orchestrator/core/resilience';
import type { VirtualClock } from '@nestjs-orchestrator/testing';
import * as fc from 'fast-check';
import { expect } from 'vitest';
import { command, rate } from './limiter-commands.js';
import { LimiterModel } from './limiter-model.js';

const ascending = (a: number, b: number): number => a - b;

/** What a schedule runs on. Each gets buckets of its own. */
export interface Stage {
  readonly clock: VirtualClock;
  readonly store: SharedBucketStore;
}

let schedules = 0;

/** One node on a shared store does what the reference model of the local limiter does. */
export async function expectToFollowTheModel(numRuns: number, stage: () => Stage): Promise<void> {
  const schedule = fc.array(command, { maxLength: 40, size: 'max' });
  await fc.assert(
    fc.asyncProperty(rate, fc.integer({ min: 3, max: 12 }), schedule, async (rate, burst, commands) => {
      const { clock, store } = stage();
      const model = new LimiterModel(rate, burst);
      schedules += 1;
      const limiter = new SharedRateLimiter(clock.tracked(store, 'the store'), {
        name: `model-${schedules}`,
        maxTransitionsPerSecond: rate.tokens / rate.seconds,
        burstCapacity: burst,
        maxWait: 1e12,
        storeTimeout: 1e12,
        clock,
      });
      const waits: AbortController[] = [];
      const granted: number[] = [];
      const answers: [ours: boolean, model: boolean][] = [];
      const open = new Set<number>();
      const wait = (key: string | undefined, cost: number): void => {
        const abort = new AbortController();
        const id = waits.push(abort) - 1;
        open.add(id);
        model.acquire(key, cost, id);
        const ended = limiter.acquire(key, cost, abort.signal).then(
          () => granted.push(id),
          () => undefined,
        );
        void ended.finally(() => open.delete(id));
      };
      for (const step of commands) {
        switch (step.kind) {
          case 'try':
            answers.push([
              await limiter.tryAcquire(step.key, step.cost),
              model.tryAcquire(step.key, step.cost),
            ]);
            break;
          case 'wait':
            wait(step.key, step.cost);
            break;
          case 'abort': {
            const id = [...open][step.at];
            if (id !== undefined) {
              waits[id]?.abort();
              model.abort(id);
            }
            break;
          }
          case 'reset':
            await limiter.reset(step.key);
            model.reset(step.key);
            break;
          case 'advance':
            model.advance(step.ms);
            await clock.advance(step.ms);
            break;
        }
        await clock.settled();
        expect(granted.toSorted(ascending)).toEqual(model.granted.toSorted(ascending));
        for (const key of [undefined, 'a', 'b']) {
          const { tokens } = await limiter.peek(key);
          expect(tokens).toBeCloseTo(model.tokens(key), 9);
        }
      }
      expect(answers.filter(([ours, theirs]) => ours !== theirs)).toEqual([]);
      const { waiting, available, withoutStore } = limiter.statistics();
      expect({ waiting, available, withoutStore }).toEqual({
        waiting: open.size,
        available: true,
        withoutStore: 0,
      });
    }),
    { numRuns },
  );
}
