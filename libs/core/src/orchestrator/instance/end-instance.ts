import type { StopReason } from '../records.js';
import type { MachineInstance } from './machine-instance.js';

/** Takes a machine out of its group, and tells everything that hangs on it. */
export function endInstance(instance: MachineInstance, reason: StopReason, error: unknown): void {
  const { core } = instance;
  instance.ended = reason;
  core.forget(instance);
  const closed = instance.closedError() as Error;
  endWork(instance, closed);
  core.emptyMailbox(instance, closed);
  instance.waits?.forEach((wait) => wait.fail(closed));
  if (reason === 'error' && instance.snapshot !== undefined) instance.reportFailure('step', undefined, error);
  tellParent(instance, reason, error);
  tellObservers(instance, reason);
  core.checkRest();
}

/** Its action under way, timers, activities and children. */
function endWork(instance: MachineInstance, closed: Error): void {
  const { step, timers, activities, children, core } = instance;
  if (step?.underWay !== undefined) core.awaitEnd(step.underWay);
  step?.cancel(closed);
  timers?.clear();
  activities?.forEach((activity) => activity.stop());
  children?.forEach((child) => child.end('parent'));
}

function tellParent({ kinship, snapshot }: MachineInstance, reason: StopReason, error: unknown): void {
  if (kinship === undefined) return;
  const { parent, id, stay } = kinship;
  if (reason === 'done') parent.core.tellOutcome(parent, { done: id, output: snapshot?.output }, stay);
  else if (reason === 'error') parent.core.tellOutcome(parent, { failed: id, error }, stay);
}

function tellObservers(instance: MachineInstance, reason: StopReason): void {
  const { core, kind, snapshot, kinship } = instance;
  if (kinship?.parent.children?.get(kinship.id) === instance) kinship.parent.children.delete(kinship.id);
  if (snapshot === undefined) return;
  core.meters.count('disposed', kind.id);
  if (core.records.wants('stopped')) {
    core.records.tell({ type: 'stopped', machine: instance.identity(), reason, snapshot });
  }
}
