import type { Type } from '@nestjs/common';
import type { IEvent } from '@nestjs/cqrs';
import type {
  EventObject,
  Machine,
  MachineEventOf,
  OrchestratorRecord,
  RecordType,
  SpawnOptions,
} from '@nestjs-orchestrator/core';

/** Where an event of the `EventBus` goes. */
export interface MachineDelivery<Ev = EventObject> {
  /** Id of the machine. */
  readonly id: string;
  readonly event: Ev;
  /** How to start the machine if none of that id is at work; without it, the event then fails, which is logged. */
  readonly spawn?: Omit<SpawnOptions, 'id'>;
}

/** Events of one class go to machines of one definition; see {@link fromEventBus}. */
export interface InboundRoute {
  readonly event: Type<IEvent>;
  readonly machine: Machine;
  readonly deliver: (event: IEvent) => MachineDelivery | undefined;
}

/** What happens to machines of one definition becomes events; see {@link toEventBus}. */
export interface OutboundRoute {
  readonly machine: Machine;
  readonly only: readonly RecordType[];
  readonly publish: (record: OrchestratorRecord) => IEvent | undefined;
}

/**
 * Sends events of a class, published on the `EventBus` of `@nestjs/cqrs`, to machines. Events for one machine keep their order.
 *
 * @param deliver says which machine gets what; `undefined` for an event that concerns none
 */
export function fromEventBus<E extends IEvent, M extends Machine, const Ev extends MachineEventOf<M>>(
  event: Type<E>,
  machine: M,
  deliver: (event: E) => MachineDelivery<Ev> | undefined,
): InboundRoute {
  return { event, machine, deliver: deliver as unknown as InboundRoute['deliver'] };
}

/**
 * Publishes on the `EventBus` of `@nestjs/cqrs` what happens to machines of a definition: adopted transitions by default.
 *
 * @param publish makes the event; `undefined` for what is of no interest
 * @param only which records it is asked about
 */
export function toEventBus<const T extends RecordType = 'transition'>(
  machine: Machine,
  publish: (record: Extract<OrchestratorRecord, { readonly type: T }>) => IEvent | undefined,
  only: readonly T[] = ['transition' as T],
): OutboundRoute {
  return { machine, only, publish: publish as OutboundRoute['publish'] };
}
