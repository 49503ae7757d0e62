import { TerminusModule, HealthCheckService } from '@nestjs/terminus';
import { expect, it, onTestFinished } from 'vitest';
import { memoryStore } from '@nestjs-orchestrator/core/memory';
import {
  Orchestrator,
  OrchestratorHealth,
  StoreUnavailableError,
  getCircuitBreakerToken,
  getRateLimiterToken,
  type CircuitBreaker,
  type RateLimiter,
} from '@nestjs-orchestrator/nest';
import { defineMachine } from '@nestjs-orchestrator/statechart';
import { gate } from '../orchestrator/support.js';
import { boot } from './support/application.js';

it('is an indicator of terminus, red while the store does not answer', async () => {
  const store = memoryStore();
  const { module } = await boot([TerminusModule.forRoot({ logger: false })], { store });
  onTestFinished(() => module.close());
  const orchestrator = module.get(OrchestratorHealth, { strict: false });
  const checks = module.get(HealthCheckService, { strict: false });

  const up = { status: 'up', store: 'memory', inWork: 0, queued: 0 };
  expect(await checks.check([() => orchestrator.check()])).toMatchObject({
    status: 'ok',
    info: { orchestrator: up },
  });

  store.ping = () => Promise.reject(new StoreUnavailableError('The database is away.'));
  await expect(checks.check([() => orchestrator.check('queue')])).rejects.toMatchObject({
    response: { error: { queue: { ...up, status: 'down', reason: 'The database is away.' } } },
  });
});

it('shows breakers and limiters that have a name; an open breaker does not make the node red', async () => {
  const { module } = await boot([], {
    store: memoryStore(),
    resilience: {
      breakers: { payments: {}, stock: {} },
      limiters: { api: { maxTransitionsPerSecond: 0.001, burstCapacity: 1 } },
    },
  });
  onTestFinished(() => module.close());
  module.get<CircuitBreaker>(getCircuitBreakerToken('payments'), { strict: false }).isolate();
  const limiter = module.get<RateLimiter>(getRateLimiterToken('api'), { strict: false });
  await Promise.all([limiter.tryAcquire('a'), limiter.tryAcquire('a')]);
  expect(await module.get(OrchestratorHealth, { strict: false }).check()).toMatchObject({
    orchestrator: {
      status: 'up',
      breakers: { payments: 'isolated', stock: 'closed' },
      limiters: { api: { allowed: 1, refused: 1, waiting: 0 } },
    },
  });
});

it('is red while a figure is above its threshold, and says which', async () => {
  const { module } = await boot([], { store: memoryStore() });
  onTestFinished(() => module.close());
  const health = module.get(OrchestratorHealth, { strict: false });
  const [held, begun] = [gate(), gate()];
  const wait = (): Promise<void> => {
    begun.open();
    return held.opened;
  };
  const door = defineMachine({ id: 'door', initial: 'a', states: { a: { on: { E: { actions: 'wait' } } } } });
  const orchestrator = module.get(Orchestrator, { strict: false });
  const ref = await orchestrator.register(door, { actions: { wait } }).spawn();
  const first = ref.request({ type: 'E' });
  await begun.opened;
  await Promise.all([ref.send({ type: 'E' }), ref.send({ type: 'E' })]);
  const thresholds = { queued: 0, queuedEvents: 1, pendingRequests: 5 };
  expect(await health.check('node', thresholds)).toMatchObject({
    node: { status: 'down', reason: 'queuedEvents is 2, above its threshold of 1' },
  });
  expect(await health.check('node')).toMatchObject({ node: { status: 'up' } });
  held.open();
  await first;
  await orchestrator.drain();
  expect(await health.check('node', thresholds)).toMatchObject({ node: { status: 'up' } });
});
