import { protectMachine, type MachineProtection, type RejectedEvent } from '@nestjs-orchestrator/core';
import {
  circuitBreaker,
  memoryBucketStore,
  rateLimiter,
  SharedRateLimiter,
} from '@nestjs-orchestrator/core/resilience';
import { defineMachine } from '@nestjs-orchestrator/statechart';
import type { VirtualClock } from '@nestjs-orchestrator/testing';
import { describe, expect, it } from 'vitest';
import { recordsOf, rejection, timedGroup } from '../orchestrator/support.js';

const till = defineMachine({
  id: 'till',
  initial: 'idle',
  states: {
    idle: { on: { PAY: { actions: 'charge' }, LOOK: {}, SLOWED: 'slowed', BROKEN: 'broken' } },
    slowed: { on: { PAY: { actions: 'charge' } } },
    broken: {},
  },
});

async function stage(protect: (clock: VirtualClock) => MachineProtection) {
  const { group, clock } = timedGroup('protected');
  const bank = { down: false };
  const registered = group.register(till, {
    actions: {
      charge: () => {
        if (bank.down) throw new Error('bank is down');
      },
    },
  });
  const spawn = async (id: string) => registered.spawn({ id });
  const one = await spawn('one');
  const protection = protect(clock);
  return { group, clock, bank, spawn, protection, till: protectMachine(one, protection) };
}

const slow = (clock: VirtualClock, burst = 2) =>
  rateLimiter({ maxTransitionsPerSecond: 1, burstCapacity: burst, clock });

describe('a limited machine', () => {
  it('rejects what is too much, per trigger, and says when to come again', async () => {
    const { till, clock } = await stage((clock) => ({ limiter: slow(clock), monitoredTriggers: ['PAY'] }));
    await till.request({ type: 'PAY' });
    expect(till.trySend({ type: 'PAY' })).toBe(true);
    const error = { code: 'RATE_LIMIT_EXCEEDED', key: '/till/one/PAY', retryAfterMs: 1_000 };
    expect(await rejection(till.send({ type: 'PAY' }))).toMatchObject(error);
    expect(await rejection(till.request({ type: 'PAY' }))).toMatchObject(error);
    expect(till.trySend({ type: 'PAY' })).toBe(false);
    for (let at = 0; at < 10; at += 1) await till.send({ type: 'LOOK' });
    await clock.advance(1_000);
    await till.send({ type: 'PAY' });
  });

  it('tells the machine by an event instead, and a request is rejected all the same', async () => {
    const told: RejectedEvent[] = [];
    const { till, group } = await stage((clock) => ({
      limiter: slow(clock, 1),
      onRejected: (rejected) => {
        told.push(rejected);
        return { type: 'SLOWED' };
      },
    }));
    const steps = recordsOf(group, 'transition');
    await till.send({ type: 'PAY' });
    await till.send({ type: 'PAY' });
    await group.drain();
    expect(steps.map(({ event }) => event.type)).toEqual(['PAY', 'SLOWED']);
    expect(told).toMatchObject([{ event: { type: 'PAY' }, key: '/till/one/PAY', error: { cost: 1 } }]);
    expect(await rejection(till.request({ type: 'PAY' }))).toMatchObject({ code: 'RATE_LIMIT_EXCEEDED' });
    expect(till.trySend({ type: 'PAY' })).toBe(false);
    expect(told).toHaveLength(3);
  });

  it('counts machines apart, or a definition together; tenants always apart; events by their cost', async () => {
    const tenant = (event: { type: string; tenant?: string }): string => event.tenant ?? '';
    const apart = await stage((clock) => ({ limiter: slow(clock, 1) }));
    await apart.till.send({ type: 'PAY' });
    await protectMachine(await apart.spawn('two'), apart.protection).send({ type: 'PAY' });

    const together = await stage((clock) => ({
      limiter: slow(clock, 2),
      per: 'definition',
      tenant,
      cost: () => 2,
    }));
    const two = protectMachine(await together.spawn('two'), together.protection);
    const pay = (name: string) => ({ type: 'PAY' as const, tenant: name });
    await together.till.send(pay('a/b'));
    expect(await rejection(two.send(pay('a/b')))).toMatchObject({ key: 'a%2Fb/till/*/PAY', cost: 2 });
    await two.send(pay('a'));
  });

  it('may be limited by all nodes together', async () => {
    const { till } = await stage((clock) => ({
      limiter: new SharedRateLimiter(memoryBucketStore(clock), {
        name: 'till',
        maxTransitionsPerSecond: 1,
        burstCapacity: 1,
        clock,
      }),
    }));
    await till.send({ type: 'PAY' });
    expect(await rejection(till.send({ type: 'PAY' }))).toMatchObject({ retryAfterMs: 1_000 });
    expect(() => till.trySend({ type: 'PAY' })).toThrow(expect.objectContaining({ option: 'limiter' }));
  });
});

describe('a machine behind a breaker', () => {
  it('gets nothing while its steps fail, and is asked again after the break', async () => {
    const { till, bank, clock } = await stage((clock) => ({
      breaker: circuitBreaker({ consecutiveFailures: 2, breakDuration: 1_000, clock }),
    }));
    bank.down = true;
    await till.send({ type: 'PAY' });
    await clock.settled();
    expect(await rejection(till.request({ type: 'PAY' }))).toMatchObject({ code: 'STEP_FAILED' });
    for (const answer of [till.send({ type: 'PAY' }), till.request({ type: 'PAY' })]) {
      expect(await rejection(answer)).toMatchObject({ code: 'CIRCUIT_OPEN' });
    }
    expect(till.trySend({ type: 'PAY' })).toBe(false);
    bank.down = false;
    await clock.advance(1_000);
    await till.request({ type: 'PAY' });
    expect(till.trySend({ type: 'PAY' })).toBe(true);
  });

  it('breaks each tenant apart, and is told by an event', async () => {
    const made: string[] = [];
    const { till, bank, group } = await stage((clock) => ({
      breaker: (key) => {
        made.push(key);
        return circuitBreaker({ consecutiveFailures: 1, clock });
      },
      tenant: (event) => (event as { tenant?: string }).tenant ?? '',
      onRejected: () => ({ type: 'BROKEN' }),
    }));
    bank.down = true;
    await rejection(till.request({ type: 'PAY', tenant: 'a' }));
    bank.down = false;
    await till.request({ type: 'PAY', tenant: 'b' });
    expect(till.snapshot().configuration.toJSON()).toEqual(['till.idle']);
    await till.send({ type: 'PAY', tenant: 'a' });
    await group.drain();
    expect(till.snapshot().configuration.toJSON()).toEqual(['till.broken']);
    expect(made).toEqual(['a/till/one/PAY', 'b/till/one/PAY']);
  });

  it('forgets the breaker not used for longest', async () => {
    const made: string[] = [];
    const { till } = await stage(() => ({
      breaker: (key) => {
        made.push(key);
        return circuitBreaker();
      },
      maxBreakers: 1,
    }));
    for (const type of ['PAY', 'PAY', 'LOOK', 'PAY'] as const) await till.send({ type });
    expect(made.map((key) => key.split('/').at(-1))).toEqual(['PAY', 'LOOK', 'PAY']);
  });
});

it.each([
  ['limiter', {}],
  ['per', { limiter: rateLimiter(), per: 'planet' }],
  ['onRejected', { limiter: rateLimiter(), onRejected: 'shrug' }],
  ['maxBreakers', { breaker: () => circuitBreaker(), maxBreakers: 0 }],
])('%s is refused in %o', (option, wrong) => {
  expect(() => protectMachine({} as never, wrong as never)).toThrow(expect.objectContaining({ option }));
});
