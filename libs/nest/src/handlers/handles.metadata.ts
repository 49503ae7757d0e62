import 'reflect-metadata';
import type { MessageType } from '@nestjs-orchestrator/core';

const HANDLERS = Symbol.for('@nestjs-orchestrator/nest:handlers');

/** What one `@Handles` says. */
export interface HandlesMember {
  readonly key: string | symbol;
  readonly message: MessageType;
  /** The name given to the decorator. */
  readonly name: string | undefined;
  readonly concurrency: number | undefined;
}

/** Adds what one `@Handles` says. */
export function writeHandles(target: object, member: HandlesMember): void {
  Reflect.defineMetadata(HANDLERS, [...readHandles(target), member], target);
}

/** The class's own handlers, none of its base classes'. */
export function readHandles(target: object): readonly HandlesMember[] {
  return (Reflect.getOwnMetadata(HANDLERS, target) ?? []) as readonly HandlesMember[];
}
