import { rateLimiter } from '@nestjs-orchestrator/core/resilience';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { command, cost, rate } from './limiter-commands.js';
import { LimiterModel } from './limiter-model.js';
import { patience, runs, SetClock } from './support.js';

const ascending = (a: number, b: number): number => a - b;

it(
  'does what the reference model does, on any schedule',
  async () => {
    const schedule = fc.array(command, { maxLength: 40, size: 'max' });
    await fc.assert(
      fc.asyncProperty(rate, fc.integer({ min: 3, max: 12 }), schedule, async (rate, burst, commands) => {
        const clock = new VirtualClock();
        const model = new LimiterModel(rate, burst);
        const limiter = rateLimiter({
          maxTransitionsPerSecond: rate.tokens / rate.seconds,
          burstCapacity: burst,
          maxWait: 1e12,
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
              answers.push([limiter.tryAcquire(step.key, step.cost), model.tryAcquire(step.key, step.cost)]);
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
              limiter.reset(step.key);
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
            expect(limiter.peek(key).tokens).toBeCloseTo(model.tokens(key), 9);
          }
        }
        expect(answers.filter(([ours, theirs]) => ours !== theirs)).toEqual([]);
        expect(limiter.statistics().waiting).toBe(open.size);
      }),
      { numRuns: runs },
    );
  },
  patience,
);

it(
  'never lets a key have more than its limit, however few keys it may remember',
  () => {
    const call = fc.record({ key: fc.nat(11), cost, ms: fc.oneof(fc.constant(0), fc.nat(40)) });
    fc.assert(
      fc.property(
        rate,
        fc.integer({ min: 1, max: 5 }),
        fc.array(call, { maxLength: 300, size: 'max' }),
        (rate, maxKeys, calls) => {
          const clock = new SetClock();
          const model = new LimiterModel(rate, 4);
          const limiter = rateLimiter({
            maxTransitionsPerSecond: rate.tokens / rate.seconds,
            burstCapacity: 4,
            maxKeys,
            clock,
          });
          const tooMuch: number[] = [];
          for (const { key, cost, ms } of calls) {
            clock.at += ms;
            model.advance(ms);
            if (limiter.tryAcquire(`k${key}`, cost) && !model.spend(`k${key}`, cost)) tooMuch.push(key);
          }
          expect(tooMuch).toEqual([]);
          expect(limiter.statistics().keys).toBeLessThanOrEqual(maxKeys);
        },
      ),
      { numRuns: runs },
    );
  },
  patience,
);
