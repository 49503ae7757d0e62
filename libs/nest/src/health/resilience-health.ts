import type { CircuitState } from '@nestjs-orchestrator/core/resilience';
import type { ResilienceRegistry } from '../resilience/resilience-registry.js';

/** How a rate limiter stands. */
export interface LimiterHealth {
  /** Calls let through and refused since the start, where the limiter counts. */
  readonly allowed?: number;
  readonly refused?: number;
  /** Calls that wait now. */
  readonly waiting?: number;
}

/** How what has a name stands; nothing where nothing has one. */
export function resilienceHealth(registry: ResilienceRegistry): {
  readonly breakers?: Readonly<Record<string, CircuitState['kind']>>;
  readonly limiters?: Readonly<Record<string, LimiterHealth>>;
} {
  const breakers = registry.entries('breaker').map(([name, { state }]) => [name, state.kind] as const);
  const limiters = registry.entries('limiter').map(([name, limiter]) => {
    const counts = limiter.statistics?.();
    if (counts === undefined) return [name, {}] as const;
    const { allowed, refused, waiting } = counts;
    return [name, { allowed, refused, waiting }] as const;
  });
  return {
    ...(breakers.length === 0 ? {} : { breakers: Object.fromEntries(breakers) }),
    ...(limiters.length === 0 ? {} : { limiters: Object.fromEntries(limiters) }),
  };
}
