import { memoryCircuitStore } from '@nestjs-orchestrator/core/resilience';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import { it } from 'vitest';
import { expectToFollowTheModel } from './shared-breaker-schedule.js';
import { patience, runs } from './support.js';

it(
  'a shared breaker on one node does what the reference model does, on any schedule',
  () =>
    expectToFollowTheModel(runs, () => {
      const clock = new VirtualClock();
      return { clock, store: memoryCircuitStore(clock) };
    }),
  patience,
);
