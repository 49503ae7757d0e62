import { Injectable } from '@nestjs/common';
import type { Machine } from '@nestjs-orchestrator/core';
import { assertInstanceMethod } from '../decorator-target.js';
import type { MachineDecorators } from './machine-decorators.types.js';
import { writeMachineClass, writeMachineMember, type MachineMemberRole } from './machine.metadata.js';

interface Filter {
  readonly from?: string;
  readonly to?: string;
  readonly on?: string;
}

/**
 * The decorators that give a machine its actions, guards, activities and delays, typed for its definition: a misspelt name, state or event
 * does not compile.
 *
 * ```ts
 * const { Machine, Action, Guard, Activity, Delay, OnTransition } = machineDecorators(door);
 * ```
 *
 * They are read from the decorated class itself, never from its base classes.
 */
export function machineDecorators<M extends Machine>(machine: M): MachineDecorators<M> {
  const member =
    (decorator: string, role: MachineMemberRole) =>
    (target: object, key: string | symbol): void => {
      assertInstanceMethod(target, key, decorator);
      writeMachineMember(target.constructor, { machine, key, role });
    };
  const decorators = {
    Machine: () => (target: new (...args: never[]) => object) => {
      writeMachineClass(target, machine);
      Injectable()(target);
    },
    Action: (name: string) => member('Action', { kind: 'action', name }),
    Guard: (name: string) => member('Guard', { kind: 'guard', name }),
    Activity: (name: string) => member('Activity', { kind: 'activity', name }),
    Delay: (name: string) => member('Delay', { kind: 'delay', name }),
    OnTransition: ({ from, to, on }: Filter = {}) =>
      member('OnTransition', { kind: 'transition', from, to, on }),
  };
  return decorators as unknown as MachineDecorators<M>;
}
