import 'reflect-metadata';
import type { Duration, MessageType } from '@nestjs-orchestrator/core';
import type { AnySaga, ErasedGuard } from '@nestjs-orchestrator/core/saga';
import type { SagaClassProtection } from './saga-class-protection.js';

const SAGA_CLASS = Symbol.for('@nestjs-orchestrator/nest:saga-class');
const SAGA_PROTECTION = Symbol.for('@nestjs-orchestrator/nest:saga-protection');
const SAGA_MEMBERS = Symbol.for('@nestjs-orchestrator/nest:saga-members');

/** What one decorator on a method says. */
export type SagaMemberRole =
  | { readonly kind: 'start'; readonly event: MessageType; readonly to: string }
  | {
      readonly kind: 'event';
      readonly event: MessageType;
      readonly during: string | readonly string[];
      readonly to: string | readonly string[] | undefined;
      readonly guard: ErasedGuard | undefined;
    }
  | {
      readonly kind: 'after';
      readonly delay: Duration;
      readonly during: string | readonly string[];
      readonly to: string | readonly string[] | undefined;
    }
  | {
      readonly kind: 'composite' | 'schedule';
      readonly name: string;
      readonly during: string | readonly string[];
      readonly to: string | readonly string[] | undefined;
      readonly guard: ErasedGuard | undefined;
    }
  | {
      readonly kind: 'always' | 'done';
      readonly during: string | readonly string[];
      readonly to: string | readonly string[] | undefined;
      readonly guard: ErasedGuard | undefined;
    }
  | {
      readonly kind: 'outcome';
      readonly activity: string;
      readonly outcome: 'done' | 'failed';
      readonly during: string | readonly string[];
      readonly to: string | readonly string[] | undefined;
      readonly guard: ErasedGuard | undefined;
    }
  | { readonly kind: 'activity'; readonly name: string }
  | { readonly kind: 'entry'; readonly states: string | readonly string[] }
  | { readonly kind: 'exit'; readonly states: string | readonly string[] }
  | { readonly kind: 'compensation'; readonly name: string };

/** One decorator on one method. */
export interface SagaMember {
  /** The saga whose decorator it is. */
  readonly definition: AnySaga;
  readonly key: string | symbol;
  readonly role: SagaMemberRole;
}

/** Marks a class; for `@Saga()`. */
export function writeSagaClass(target: object, definition: AnySaga): void {
  Reflect.defineMetadata(SAGA_CLASS, definition, target);
}

/** Says how the saga of a class is protected; for `@Saga({ protect })`. */
export function writeSagaProtection(target: object, protection: SagaClassProtection): void {
  Reflect.defineMetadata(SAGA_PROTECTION, protection, target);
}

/** How the saga of a class is protected, if it is. */
export function readSagaProtection(target: object): SagaClassProtection | undefined {
  return Reflect.getOwnMetadata(SAGA_PROTECTION, target) as SagaClassProtection | undefined;
}

/** Adds what one decorator says; for `@StartedBy`, `@On`, `@After`, `@Compensation`. */
export function writeSagaMember(target: object, member: SagaMember): void {
  const own = readSagaMembers(target);
  Reflect.defineMetadata(SAGA_MEMBERS, [...own, member], target);
}

/** The definition a class is the `@Saga()` of. A subclass is none unless it is decorated itself. */
export function readSagaClass(target: object): AnySaga | undefined {
  return Reflect.getOwnMetadata(SAGA_CLASS, target) as AnySaga | undefined;
}

/** What the class's own decorators say, in the order they ran: methods from top to bottom, one method's decorators from bottom to top. */
export function readSagaMembers(target: object): readonly SagaMember[] {
  return (Reflect.getOwnMetadata(SAGA_MEMBERS, target) ?? []) as readonly SagaMember[];
}
