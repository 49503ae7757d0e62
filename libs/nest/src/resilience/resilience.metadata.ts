import 'reflect-metadata';
import type { Duration } from '@nestjs-orchestrator/core';
import type {
  BulkheadOptions,
  CircuitBreakerOptions,
  RateLimiterOptions,
  RetryOptions,
} from '@nestjs-orchestrator/core/resilience';

const POLICIES = Symbol.for('@nestjs-orchestrator/nest:policies');
const INJECTIONS = Symbol.for('@nestjs-orchestrator/nest:resilience-injections');
const SIGNALS = Symbol.for('@nestjs-orchestrator/nest:call-signals');

/** What is known by name. */
export type NamedKind = 'breaker' | 'limiter' | 'bulkhead' | 'retry-budget';

/** What one `@Use…` on a method says. */
export type PolicyRole =
  | { readonly kind: 'breaker'; readonly use: string | CircuitBreakerOptions }
  | {
      readonly kind: 'limiter';
      readonly use: string | RateLimiterOptions;
      readonly key: ((...args: readonly unknown[]) => string) | string | undefined;
      readonly cost: ((...args: readonly unknown[]) => number) | number | undefined;
      readonly wait: boolean;
    }
  | { readonly kind: 'bulkhead'; readonly use: string | BulkheadOptions }
  | {
      readonly kind: 'retry';
      readonly options: Omit<RetryOptions, 'budget'>;
      readonly budget: string | undefined;
    }
  | { readonly kind: 'timeout'; readonly after: Duration | number }
  | {
      readonly kind: 'fallback';
      readonly substitute: (error: unknown, instance: object, args: readonly unknown[]) => unknown;
      readonly when: ((error: unknown) => boolean) | undefined;
    };

/** One `@Use…` on one method. */
export interface PolicyMember {
  readonly key: string | symbol;
  readonly role: PolicyRole;
}

/** One named thing that a class wants injected. */
export interface NamedInjection {
  readonly kind: NamedKind;
  readonly name: string;
}

/** Adds what one `@Use…` says. */
export function writePolicy(target: object, member: PolicyMember): void {
  Reflect.defineMetadata(POLICIES, [...readPolicies(target), member], target);
}

/** What the class's own `@Use…` say, in the order they ran: one method's decorators from bottom to top. */
export function readPolicies(target: object): readonly PolicyMember[] {
  return (Reflect.getOwnMetadata(POLICIES, target) ?? []) as readonly PolicyMember[];
}

/** Notes that a class wants something by name. */
export function writeInjection(target: object, injection: NamedInjection): void {
  const own = (Reflect.getOwnMetadata(INJECTIONS, target) ?? []) as readonly NamedInjection[];
  Reflect.defineMetadata(INJECTIONS, [...own, injection], target);
}

/** What a class wants by name; constructors and properties are inherited, so base classes count. */
export function readInjections(target: object): readonly NamedInjection[] {
  const found: NamedInjection[] = [];
  for (
    let each: object | null = target;
    each !== null && each !== Function.prototype;
    each = Object.getPrototypeOf(each) as object | null
  )
    found.push(...((Reflect.getOwnMetadata(INJECTIONS, each) ?? []) as readonly NamedInjection[]));
  return found;
}

/** Notes at which position a method takes the signal of its call. */
export function writeCallSignal(target: object, key: string | symbol, index: number): void {
  Reflect.defineMetadata(SIGNALS, index, target, key);
}

/** The position of a method's signal, if it takes one. */
export function readCallSignal(target: object, key: string | symbol): number | undefined {
  return Reflect.getOwnMetadata(SIGNALS, target, key) as number | undefined;
}
