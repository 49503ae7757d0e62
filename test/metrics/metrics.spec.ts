import {
  observeBreakers,
  observeLimiters,
  observeOrchestrator,
  OrchestratorMetricsModule,
} from '@nestjs-orchestrator/nest/metrics';
import {
  circuitBreaker,
  type LocalRateLimiter,
  memoryBucketStore,
  memoryCircuitStore,
  rateLimiter,
  SharedCircuitBreaker,
  SharedRateLimiter,
} from '@nestjs-orchestrator/core/resilience';
import { getRateLimiterToken } from '@nestjs-orchestrator/nest';
import { defineMachine } from '@nestjs-orchestrator/statechart';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import { expect, it, onTestFinished } from 'vitest';
import { boot, TicketModule } from '../nest/support/application.js';
import { TicketService } from '../nest/support/ticket.js';
import { gate, rejection, timedGroup } from '../orchestrator/support.js';
import { testMeter } from './figures.js';

const door = defineMachine({
  id: 'door',
  initial: 'shut',
  states: {
    shut: { on: { OPEN: { target: 'open', actions: 'ring' }, FAIL: { actions: 'fail' } } },
    open: { type: 'final' },
  },
});

it('every figure of the orchestrator moves', async () => {
  const { group, clock } = timedGroup('metrics');
  const { meter, figures } = testMeter();
  const stop = observeOrchestrator(meter, group);
  const held = gate();
  const registered = group.register(door, {
    actions: {
      ring: () => held.opened,
      fail: () => {
        throw new Error('no bell');
      },
    },
  });
  const before = await figures();
  expect(before).toMatchObject({
    'orchestrator.processed': 0,
    'orchestrator.failed': 0,
    'orchestrator.timed_out': 0,
    'orchestrator.throttled': 0,
    'orchestrator.disposed': 0,
    'orchestrator.machines.current': 0,
    'orchestrator.queued.current': 0,
    'orchestrator.pending_requests.current': 0,
  });

  const [one, two] = [await registered.spawn({ id: 'one' }), await registered.spawn({ id: 'two' })];
  await rejection(two.request({ type: 'FAIL' }));
  const opening = one.request({ type: 'OPEN' });
  const late = rejection(one.request({ type: 'OPEN' }, { timeoutMs: 100 }));
  await clock.settled();
  expect(await figures()).toMatchObject({
    'orchestrator.registered': 2,
    'orchestrator.machines.current': 2,
    'orchestrator.failed': 1,
    'orchestrator.running.current': 1,
    'orchestrator.queued.current': 1,
    'orchestrator.pending_requests.current': 2,
  });
  await clock.advance(100);
  await late;
  held.open();
  await opening;
  await group.drain();
  const after = await figures();
  expect(after).toMatchObject({
    'orchestrator.disposed': 1,
    'orchestrator.machines.current': 1,
    'orchestrator.timed_out': 1,
    'orchestrator.pending_requests.current': 0,
    'orchestrator.latency.quantile{quantile=0.5}': expect.any(Number),
    'orchestrator.latency.quantile{quantile=0.99}': expect.any(Number),
  });
  expect(after['orchestrator.processed']).toBeGreaterThan(0);
  expect(after['orchestrator.latency{definition=door}']).toBeGreaterThan(0);

  stop();
  await registered.spawn({ id: 'three' });
  expect(await figures()).toMatchObject({ 'orchestrator.registered': 2 });
});

it('what an outside sender met with is a figure', async () => {
  const { meter, figures } = testMeter();
  const { group } = timedGroup('full');
  onTestFinished(observeOrchestrator(meter, group));
  const held = gate();
  const ref = await group.register(door, { actions: { ring: () => held.opened, fail: () => {} } }).spawn();
  let refused = 0;
  for (let at = 0; at < 2_000; at += 1) if (!ref.trySend({ type: 'OPEN' })) refused += 1;
  expect(refused).toBeGreaterThan(0);
  expect((await figures())['orchestrator.throttled']).toBe(refused);
  held.open();
});

it('every figure of limiters moves, local and shared', async () => {
  const { meter, figures } = testMeter();
  const clock = new VirtualClock();
  const limits = { maxTransitionsPerSecond: 1, burstCapacity: 2, clock };
  const local = rateLimiter({ ...limits, monitoredTriggers: ['PAY'] });
  const shared = new SharedRateLimiter(memoryBucketStore(clock), {
    name: 'shared',
    ...limits,
    lease: { tokens: 1 },
  });
  observeLimiters(meter, () => [
    ['local', local],
    ['shared', shared],
    ['silent', {}],
  ]);
  const abort = new AbortController();
  expect([local.tryAcquire('a'), local.tryAcquire('a'), local.tryAcquire('a')]).toEqual([true, true, false]);
  local.tryTrigger('LOOK');
  const waits = [local.acquire('a'), rejection(local.acquire('a', 1, abort.signal))];
  expect(await figures()).toMatchObject({
    'limiter.calls{limiter=local,outcome=allowed}': 2,
    'limiter.calls{limiter=local,outcome=refused}': 1,
    'limiter.calls{limiter=local,outcome=waited}': 2,
    'limiter.calls{limiter=local,outcome=unmonitored}': 1,
    'limiter.waiting{limiter=local}': 2,
    'limiter.keys{limiter=local}': 1,
  });
  abort.abort();
  await clock.advance(1_000);
  await Promise.all(waits);
  await shared.tryAcquire('b');
  await clock.settled();
  await shared.tryAcquire('b');
  const after = await figures();
  expect(after).toMatchObject({
    'limiter.calls{limiter=local,outcome=cancelled}': 1,
    'limiter.waiting{limiter=local}': 0,
    'limiter.calls{limiter=shared,outcome=allowed}': 2,
    'limiter.calls{limiter=shared,outcome=leased}': 1,
    'limiter.calls{limiter=shared,outcome=withoutStore}': 0,
    'limiter.leases{limiter=shared}': 1,
  });
  expect(after['limiter.store.calls{limiter=shared}']).toBeGreaterThan(0);
  expect(Object.keys(after).filter((name) => name.includes('silent'))).toEqual([]);
});

it('every figure of breakers moves, local and shared', async () => {
  const { meter, figures } = testMeter();
  const clock = new VirtualClock();
  const options = { consecutiveFailures: 1, clock };
  const local = circuitBreaker(options);
  const shared = new SharedCircuitBreaker(memoryCircuitStore(clock), { name: 'shared', ...options });
  observeBreakers(meter, () => [
    ['local', local],
    ['shared', shared],
  ]);
  for (const breaker of [local, shared]) {
    await breaker.execute(async () => 'ok');
    await rejection(breaker.execute(() => Promise.reject(new Error('down'))));
    await rejection(breaker.execute(async () => 'ok'));
  }
  const seen = await figures();
  for (const breaker of ['local', 'shared']) {
    expect(seen).toMatchObject({
      [`breaker.calls{breaker=${breaker},outcome=succeeded}`]: 1,
      [`breaker.calls{breaker=${breaker},outcome=failed}`]: 1,
      [`breaker.calls{breaker=${breaker},outcome=refused}`]: 1,
      [`breaker.opened{breaker=${breaker}}`]: 1,
      [`breaker.state{breaker=${breaker},state=open}`]: 1,
      [`breaker.state{breaker=${breaker},state=closed}`]: 0,
    });
  }
  shared.close();
});

it('an application reports its sagas, limiters and breakers until it ends', async () => {
  const { meter, figures } = testMeter();
  const { module, lines } = await boot([TicketModule, OrchestratorMetricsModule.forRoot({ meter })], {
    resilience: { breakers: { bank: {} }, limiters: { api: {} } },
  });
  expect(await figures()).toMatchObject({
    'saga.dead_letters': 0,
    'orchestrator.machines.current': 0,
    'breaker.state{breaker=bank,state=closed}': 1,
    'limiter.calls{limiter=api,outcome=allowed}': 0,
  });
  await module.get(TicketService, { strict: false }).open('t1');
  await lines.seen('paying → valid');
  const after = await figures();
  expect(after).toMatchObject({ 'saga.steps{saga=ticket,outcome=committed}': 2 });
  expect(after).toHaveProperty(['relay.in_work']);
  const limiter = module.get<LocalRateLimiter>(getRateLimiterToken('api'), { strict: false });
  limiter.tryAcquire();
  expect(await figures()).toMatchObject({ 'limiter.calls{limiter=api,outcome=allowed}': 1 });
  await module.close();
  limiter.tryAcquire();
  expect(await figures()).toMatchObject({ 'limiter.calls{limiter=api,outcome=allowed}': 1 });
});
