import type { EventObject } from '@nestjs-orchestrator/statechart';
import type { MachineRef } from '../orchestrator/machine-ref.js';
import type { CircuitOpenError, RateLimitExceededError } from '../resilience/errors.js';
import { ResilienceOptionError } from '../resilience/errors.js';
import { mustBeCount, mustBeOneOf } from '../resilience/option-rules.js';
import type { RateLimiter } from '../resilience/limiter/rate-limiter.js';
import type { Policy } from '../resilience/policies/policy.js';

/** An event that a protected machine did not get. */
export interface RejectedEvent {
  readonly event: EventObject;
  /** Tenant, machine and trigger as they were counted. */
  readonly key: string;
  readonly error: RateLimitExceededError | CircuitOpenError;
}

/** How a machine is protected. */
export interface MachineProtection {
  /** Limits events by {@link MachineProtection.per key}; local or shared. */
  readonly limiter?: RateLimiter;
  /** Breaks where steps fail: one for the machine, or one made for each key and kept. */
  readonly breaker?: Policy | ((key: string) => Policy);
  /** Types of the events that are protected; others pass and cost nothing. Default: all. */
  readonly monitoredTriggers?: readonly string[];
  /** What is counted together, for each trigger: `'instance'` (default), this machine alone, or `'definition'`, all machines of its definition. */
  readonly per?: 'instance' | 'definition';
  /** Tenant of an event; tenants are counted apart. Default: none. */
  readonly tenant?: (event: EventObject) => string;
  /** Tokens that an event costs. Default: 1. */
  readonly cost?: (event: EventObject) => number;
  /**
   * How a rejection is told. `'error'` (default): to the sender. A function: to the machine, by the event that it makes, which is not protected itself; `send` then settles when
   * the machine has accepted that one. A `request` rejects in any case. `undefined` tells nobody but the sender.
   */
  readonly onRejected?: 'error' | ((rejected: RejectedEvent) => EventObject | undefined);
  /** Breakers kept, where they are made for each key; the one not used for longest goes first. Default: 10 000. */
  readonly maxBreakers?: number;
}

/** What identifies an event's bucket and breaker: `tenant/definition/instance/trigger`, each part escaped. */
export function keyOf(ref: MachineRef, event: EventObject, { per, tenant }: MachineProtection): string {
  const instance = per === 'definition' ? '*' : ref.id;
  const parts = [tenant?.(event) ?? '', ref.machine.id, instance, event.type];
  return parts.map((part) => part.replaceAll(/[%/]/g, encodeURIComponent)).join('/');
}

/** A protection protects by something. */
export function mustProtect({ limiter, breaker }: Pick<MachineProtection, 'limiter' | 'breaker'>): void {
  if (limiter !== undefined || breaker !== undefined) return;
  throw new ResilienceOptionError('limiter', 'or breaker must be given', undefined);
}

/** @throws ResilienceOptionError naming the option, its rule and the value */
export function checkProtection(protection: MachineProtection): void {
  const { per = 'instance', onRejected = 'error', maxBreakers = 1 } = protection;
  mustProtect(protection);
  mustBeOneOf({ per }, 'per', ['instance', 'definition']);
  mustBeCount({ maxBreakers }, 1, 'maxBreakers');
  if (onRejected !== 'error' && typeof onRejected !== 'function') {
    throw new ResilienceOptionError('onRejected', "must be 'error' or a function", onRejected);
  }
}
