import {
  matches,
  milliseconds,
  type Duration,
  type Machine,
  type OrchestratorRecord,
} from '@nestjs-orchestrator/core';
import type { DecoratedClass } from '../saga/saga-class.accessor.js';
import type { MachineTransition } from './machine-decorators.types.js';
import { readMachineMembers, type MachineMember, type MachineMemberRole } from './machine.metadata.js';

type Implementation = (...args: unknown[]) => unknown;
type TransitionRecord = Extract<OrchestratorRecord, { type: 'transition' }>;

/** A method that is told of transitions. */
export interface TransitionListener {
  /** `Class.method`, for the log. */
  readonly label: string;
  readonly wants: (record: TransitionRecord) => boolean;
  /** May throw, and may return a promise that rejects. */
  readonly tell: (transition: MachineTransition) => unknown;
}

/** What a class does for its machine. */
export interface MachineBehaviour {
  readonly machine: Machine;
  readonly actions: Readonly<Record<string, Implementation>>;
  readonly guards: Readonly<Record<string, Implementation>>;
  readonly activities: Readonly<Record<string, Implementation>>;
  readonly delays: Readonly<Record<string, Implementation | number>>;
  readonly listeners: readonly TransitionListener[];
}

const SHELVES = { action: 'actions', guard: 'guards', activity: 'activities', delay: 'delays' } as const;

/** Says what is wrong with a member, `Class.member`. */
export type ReportMember = (label: string, message: string) => void;

/** A machine without a class. */
export function noBehaviour(machine: Machine): MachineBehaviour {
  return { machine, actions: {}, guards: {}, activities: {}, delays: {}, listeners: [] };
}

/** The behaviour that a class's decorators describe, bound to an instance of it. */
export function readMachineBehaviour(
  machine: Machine,
  instance: object,
  target: DecoratedClass,
  report: ReportMember,
): MachineBehaviour {
  const shelves = {
    actions: new Map<string, Implementation>(),
    guards: new Map<string, Implementation>(),
    activities: new Map<string, Implementation>(),
    delays: new Map<string, Implementation | number>(),
  };
  const listeners: TransitionListener[] = [];
  for (const member of readMachineMembers(target)) {
    const label = `${target.name}.${String(member.key)}`;
    const { role } = member;
    if (member.machine !== machine) {
      report(label, `has a decorator of another machine, '${member.machine.id}'`);
    } else if (role.kind === 'transition') {
      listeners.push(listenerOf(machine, role, label, bind(instance, member.key)));
    } else {
      const shelf: Map<string, Implementation | number> = shelves[SHELVES[role.kind]];
      if (shelf.has(role.name)) report(label, `is the second member for ${role.kind} '${role.name}'`);
      shelf.set(role.name, implementationOf(instance, member, label, report));
    }
  }
  const { actions, guards, activities, delays } = shelves;
  return {
    machine,
    actions: Object.fromEntries(actions),
    guards: Object.fromEntries(guards),
    activities: Object.fromEntries(activities),
    delays: Object.fromEntries(delays),
    listeners,
  };
}

function implementationOf(
  instance: object,
  { key, role }: MachineMember,
  label: string,
  report: ReportMember,
): Implementation | number {
  const value = (instance as Record<string | symbol, unknown>)[key];
  if (typeof value === 'function') return bind(instance, key);
  if (role.kind !== 'delay') {
    report(label, `stands for ${role.kind} and is no method`);
    return 0;
  }
  try {
    return milliseconds(value as Duration | number);
  } catch (error) {
    report(label, (error as Error).message);
    return 0;
  }
}

function listenerOf(
  machine: Machine,
  { from, to, on }: Extract<MachineMemberRole, { kind: 'transition' }>,
  label: string,
  tell: Implementation,
): TransitionListener {
  return {
    label,
    wants: ({ machine: { definition }, event, before, after }) =>
      definition === machine.id &&
      (on === undefined || event.type === on) &&
      (from === undefined || (matches(before, from) && !matches(after, from))) &&
      (to === undefined || (matches(after, to) && !matches(before, to))),
    tell,
  };
}

/** Looked up when it is called, so that a spy put on the instance is seen. */
function bind(instance: object, key: string | symbol): Implementation {
  const methods = instance as Record<string | symbol, Implementation | undefined>;
  return (...args) => methods[key]?.(...args);
}
