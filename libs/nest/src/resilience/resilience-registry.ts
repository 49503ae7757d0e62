import type { Clock, Logger, Random } from '@nestjs-orchestrator/core/ports';
import {
  RetryBudget,
  bulkhead,
  circuitBreaker,
  rateLimiter,
  type CircuitBreakerOptions,
  type CircuitEvent,
  type Policy,
  type RateLimiterOptions,
} from '@nestjs-orchestrator/core/resilience';
import { OrchestratorConfigurationError } from '../boot-errors.js';
import type { NamedKind } from './resilience.metadata.js';
import type { CircuitBreakerLike, RateLimiterLike, ResilienceOptions } from './resilience-options.js';

/** What everything that is made for an application shares. */
export interface ResilienceSurroundings {
  readonly clock: Clock | undefined;
  readonly random: Random | undefined;
  readonly logger: Logger;
}

/** What a name stands for. */
export interface NamedThings {
  readonly breaker: CircuitBreakerLike;
  readonly limiter: RateLimiterLike;
  readonly bulkhead: Policy;
  readonly 'retry-budget': RetryBudget;
}

const DEFAULT_RATE = 100;

/** The limiters, breakers, bulkheads and retry budgets of one application, by name. */
export class ResilienceRegistry {
  private readonly things: { readonly [K in NamedKind]: Map<string, NamedThings[K]> };
  private readonly rates = new Map<string, number>();

  /** @throws OrchestratorConfigurationError naming what was given an option that it can't use */
  constructor(
    { breakers, limiters, bulkheads, retryBudgets }: ResilienceOptions,
    private readonly surroundings: ResilienceSurroundings,
  ) {
    this.things = {
      breaker: made('breakers', breakers, (given, name) =>
        'execute' in given ? given : this.breakerOf({ name, ...given }),
      ),
      limiter: made('limiters', limiters, (given, name) => {
        if ('tryAcquire' in given) return given;
        this.rates.set(name, given.maxTransitionsPerSecond ?? DEFAULT_RATE);
        return this.limiterOf(given);
      }),
      bulkhead: made('bulkheads', bulkheads, (given) => ('execute' in given ? given : bulkhead(given))),
      'retry-budget': made('retryBudgets', retryBudgets, (given) =>
        given instanceof RetryBudget ? given : new RetryBudget({ ...this.time, ...given }),
      ),
    };
  }

  get<K extends NamedKind>(kind: K, name: string): NamedThings[K] | undefined {
    return this.things[kind].get(name);
  }

  names(kind: NamedKind): readonly string[] {
    return [...this.things[kind].keys()];
  }

  entries<K extends NamedKind>(kind: K): readonly (readonly [name: string, thing: NamedThings[K]])[] {
    return [...this.things[kind]];
  }

  /** Tokens per second of a limiter that was made here of options. */
  rateOf(limiter: string): number | undefined {
    return this.rates.get(limiter);
  }

  /** A breaker with the application's clock, whose openings are logged. */
  breakerOf(options: CircuitBreakerOptions): CircuitBreakerLike {
    return circuitBreaker({
      ...this.time,
      ...this.chance,
      ...options,
      onEvent: (event) => {
        this.log(event);
        options.onEvent?.(event);
      },
    });
  }

  /** A limiter with the application's clock. */
  limiterOf(options: RateLimiterOptions): RateLimiterLike {
    return rateLimiter({ ...this.time, ...options });
  }

  /** The application's clock as an option, if it has one of its own. */
  get time(): { readonly clock?: Clock } {
    const { clock } = this.surroundings;
    return clock === undefined ? {} : { clock };
  }

  /** The application's randomness as an option, if it has one of its own. */
  get chance(): { readonly random?: Random } {
    const { random } = this.surroundings;
    return random === undefined ? {} : { random };
  }

  private log({ breaker, from, to, cause, breakMs }: CircuitEvent): void {
    const { logger } = this.surroundings;
    const level = to === 'open' || to === 'isolated' ? 'warn' : 'info';
    const rest = breakMs === undefined ? '' : ` for ${Math.ceil(breakMs)} ms`;
    logger[level](`Circuit breaker '${breaker}': ${from} → ${to} (${cause})${rest}`, {
      breaker,
      from,
      to,
      cause,
    });
  }
}

function made<G, T>(
  group: keyof ResilienceOptions,
  given: Readonly<Record<string, G>> = {},
  make: (given: G, name: string) => T,
): Map<string, T> {
  return new Map(
    Object.entries(given).map(([name, each]): [string, T] => {
      try {
        return [name, make(each, name)];
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message : String(cause);
        throw new OrchestratorConfigurationError(
          `OrchestratorModule.forRoot() can't make '${name}' of resilience.${group}: ${reason}`,
          { cause },
        );
      }
    }),
  );
}
