import { Controller, Get, UseGuards, type INestApplication } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import { expect, it, onTestFinished } from 'vitest';
import {
  OrchestratorBootError,
  OrchestratorModule,
  RateLimitExceededError,
  RateLimitGuard,
  type OrchestratorModuleOptions,
} from '@nestjs-orchestrator/nest';
import { memoryStore } from '@nestjs-orchestrator/core/memory';
import { rateLimiter, type RateLimiter } from '@nestjs-orchestrator/core/resilience';
import { LogLines } from './support/log-lines.js';

@Controller()
class Api {
  @Get('plain')
  @UseGuards(RateLimitGuard('api'))
  plain() {
    return 'ok';
  }

  @Get('account')
  @UseGuards(
    RateLimitGuard('api', {
      key: ({ headers }) => String(headers['x-account']),
      tenant: ({ headers }) => String(headers['x-tenant'] ?? 'default'),
      cost: ({ headers }) => Number(headers['x-cost'] ?? 1),
    }),
  )
  account() {
    return 'ok';
  }

  @Get('twice')
  @UseGuards(RateLimitGuard('api'), RateLimitGuard('hourly'))
  twice() {
    return 'ok';
  }

  @Get('silent')
  @UseGuards(RateLimitGuard('api', { headers: false }))
  silent() {
    return 'ok';
  }

  @Get('free')
  free() {
    return 'ok';
  }
}

const limiters = {
  api: { maxTransitionsPerSecond: 0.5, burstCapacity: 2 },
  hourly: { maxTransitionsPerSecond: 1 / 60, burstCapacity: 60 },
};

async function served(
  given: NonNullable<OrchestratorModuleOptions['resilience']>['limiters'] = limiters,
  providers: NonNullable<Parameters<typeof Test.createTestingModule>[0]['providers']> = [],
) {
  const clock = new VirtualClock();
  const root = OrchestratorModule.forRoot({
    logger: new LogLines(),
    clock,
    store: memoryStore({ clock }),
    resilience: { limiters: given },
  });
  const module = await Test.createTestingModule({ imports: [root], controllers: [Api], providers }).compile();
  const app: INestApplication = module.createNestApplication({ logger: false });
  onTestFinished(() => app.close());
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${url}/${path}`, { headers });
    await response.arrayBuffer();
    const header = (name: string): string | null => response.headers.get(name);
    return {
      status: response.status,
      policy: header('RateLimit-Policy'),
      limit: header('RateLimit'),
      retryAfter: header('Retry-After'),
    };
  };
  return { get, clock };
}

it('lets as many through as the limiter does, and says in headers what is left and when to come again', async () => {
  const { get, clock } = await served();
  const policy = '"api";q=2;w=4';
  expect(await get('plain')).toEqual({ status: 200, policy, limit: '"api";r=1;t=2', retryAfter: null });
  expect(await get('plain')).toEqual({ status: 200, policy, limit: '"api";r=0;t=4', retryAfter: null });
  expect(await get('plain')).toEqual({ status: 429, policy, limit: '"api";r=0;t=4', retryAfter: '2' });
  await clock.advance(1_500);
  expect(await get('plain')).toMatchObject({ status: 429, retryAfter: '1' });
  await clock.advance(500);
  expect(await get('plain')).toMatchObject({ status: 200, limit: '"api";r=0;t=4' });
  expect(await get('free')).toEqual({ status: 200, policy: null, limit: null, retryAfter: null });
});

it('counts by the key, the tenant and the cost that its options make of the request', async () => {
  const { get } = await served();
  const spent = await get('account', { 'x-account': 'ada', 'x-cost': '2' });
  expect(spent).toMatchObject({ status: 200, limit: '"api";r=0;t=4' });
  expect(await get('account', { 'x-account': 'ada' })).toMatchObject({ status: 429 });
  expect(await get('account', { 'x-account': 'bob' })).toMatchObject({ status: 200 });
  expect(await get('account', { 'x-account': 'ada', 'x-tenant': 'acme' })).toMatchObject({ status: 200 });
  // No account of one tenant is one of another.
  expect(await get('account', { 'x-account': 'x', 'x-tenant': 'a:b', 'x-cost': '2' })).toMatchObject({
    status: 200,
  });
  expect(await get('account', { 'x-account': 'b:x', 'x-tenant': 'a' })).toMatchObject({ status: 200 });
});

it('takes keys of any length, each with a bucket of its own', async () => {
  const { get } = await served();
  const long = 'k'.repeat(4_000);
  expect(await get('account', { 'x-account': long, 'x-cost': '2' })).toMatchObject({ status: 200 });
  expect(await get('account', { 'x-account': long })).toMatchObject({ status: 429 });
  expect(await get('account', { 'x-account': `${long}!` })).toMatchObject({ status: 200 });
});

it('lists the policies of several guards, and none where headers are off', async () => {
  const { get } = await served();
  expect(await get('twice')).toMatchObject({
    policy: '"api";q=2;w=4, "hourly";q=60;w=3600',
    limit: '"api";r=1;t=2, "hourly";r=59;t=60',
  });
  expect(await get('silent')).toEqual({ status: 200, policy: null, limit: null, retryAfter: null });
  expect(await get('silent')).toEqual({ status: 429, policy: null, limit: null, retryAfter: '2' });
});

it('guards all routes as APP_GUARD', async () => {
  const { get } = await served(limiters, [{ provide: APP_GUARD, useClass: RateLimitGuard('hourly') }]);
  expect(await get('free')).toMatchObject({ status: 200, limit: '"hourly";r=59;t=60' });
});

it('takes a limiter made elsewhere that throws and answers with promises; its window is not known', async () => {
  const local = rateLimiter({ burstCapacity: 1, maxTransitionsPerSecond: 0.1, clock: new VirtualClock() });
  const shared: RateLimiter = {
    tryAcquire: async (key, cost = 1) => {
      if (local.tryAcquire(key, cost)) return true;
      throw new RateLimitExceededError(key, cost, 9_100, 'empty');
    },
    acquire: (key, cost, signal) => local.acquire(key, cost, signal),
    peek: async (key) => local.peek(key),
    reset: async (key) => local.reset(key),
  };
  const { get } = await served({ ...limiters, api: shared });
  expect(await get('plain')).toEqual({
    status: 200,
    policy: '"api";q=1',
    limit: '"api";r=0;t=10',
    retryAfter: null,
  });
  expect(await get('plain')).toMatchObject({ status: 429, retryAfter: '10' });
});

it('is refused at boot with a limiter that nobody configured', async () => {
  const refused = served({ api: {} });
  await expect(refused).rejects.toThrow(OrchestratorBootError);
  await expect(refused).rejects.toThrow(
    "RateLimitGuard('hourly') uses rate limiter 'hourly'; known are 'api'.",
  );
});
