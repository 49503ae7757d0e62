import type { EventObject, Snapshot } from '@nestjs-orchestrator/statechart';
import { GroupUnreachableError, UnknownMachineError } from '../errors.js';
import type { Target } from '../contexts.js';
import type { MachineKind } from '../instance/machine-kind.js';
import type { DurableFrame } from './durable-frame.js';
import type { DurableInstance } from './durable-instance.js';

/** What durable machines need of whom they belong to. */
export interface DurableSurroundings {
  /** Takes part in owning partitions; else it only sends. */
  readonly serves: boolean;
  definition(id: string): MachineKind | undefined;
  knowsAny(): boolean;
  /** Hands an event to another machine; settles when it is safe. */
  deliver(to: Target, event: EventObject, messageId: string): Promise<void>;
  /** Adds to the context of actions and activities. */
  widen<T extends object>(scope: T, instance: DurableInstance): T;
  /** A step is committed; `before` is undefined for the first one. */
  stepped(
    instance: DurableInstance,
    event: EventObject,
    before: Snapshot | undefined,
    changed: boolean,
  ): void;
  /** An event for which nobody waits will never be handled: it is kept as a dead letter. */
  undelivered(machine: string, event: EventObject, error: unknown): void;
  /** Whether machines of another group may send here. */
  admits(group: string): boolean;
}

/** @throws GroupUnreachableError where its sender is of another group that may not send here */
export function assertAdmitted(
  around: Pick<DurableSurroundings, 'admits'>,
  { from }: DurableFrame,
  group: string,
): void {
  if (from !== undefined && from !== group && !around.admits(from))
    throw new GroupUnreachableError(group, from, 'not-allowed');
}

/** Durable machines that belong to no channel group: they know each other only. */
export function standAlone(
  kinds: ReadonlyMap<string, MachineKind>,
  deliver: (to: string, event: EventObject, messageId: string) => Promise<void>,
): DurableSurroundings {
  return {
    serves: true,
    definition: (id) => kinds.get(id),
    knowsAny: () => kinds.size > 0,
    async deliver(to, event, messageId) {
      if (typeof to !== 'string') throw new UnknownMachineError(String(to), 'default', 'id');
      await deliver(to, event, messageId);
    },
    widen: (scope) => scope,
    stepped: () => undefined,
    undelivered: () => undefined,
    admits: () => true,
  };
}
