import { memoryBucketStore, SharedRateLimiter } from '@nestjs-orchestrator/core/resilience';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { expectToFollowTheModel } from './shared-limiter-schedule.js';
import { LimiterModel } from './limiter-model.js';
import { patience, runs } from './support.js';

it(
  'does what the reference model does, on any schedule',
  () =>
    expectToFollowTheModel(runs, () => {
      const clock = new VirtualClock();
      return { clock, store: memoryBucketStore(clock) };
    }),
  patience,
);

it(
  'lets several nodes have no more than the limit and their leases, on any schedule',
  async () => {
    const call = fc.record({ node: fc.nat(2), calls: fc.integer({ min: 1, max: 9 }), ms: fc.nat(400) });
    const rates = fc.constantFrom(
      { tokens: 7, seconds: 1 },
      { tokens: 100, seconds: 1 },
      { tokens: 1, seconds: 3 },
    );
    await fc.assert(
      fc.asyncProperty(
        rates,
        fc.integer({ min: 1, max: 9 }),
        fc.array(call, { maxLength: 40, size: 'max' }),
        async (rate, lease, calls) => {
          const clock = new VirtualClock();
          const store = memoryBucketStore(clock);
          const burst = 10;
          const nodes = [0, 1, 2].map(
            () =>
              new SharedRateLimiter(store, {
                name: 'shared',
                maxTransitionsPerSecond: rate.tokens / rate.seconds,
                burstCapacity: burst,
                lease: { tokens: lease },
                clock,
              }),
          );
          const bound = new LimiterModel(rate, burst + lease * nodes.length);
          const tooMuch: unknown[] = [];
          for (const { node, calls: count, ms } of calls) {
            await clock.advance(ms);
            bound.advance(ms);
            for (let at = 0; at < count; at += 1) {
              const passed = await nodes[node]?.tryAcquire('key');
              if (passed === true && !bound.spend('key', 1)) tooMuch.push({ node, at: clock.now() });
            }
          }
          expect(tooMuch).toEqual([]);
        },
      ),
      { numRuns: runs },
    );
  },
  patience,
);
