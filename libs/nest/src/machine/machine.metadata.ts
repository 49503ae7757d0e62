import 'reflect-metadata';
import type { Machine } from '@nestjs-orchestrator/core';

const MACHINE_CLASS = Symbol.for('@nestjs-orchestrator/nest:machine-class');
const MACHINE_MEMBERS = Symbol.for('@nestjs-orchestrator/nest:machine-members');

/** What one decorator on a member says. */
export type MachineMemberRole =
  | { readonly kind: 'action' | 'guard' | 'activity' | 'delay'; readonly name: string }
  | {
      readonly kind: 'transition';
      readonly from: string | undefined;
      readonly to: string | undefined;
      readonly on: string | undefined;
    };

/** One decorator on one member. */
export interface MachineMember {
  /** The machine whose decorator it is. */
  readonly machine: Machine;
  readonly key: string | symbol;
  readonly role: MachineMemberRole;
}

/** Marks a class; for `@Machine()`. */
export function writeMachineClass(target: object, machine: Machine): void {
  Reflect.defineMetadata(MACHINE_CLASS, machine, target);
}

/** Adds what one decorator says. */
export function writeMachineMember(target: object, member: MachineMember): void {
  Reflect.defineMetadata(MACHINE_MEMBERS, [...readMachineMembers(target), member], target);
}

/** The machine a class is the `@Machine()` of. A subclass is none unless it is decorated itself. */
export function readMachineClass(target: object): Machine | undefined {
  return Reflect.getOwnMetadata(MACHINE_CLASS, target) as Machine | undefined;
}

/**
 * What the class's own decorators say.
 *
 * @internal
 */
export function readMachineMembers(target: object): readonly MachineMember[] {
  return (Reflect.getOwnMetadata(MACHINE_MEMBERS, target) ?? []) as readonly MachineMember[];
}
