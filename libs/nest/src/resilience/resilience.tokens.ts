import { Inject, Optional } from '@nestjs/common';
import { writeInjection, type NamedKind } from './resilience.metadata.js';

/** Token of the circuit breaker of that name. */
export function getCircuitBreakerToken(name: string): symbol {
  return Symbol.for(`@nestjs-orchestrator/nest:circuit-breaker:${name}`);
}

/** Token of the rate limiter of that name. */
export function getRateLimiterToken(name: string): symbol {
  return Symbol.for(`@nestjs-orchestrator/nest:rate-limiter:${name}`);
}

/**
 * Injects the circuit breaker that `resilience.breakers` of `OrchestratorModule.forRoot()` has under that name; `forRootAsync` names it in
 * `provides` as well. A name that is not there is an error at boot.
 *
 * ```ts
 * constructor(@InjectCircuitBreaker('payments') private readonly payments: CircuitBreaker) {}
 * ```
 */
export function InjectCircuitBreaker(name: string): ParameterDecorator & PropertyDecorator {
  return injectNamed('breaker', name, getCircuitBreakerToken(name));
}

/**
 * Injects the rate limiter that `resilience.limiters` of `OrchestratorModule.forRoot()` has under that name; `forRootAsync` names it in
 * `provides` as well. A name that is not there is an error at boot.
 *
 * ```ts
 * constructor(@InjectRateLimiter('api') private readonly limiter: RateLimiter) {}
 * ```
 */
export function InjectRateLimiter(name: string): ParameterDecorator & PropertyDecorator {
  return injectNamed('limiter', name, getRateLimiterToken(name));
}

/** Optional for Nest, so that the explorer can say which names there are; it lets no application start without them. */
function injectNamed(kind: NamedKind, name: string, token: symbol): ParameterDecorator & PropertyDecorator {
  return (target: object, key: string | symbol | undefined, index?: number): void => {
    const parameter = [target, key, index] as [object, string | symbol, number];
    (Inject(token) as (...args: [object, string | symbol, number]) => void)(...parameter);
    (Optional() as (...args: [object, string | symbol, number]) => void)(...parameter);
    writeInjection(typeof target === 'function' ? target : target.constructor, { kind, name });
  };
}
