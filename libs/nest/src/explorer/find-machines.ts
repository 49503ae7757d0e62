import { namesIn, type Machine, type NameUse } from '@nestjs-orchestrator/core';
import type { BootFault } from '../boot-errors.js';
import {
  noBehaviour,
  readMachineBehaviour,
  type MachineBehaviour,
} from '../machine/machine-class.accessor.js';
import type { MachinePlan } from '../machine/machine-runtime.js';
import { readMachineClass, readMachineMembers } from '../machine/machine.metadata.js';
import type { Candidate, FeatureSite } from './candidates.js';

type Report = (code: BootFault['code'], message: string) => void;

/** A definition, who registered it, in which group, and what implements it. */
interface Entry {
  readonly machine: Machine;
  readonly modules: Set<string>;
  readonly groups: Set<string | undefined>;
  readonly classes: Candidate[];
}

const SHELVES = { action: 'actions', guard: 'guards', actor: 'activities', delay: 'delays' } as const;
const DECORATORS = { action: 'Action', guard: 'Guard', actor: 'Activity', delay: 'Delay' } as const;

/** Brings machines and the classes that implement their names together. */
export function findMachines(
  features: readonly FeatureSite[],
  candidates: readonly Candidate[],
  report: Report,
): readonly MachinePlan[] {
  const entries = entriesOf(features);
  reportDoubleDefinitions([...entries.values()], report);
  for (const candidate of candidates) assign(candidate, entries, report);
  return [...entries.values()].flatMap((entry) => planOf(entry, report) ?? []);
}

function entriesOf(features: readonly FeatureSite[]): Map<Machine, Entry> {
  const entries = new Map<Machine, Entry>();
  for (const { machines, channelGroup, modules } of features) {
    for (const machine of machines) {
      const entry = entries.get(machine) ?? { machine, modules: new Set(), groups: new Set(), classes: [] };
      entries.set(machine, entry);
      entry.groups.add(channelGroup);
      for (const module of modules) entry.modules.add(module);
    }
  }
  return entries;
}

function reportDoubleDefinitions(entries: readonly Entry[], report: Report): void {
  const first = new Map<string, Entry>();
  for (const entry of entries) {
    const { id } = entry.machine;
    const other = first.get(id);
    first.set(id, other ?? entry);
    if (other !== undefined) {
      report(
        'DUPLICATE_MACHINE',
        `machine '${id}' is defined twice: registered by ${sites(other)} and, as another definition, by ${sites(entry)}. ` +
          `Share one defineMachine(), or give one of them another id.`,
      );
    }
    if (entry.groups.size > 1) {
      const groups = [...entry.groups].map((group) => (group === undefined ? 'its own' : `'${group}'`));
      report(
        'DUPLICATE_MACHINE',
        `machine '${id}' is registered by ${sites(entry)} in ${entry.groups.size} channel groups of the application: ` +
          `${groups.join(' and ')}. Register it in one; others take it by the registerIn() of its handle.`,
      );
    }
  }
}

/** Gives a class to the machine it is the `@Machine()` of. */
function assign(candidate: Candidate, entries: ReadonlyMap<Machine, Entry>, report: Report): void {
  const { target, module, scope } = candidate;
  const machine = readMachineClass(target);
  if (machine === undefined) {
    const member = readMachineMembers(target)[0];
    if (member === undefined) return;
    report(
      'MISSING_MACHINE_DECORATOR',
      `${target.name} (in ${module}) implements names of machine '${member.machine.id}', but has no @Machine(). Decorate the class with it.`,
    );
    return;
  }
  if (scope !== undefined) {
    report(
      'SCOPED_PROVIDER',
      `${target.name} (in ${module}), the class of machine '${machine.id}', is ${scope}. Machine classes are stateless singletons: ` +
        `remove the scope, and keep what belongs to one machine in its context.`,
    );
  }
  const entry = entries.get(machine);
  if (entry === undefined)
    report('UNREGISTERED_MACHINE', unregistered(candidate, machine, [...entries.keys()]));
  else entry.classes.push(candidate);
}

function unregistered({ target, module }: Candidate, machine: Machine, known: readonly Machine[]): string {
  const start = `${target.name} (in ${module}) is the @Machine() of machine '${machine.id}', which no forFeature registers.`;
  return known.some(({ id }) => id === machine.id)
    ? `${start} Another definition of that id is registered: use the same object in both places.`
    : `${start} Add OrchestratorModule.forFeature([definition]) to the imports of ${module}.`;
}

function planOf(entry: Entry, report: Report): MachinePlan | undefined {
  const { machine, classes, groups } = entry;
  const owners = classes.map(({ target, module }) => `${target.name} (in ${module})`);
  if (owners.length > 1) {
    report(
      'DUPLICATE_MACHINE_CLASS',
      `machine '${machine.id}' has ${owners.length} classes: ${owners.join(' and ')}. Provide one of them, in one module; ` +
        `others reach its machines through @InjectMachine.`,
    );
    return undefined;
  }
  const candidate = classes[0];
  if (candidate?.scope !== undefined) return undefined;
  const behaviour = behaviourOf(machine, candidate, report);
  reportUnbound(entry, behaviour, owners[0], report);
  return { behaviour, group: [...groups][0] };
}

function behaviourOf(machine: Machine, candidate: Candidate | undefined, report: Report): MachineBehaviour {
  if (candidate === undefined) return noBehaviour(machine);
  const { target, instance, module } = candidate;
  return readMachineBehaviour(machine, instance, target, (label, message) =>
    report('MACHINE_MEMBER', `${label} (in ${module}) ${message}.`),
  );
}

function reportUnbound(
  entry: Entry,
  behaviour: MachineBehaviour,
  owner: string | undefined,
  report: Report,
): void {
  const { machine } = entry;
  const missing = namesIn(machine).filter(
    ({ kind, name, bound }) => !bound && !Object.hasOwn(behaviour[SHELVES[kind]], name),
  );
  if (missing.length === 0) return;
  const list = missing.map(described).join(', ');
  if (owner === undefined) {
    report(
      'MISSING_MACHINE_CLASS',
      `machine '${machine.id}', registered by ${sites(entry)}, uses names that nobody implements: ${list}. Add its @Machine() class to ` +
        `the providers of a module, or bind them in defineMachine().`,
    );
    return;
  }
  report(
    'UNBOUND_NAMES',
    `${owner}, the class of machine '${machine.id}', does not implement ${list}. Add ${missing
      .map(({ kind, name }) => `@${DECORATORS[kind]}('${name}')`)
      .join(', ')}, or bind them in defineMachine().`,
  );
}

function described({ kind, name, path }: NameUse): string {
  return `${kind === 'actor' ? 'activity' : kind} '${name}' (at ${path})`;
}

function sites({ modules }: Entry): string {
  return [...modules].join(', ') || 'a module that nothing imports';
}
