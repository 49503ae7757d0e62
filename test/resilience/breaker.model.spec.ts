import { circuitBreaker, CircuitOpenError } from '@nestjs-orchestrator/core/resilience';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { options, outcome } from './breaker-commands.js';
import { BreakerModel, type Outcome } from './breaker-model.js';
import { deferred, patience, runs, turns } from './support.js';

const JITTER = 0.5;

const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('start' as const), signal: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('settle' as const), at: fc.nat(4), outcome }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('advance' as const),
      ms: fc.oneof(fc.nat(12), fc.nat(120), fc.constantFrom(10, 25, 100)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('isolate' as const, 'reset' as const, 'move' as const) }),
  },
);

interface Under {
  readonly call: { round: number; at: number };
  readonly abort: AbortController | undefined;
  settle(outcome: Outcome): void;
}

it(
  'does what the reference model does, on any schedule',
  async () => {
    await fc.assert(
      fc.asyncProperty(
        options,
        fc.array(command, { maxLength: 60, size: 'max' }),
        async (options, commands) => {
          const clock = new VirtualClock();
          const model = new BreakerModel(options, JITTER);
          let draws = 0;
          const random = {
            next: () => {
              draws += 1;
              return JITTER;
            },
          };
          const breaker = circuitBreaker({ ...options, clock, random });
          const under: Under[] = [];
          const differences: unknown[] = [];

          const start = (withSignal: boolean): void => {
            const call = model.start();
            const abort = withSignal ? new AbortController() : undefined;
            const result = deferred();
            let called = false;
            const ended = breaker.execute(() => {
              called = true;
              return result.promise;
            }, abort?.signal);
            ended.catch((error: unknown) => {
              if (called === error instanceof CircuitOpenError) differences.push(error);
            });
            if (called !== (call !== undefined)) differences.push({ called, model });
            if (call === undefined) return;
            const settle = (outcome: Outcome): void => {
              if (outcome === 'cancelled') abort?.abort();
              if (outcome === 'ok') result.resolve();
              else result.reject(new Error(outcome));
            };
            under.push({ call, abort, settle });
          };

          for (const step of commands) {
            switch (step.kind) {
              case 'start':
                start(step.signal);
                break;
              case 'settle': {
                const [one] = under.splice(step.at, 1);
                if (one === undefined) break;
                // Without a signal nothing can be cancelled: it is a failure then.
                const outcome =
                  one.abort === undefined && step.outcome === 'cancelled' ? 'failed' : step.outcome;
                model.settle(one.call, outcome);
                one.settle(outcome);
                await turns();
                break;
              }
              case 'advance':
                model.now += step.ms;
                await clock.advance(step.ms);
                break;
              case 'isolate':
                model.turn('isolated');
                breaker.isolate();
                break;
              case 'reset':
                model.turn('closed');
                breaker.reset();
                break;
              case 'move':
                // Its own state, written and read again, changes nothing while it is open.
                if (model.kind === 'open') breaker.restore(breaker.export());
                break;
            }
            expect(differences).toEqual([]);
            expect(breaker.state.kind).toBe(model.kind);
            const window = model.kind === 'closed' ? model.window() : breaker.statistics().window;
            expect(breaker.statistics().window).toEqual(window);
          }
          expect(draws).toBe(model.draws);
          for (const one of under) one.settle('ok');
        },
      ),
      { numRuns: runs },
    );
  },
  patience,
);
