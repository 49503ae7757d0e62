import { protectSaga, type SagaProtection } from '@nestjs-orchestrator/core';
import type {
  CircuitBreakerOptions,
  Policy,
  RateLimiter,
  RateLimiterOptions,
} from '@nestjs-orchestrator/core/resilience';
import type { AnySaga, SagaBehaviour } from '@nestjs-orchestrator/core/saga';
import { UnknownNameError } from '../resilience/policy-layers.js';
import type { ResilienceRegistry } from '../resilience/resilience-registry.js';

/** How the saga of a class is protected: as by `protectSaga`, and by what the application has under a name. */
export interface SagaClassProtection<G extends AnySaga = AnySaga> extends Omit<
  SagaProtection<G>,
  'limiter' | 'breaker'
> {
  /** Name of a limiter of the application; options of one for this saga, made with the application's clock; or a limiter made elsewhere. */
  readonly limiter?: string | RateLimiterOptions | RateLimiter;
  /**
   * Name of a breaker of the application, which is one for all tenants and messages; options of those that are made for each key, with the application's clock; or what
   * `protectSaga` takes.
   */
  readonly breaker?: string | CircuitBreakerOptions | Policy | ((key: string) => Policy);
}

/**
 * A behaviour behind what its class says, made for one application.
 *
 * @throws UnknownNameError, ResilienceOptionError
 */
export function protectedBehaviour(
  behaviour: SagaBehaviour,
  { limiter, breaker, ...rest }: SagaClassProtection,
  registry: ResilienceRegistry,
): SagaBehaviour {
  return protectSaga(behaviour, {
    ...rest,
    ...(limiter === undefined ? {} : { limiter: limiterOf(limiter, registry) }),
    ...(breaker === undefined ? {} : { breaker: breakerOf(breaker, registry) }),
  });
}

function limiterOf(
  given: string | RateLimiterOptions | RateLimiter,
  registry: ResilienceRegistry,
): RateLimiter {
  if (typeof given !== 'string') return 'tryAcquire' in given ? given : registry.limiterOf(given);
  const found = registry.get('limiter', given);
  if (found === undefined) throw new UnknownNameError('limiter', given);
  return found;
}

function breakerOf(
  given: NonNullable<SagaClassProtection['breaker']>,
  registry: ResilienceRegistry,
): NonNullable<SagaProtection['breaker']> {
  if (typeof given === 'function') return given;
  if (typeof given !== 'string') {
    if ('execute' in given) return given;
    // Looked at once, so that a wrong option is a fault of the boot and not of the first message.
    registry.breakerOf(given);
    return (key) => registry.breakerOf({ name: key, ...given });
  }
  const found = registry.get('breaker', given);
  if (found === undefined) throw new UnknownNameError('breaker', given);
  return found;
}
