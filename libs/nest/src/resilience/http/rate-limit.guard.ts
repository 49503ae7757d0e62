import { Inject, Injectable, type CanActivate, type ExecutionContext, type Type } from '@nestjs/common';
import { HttpRateLimits } from './http-rate-limits.js';
import type { HttpRequest, RateLimitGuardOptions } from './rate-limit-guard.options.js';

/**
 * Makes a guard that limits HTTP requests with one of `resilience.limiters`. A request over the limit is answered by 429 with `Retry-After`;
 * every answer says in `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers) how much is left.
 *
 * ```ts
 * @UseGuards(RateLimitGuard('api'))                                                      // by address and tenant
 * @UseGuards(RateLimitGuard('login', { key: (request) => request.headers['x-account'] })) // by what you choose
 * { provide: APP_GUARD, useClass: RateLimitGuard('api') }                                // for all routes
 * ```
 *
 * A name that nobody configured is an error at boot.
 */
export function RateLimitGuard<R = HttpRequest>(
  limiter: string,
  options: RateLimitGuardOptions<R> = {},
): Type<CanActivate> {
  @Injectable()
  class NamedRateLimitGuard implements CanActivate {
    constructor(@Inject(HttpRateLimits) private readonly limits: HttpRateLimits) {
      limits.assertKnown(limiter);
    }

    canActivate(context: ExecutionContext): Promise<boolean> {
      return this.limits.pass(limiter, options as RateLimitGuardOptions, context);
    }
  }
  return NamedRateLimitGuard;
}
