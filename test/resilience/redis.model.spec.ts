import { RedisBucketStore, RedisCircuitStore } from '@nestjs-orchestrator/redis';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import { Redis } from 'ioredis';
import { afterAll, it } from 'vitest';
import { redisNamespace } from '../support/redis.js';
import { expectToFollowTheModel as expectBreakerToFollow } from './shared-breaker-schedule.js';
import { expectToFollowTheModel as expectLimiterToFollow } from './shared-limiter-schedule.js';
import { patience, runsOnServer } from './support.js';

const { url, prefix } = redisNamespace();
const redis = new Redis(url);
afterAll(() => redis.quit());

it.each([1, 4])(
  'a limiter on Redis does what the reference model does, on any schedule, in %i partitions',
  (partitions) =>
    expectLimiterToFollow(runsOnServer, () => ({
      clock: new VirtualClock(),
      store: new RedisBucketStore(redis, { prefix: `${prefix}-${partitions}`, partitions }),
    })),
  patience,
);

it(
  'a breaker on Redis does what the reference model does, on any schedule',
  () =>
    expectBreakerToFollow(runsOnServer, () => ({
      clock: new VirtualClock(),
      store: new RedisCircuitStore(redis, { prefix }),
    })),
  patience,
);
