import { selectOutcome } from '../engine/select.js';
import { type Machine, runtimeOf } from '../machine.js';
import type { EventObject, Snapshot, StateValue } from '../types.js';
import type { EventOf } from '../typing/infer.js';
import { adopt } from './adopt.js';
import { matchesValue, valueOf } from './state-value.js';

/** Where a snapshot is, in XState's shape. */
export function stateValue(machine: Machine, snapshot: Snapshot): StateValue {
  return valueOf(adopt(runtimeOf(machine), snapshot));
}

/** Is the machine in that state? `'a'`, `'a.b'` or `{ a: 'b' }`; a parent's name matches whatever is inside it. */
export function matches(snapshot: Snapshot, value: StateValue): boolean {
  return matchesValue(snapshot.configuration, value);
}

/** Whether an active state bears the tag. */
export function hasTag(snapshot: Snapshot, tag: string): boolean {
  return snapshot.tags.includes(tag);
}

/** Would this event take a transition that does something? Forbidden ones do nothing. Asks guards. */
export function can<M extends Machine>(machine: M, snapshot: Snapshot, event: EventOf<M>): boolean {
  if (snapshot.status !== 'active') return false;
  const runtime = runtimeOf(machine);
  const outcome = selectOutcome(adopt(runtime, snapshot), snapshot.context, event as EventObject);
  runtime.guardFailures.length = 0;
  return outcome !== null && !outcome.inert;
}

/** Event descriptors that an active state answers (`order.*` for a wildcard), without the engine's own; guards are not asked. */
export function nextEvents(machine: Machine, snapshot: Snapshot): readonly string[] {
  if (snapshot.status !== 'active') return [];
  const { nodes } = adopt(runtimeOf(machine), snapshot);
  const descriptors = nodes.flatMap((node) =>
    [...node.transitions]
      .filter(([descriptor, transitions]) => !descriptor.startsWith('xstate.') && transitions.some(isActive))
      .map(([descriptor]) => descriptor),
  );
  return [...new Set(descriptors)];
}

function isActive({
  targets,
  actions,
  reenter,
}: {
  targets: unknown;
  actions: readonly unknown[];
  reenter: boolean;
}): boolean {
  return targets !== null || actions.length > 0 || reenter;
}

/** Is that stay in that state still going on? Timers and outcomes of a stay that is over are stale. */
export function isCurrent(
  machine: Machine,
  snapshot: Snapshot,
  stay: { node: string; epoch: number },
): boolean {
  const runtime = runtimeOf(machine);
  const node = runtime.chart.byId.get(stay.node);
  if (node === undefined || snapshot.status !== 'active' || node.epochSlot < 0) return false;
  return adopt(runtime, snapshot).active.has(node) && snapshot.epochs?.[node.epochSlot] === stay.epoch;
}
