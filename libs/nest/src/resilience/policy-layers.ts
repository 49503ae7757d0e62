import { milliseconds } from '@nestjs-orchestrator/core';
import {
  RateLimitExceededError,
  bulkhead,
  fallback,
  retry,
  timeout,
  type Call,
  type Policy,
  type RateLimiter,
} from '@nestjs-orchestrator/core/resilience';
import type { NamedKind, PolicyRole } from './resilience.metadata.js';
import type { NamedThings, ResilienceRegistry } from './resilience-registry.js';

/** One call of a protected method. */
export interface Invocation {
  readonly instance: object;
  readonly args: readonly unknown[];
}

/** One policy of one method: calls `next`, or doesn't. */
export type PolicyLayer = (
  invocation: Invocation,
  next: Call<unknown>,
  signal: AbortSignal | undefined,
) => Promise<unknown>;

/** A decorator names something that is not configured. */
export class UnknownNameError extends Error {
  override readonly name = 'UnknownNameError';
  constructor(
    readonly kind: NamedKind,
    readonly unknown: string,
  ) {
    super(`'${unknown}' is no known ${kind}`);
  }
}

type RoleOf<K extends PolicyRole['kind']> = Extract<PolicyRole, { kind: K }>;

/**
 * What a decorator says, made for one method of one application.
 *
 * @throws UnknownNameError, ResilienceOptionError
 */
export function policyLayer(role: PolicyRole, registry: ResilienceRegistry, place: string): PolicyLayer {
  switch (role.kind) {
    case 'breaker':
      return layerOf(
        resolved(registry, 'breaker', role.use, (use) => registry.breakerOf({ name: place, ...use })),
      );
    case 'limiter':
      return limiterLayer(
        role,
        resolved(registry, 'limiter', role.use, (use) => registry.limiterOf(use)),
      );
    case 'bulkhead':
      return layerOf(resolved(registry, 'bulkhead', role.use, bulkhead));
    case 'retry':
      return layerOf(retryOf(role, registry));
    case 'timeout':
      return layerOf(timeout(milliseconds(role.after), registry.time));
    case 'fallback':
      return fallbackLayer(role);
    default:
      return role satisfies never;
  }
}

function retryOf({ options, budget }: RoleOf<'retry'>, registry: ResilienceRegistry): Policy {
  return retry({
    ...registry.time,
    ...registry.chance,
    ...options,
    ...(budget === undefined ? {} : { budget: named(registry, 'retry-budget', budget) }),
  });
}

/** What a name stands for, or what the options make. */
function resolved<K extends NamedKind, O extends object>(
  registry: ResilienceRegistry,
  kind: K,
  use: string | O,
  make: (options: O) => NamedThings[K],
): NamedThings[K] {
  return typeof use === 'string' ? named(registry, kind, use) : make(use);
}

function layerOf(policy: Policy<unknown>): PolicyLayer {
  return (_invocation, next, signal) => policy.execute(next, signal);
}

function fallbackLayer({ substitute, when }: RoleOf<'fallback'>): PolicyLayer {
  return ({ instance, args }, next, signal) =>
    fallback((error) => substitute(error, instance, args), when === undefined ? {} : { when }).execute(
      next,
      signal,
    );
}

function limiterLayer(role: RoleOf<'limiter'>, limiter: RateLimiter): PolicyLayer {
  return async ({ args }, next, signal) => {
    signal?.throwIfAborted();
    const key = typeof role.key === 'function' ? role.key(...args) : role.key;
    const cost = typeof role.cost === 'function' ? role.cost(...args) : role.cost;
    if (role.wait) await limiter.acquire(key, cost, signal);
    else await takeOrThrow(limiter, key, cost);
    return next(signal);
  };
}

/**
 * Takes tokens at once.
 *
 * @throws RateLimitExceededError if they are not there
 */
export async function takeOrThrow(
  limiter: RateLimiter,
  key: string | undefined,
  cost: number | undefined,
): Promise<void> {
  if (await limiter.tryAcquire(key, cost)) return;
  const { retryAfterMs } = await limiter.peek(key);
  throw new RateLimitExceededError(key, cost ?? 1, retryAfterMs, 'empty');
}

function named<K extends NamedKind>(registry: ResilienceRegistry, kind: K, name: string): NamedThings[K] {
  const found = registry.get(kind, name);
  if (found === undefined) throw new UnknownNameError(kind, name);
  return found;
}
