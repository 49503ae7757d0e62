import { CeilingError, DuplicateIdError } from '../errors.js';
import type { MachineInstance } from './machine-instance.js';
import type { Command } from './step-run.js';

/** Why a step can't be adopted, looked at before anything of it is done; undefined: it can. */
export function refusalOf(instance: MachineInstance, commands: readonly Command[]): Error | undefined {
  return (
    overCeiling(sendsOf(instance, commands)) ??
    tooManyElsewhere(instance, commands) ??
    refusalOfStarts(instance, commands)
  );
}

function tooManyElsewhere(instance: MachineInstance, commands: readonly Command[]): Error | undefined {
  const { cluster, name, settings } = instance.core;
  if (cluster === undefined) return undefined;
  let count = 0;
  for (const command of commands) if (command.type === 'to' && !('core' in command.receiver)) count += 1;
  if (count === 0 || cluster.hasRoomToWait(count)) return undefined;
  return new CeilingError('maxWaitingSenders', settings.maxWaitingSenders, `Channel group '${name}'`);
}

function sendsOf(
  instance: MachineInstance,
  commands: readonly Command[],
): ReadonlyMap<MachineInstance, number> {
  const sends = new Map<MachineInstance, number>();
  for (const command of commands) {
    const receiver = receiverOf(instance, command);
    if (receiver !== undefined) sends.set(receiver, (sends.get(receiver) ?? 0) + 1);
  }
  return sends;
}

function receiverOf(instance: MachineInstance, command: Command): MachineInstance | undefined {
  if (command.type === 'to') return 'core' in command.receiver ? command.receiver : undefined;
  if (command.type !== 'send' || command.delay !== undefined) return undefined;
  return instance.lookUp(command.to);
}

function overCeiling(sends: ReadonlyMap<MachineInstance, number>): Error | undefined {
  for (const [receiver, count] of sends) {
    const { settings, queued, name } = receiver.core;
    const { maxQueued, maxQueuedPerMachine } = settings;
    if (receiver.queued + count > maxQueuedPerMachine) {
      return new CeilingError(
        'maxQueuedPerMachine',
        maxQueuedPerMachine,
        `The mailbox of machine '${receiver.id}'`,
      );
    }
    if (queued + count > maxQueued)
      return new CeilingError('maxQueued', maxQueued, `Channel group '${name}'`);
  }
  return undefined;
}

function refusalOfStarts(instance: MachineInstance, commands: readonly Command[]): Error | undefined {
  const stopped = new Set<string>();
  let starts = 0;
  for (const command of commands) {
    if (command.type === 'stop' || command.type === 'stopChild') stopped.add(command.id);
    if (command.type !== 'spawn' && command.type !== 'invoke') continue;
    starts += 1;
    if (instance.hasChild(command.id) && !stopped.has(command.id))
      return new DuplicateIdError(command.id, instance.id);
  }
  const { core } = instance;
  const { maxMachines } = core.settings;
  if (starts === 0 || core.instances.size + starts <= maxMachines) return undefined;
  return new CeilingError('maxMachines', maxMachines, `Channel group '${core.name}'`);
}
