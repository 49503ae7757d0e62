import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { OrchestratorCoreModule } from '../module/orchestrator-core.module.js';
import type { ResilienceNames } from './resilience-options.js';
import { HttpRateLimits } from './http/http-rate-limits.js';
import { ResilienceRegistry } from './resilience-registry.js';
import { getCircuitBreakerToken, getRateLimiterToken } from './resilience.tokens.js';

/**
 * Makes limiters and breakers injectable in every module by their names, and what `RateLimitGuard` needs. Global, since names are the application's; nothing in it has an
 * end that an order would matter to.
 */
@Module({})
export class NamedResilienceModule {
  static with({ breakers = [], limiters = [] }: ResilienceNames): DynamicModule {
    const providers: Provider[] = [
      HttpRateLimits,
      ...breakers.map((name) => named('breaker', name, getCircuitBreakerToken(name))),
      ...limiters.map((name) => named('limiter', name, getRateLimiterToken(name))),
    ];
    return {
      module: NamedResilienceModule,
      global: true,
      imports: [OrchestratorCoreModule],
      providers,
      exports: providers,
    };
  }
}

function named(kind: 'breaker' | 'limiter', name: string, provide: symbol): Provider {
  return {
    provide,
    useFactory: (registry: ResilienceRegistry) => registry.get(kind, name),
    inject: [ResilienceRegistry],
  };
}
