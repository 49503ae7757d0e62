import type { EventObject } from '@nestjs-orchestrator/statechart';
import { GroupUnreachableError, quote, UnknownMachineError } from '../errors.js';
import { ActivityRun } from './activity-run.js';
import type { Stay } from './deliveries.js';
import type { MachineInstance } from './machine-instance.js';
import type { Command } from './step-run.js';
import { TimerTable } from './timer-table.js';

/** Does what an adopted step has asked for, in order. Nothing here fails the step: what reaches nobody is reported. */
export function carryOut(instance: MachineInstance, commands: readonly Command[], cause: EventObject): void {
  for (const command of commands) {
    if (instance.ended !== undefined) return;
    (DOES[command.type] as Does<Command['type']>)(instance, command, cause);
  }
}

type Of<T extends Command['type']> = Extract<Command, { type: T }>;
type Does<T extends Command['type']> = (
  instance: MachineInstance,
  command: Of<T>,
  cause: EventObject,
) => void;

const DOES: { readonly [T in Command['type']]: Does<T> } = {
  to(instance, { receiver, event }) {
    if ('core' in receiver) deliverTo(instance, receiver, receiver.id, event);
    else receiver.sendFromStep(instance, event);
  },
  send,
  after(instance, { id, delay, event, node, epoch }) {
    timersOf(instance).arm(id, delay, event, { node, epoch });
  },
  raise(instance, { id, delay, event }) {
    timersOf(instance).arm(id, delay, event, undefined);
  },
  cancel(instance, { id }) {
    instance.timers?.cancel(id);
  },
  invoke(instance, { id, src, input, node, epoch, systemId }, cause) {
    startChild(instance, { id, src, input, stay: { node, epoch }, systemId }, cause);
  },
  spawn(instance, { id, src, input, systemId }, cause) {
    startChild(instance, { id, src, input, stay: undefined, systemId }, cause);
  },
  stop: stopChild,
  stopChild,
  emit(instance, { event }) {
    const { records } = instance.core;
    if (records.wants('emitted')) records.tell({ type: 'emitted', machine: instance.identity(), event });
  },
  log({ core, id }, { label, value }) {
    core.logger.info(`${label === undefined ? '' : `${label}: `}${quote(value)}`, {
      group: core.name,
      machine: id,
    });
  },
};

function timersOf(instance: MachineInstance): TimerTable {
  return (instance.timers ??= new TimerTable(instance));
}

function send(instance: MachineInstance, { to, event, id, delay }: Of<'send'>): void {
  if (delay === undefined) deliverById(instance, to, event);
  else timersOf(instance).call(id, delay, () => deliverById(instance, to, event));
}

/** Who is not in this process is sought in the others and in the store, but for those who can only be here. */
function deliverById(instance: MachineInstance, to: string, event: EventObject): void {
  const receiver = instance.lookUp(to);
  const { cluster, durable, name } = instance.core;
  if (receiver !== undefined || to.startsWith('#')) deliverTo(instance, receiver, to, event);
  else if (cluster !== undefined) cluster.remote(name, to).sendFromStep(instance, event);
  else if (durable !== undefined) durable.kept(to).sendFromStep(instance, event);
  else deliverTo(instance, receiver, to, event);
}

function deliverTo(
  instance: MachineInstance,
  receiver: MachineInstance | undefined,
  to: string,
  event: EventObject,
): void {
  const { core } = instance;
  const closed =
    receiver === undefined ? new UnknownMachineError(to, core.name, 'id') : receiver.closedError();
  if (receiver === undefined || closed !== undefined) instance.reportFailure('undeliverable', event, closed);
  else if (!core.mayReach(receiver.core)) {
    instance.reportFailure(
      'undeliverable',
      event,
      new GroupUnreachableError(receiver.core.name, core.name, 'not-allowed'),
    );
  } else receiver.core.deliver(receiver, event, undefined);
}

interface ChildStart {
  readonly id: string;
  readonly src: string;
  readonly input: unknown;
  readonly stay: Stay | undefined;
  readonly systemId: string | undefined;
}

function startChild(instance: MachineInstance, start: ChildStart, cause: EventObject): void {
  const { id, src, input, stay } = start;
  const logic = instance.kind.activity(src);
  if ('run' in logic) {
    const activity = new ActivityRun(instance, id, stay);
    (instance.activities ??= new Map()).set(id, activity);
    activity.begin(logic.run, src, input);
  } else startMachine(instance, logic.child, start, cause);
}

function startMachine(
  instance: MachineInstance,
  definition: Parameters<MachineInstance['core']['startChild']>[0],
  { id, input, stay, systemId }: ChildStart,
  cause: EventObject,
): void {
  const { core } = instance;
  try {
    const child = core.startChild(definition, { parent: instance, id, stay }, input);
    (instance.children ??= new Map()).set(id, child);
    if (systemId !== undefined) core.systemIds.set(systemId, child);
  } catch (error) {
    instance.reportFailure('start', cause, error);
    core.tellOutcome(instance, { failed: id, error }, stay);
  }
}

function stopChild(instance: MachineInstance, { id }: { readonly id: string }): void {
  const activity = instance.activities?.get(id);
  instance.activities?.delete(id);
  activity?.stop();
  const child = instance.children?.get(id);
  instance.children?.delete(id);
  child?.end('parent');
}
