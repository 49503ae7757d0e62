import { RateLimitExceededError } from '../resilience/errors.js';
import { LocalRateLimiter, type RateLimiter } from '../resilience/limiter/rate-limiter.js';

/** Why a limiter has just said no, and when to come again. */
export async function rejectionOf(
  limiter: RateLimiter,
  key: string,
  cost: number,
): Promise<RateLimitExceededError> {
  const retryAfterMs =
    limiter instanceof LocalRateLimiter
      ? limiter.retryAfterMs(key, cost)
      : (await limiter.peek(key)).retryAfterMs;
  return new RateLimitExceededError(key, cost, retryAfterMs, 'empty');
}
