import type { ContextOf, EventObject, EventOf, Machine } from '@nestjs-orchestrator/statechart';
import type { Duration } from '../message/duration.js';
import type { Logger } from '../ports/logger.js';
import type { EventResult, MachineAddress, MachineRef, RequestOptions } from './machine-ref.js';

/** Whom to send to: a ref, the id of a machine of the same group or of one's own child, or an explicit address. */
export type Target<M extends Machine = Machine> = MachineRef<M> | string | MachineAddress;

/** Of a delayed event. */
export interface DelayedOptions {
  /** By which `cancel` finds it; sending another under the same id replaces it. */
  readonly id?: string;
}

/**
 * What an action is called with; its second argument are the action's `params`.
 *
 * Whatever it sends leaves when the step is adopted: when all actions of the step have succeeded. If one throws or takes longer than the
 * group's `actionTimeoutMs`, the machine stays where it was and nothing leaves. All but `signal` and `logger` throw after the step has ended.
 */
export interface OrchestratedContext<M extends Machine = Machine> {
  /** The event of the microstep that the action belongs to: a raised one where one led there. */
  readonly event: EventOf<M>;
  /** The machine's context after that microstep; changed by `assign` alone. */
  readonly data: ContextOf<M>;
  /** XState's word for {@link data}, so that its functions run unchanged. */
  readonly context: ContextOf<M>;
  readonly machine: { readonly id: string; readonly scopedId: string; readonly definition: string };
  readonly group: { readonly id: number; readonly name: string };
  readonly ref: MachineRef<M>;
  /** Whoever invoked or spawned this machine. */
  readonly parent: MachineRef | undefined;
  readonly params: unknown;
  /** Of a durable machine: the same each time that this action runs for its step. undefined: the machine is none, and it runs once. */
  readonly effectId?: string;
  /** Aborts when the action takes too long, the machine is stopped, or the group is released. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /**
   * Sends when the step is adopted. Never waits; the step fails where the target's ceiling would be passed.
   *
   * @throws UnknownMachineError, MachineStoppedError, GroupUnreachableError, EventInvalidError, EventPayloadError
   */
  send<T extends Machine>(target: MachineRef<T>, event: EventOf<T>): void;
  send(target: string | MachineAddress, event: EventObject): void;
  /** Sends to this machine, behind what its mailbox holds already. */
  sendSelf(event: EventOf<M>): void;
  /** Sends to this machine when so much time has passed since the step was adopted. Stays armed in whatever state. */
  sendAfter(delay: Duration | number, event: EventOf<M>, options?: DelayedOptions): void;
  /** Withdraws what `sendAfter`, or a delayed `raise` or `sendTo` of the config, sent under that id. */
  cancel(id: string): void;
  /** The answer to the request whose event is being handled, given when the step is adopted. The last one counts. */
  reply(value: unknown): void;
  /**
   * Asks another machine and waits, which holds this mailbox.
   *
   * @throws RequestCycleError where the other one waits for this machine (as a rejection), and what `MachineRef.request` throws
   */
  request<T extends Machine>(
    target: MachineRef<T>,
    event: EventOf<T>,
    options?: RequestOptions,
  ): Promise<EventResult<T>>;
  request(
    target: string | MachineAddress,
    event: EventObject,
    options?: RequestOptions,
  ): Promise<EventResult>;
}

/** {@link OrchestratedContext}, by the name that decorated classes use. */
export type ActionContext<M extends Machine = Machine> = OrchestratedContext<M>;

/** What guards and computed delays are called with; they must be pure. */
export interface GuardContext<M extends Machine = Machine> {
  readonly context: ContextOf<M>;
  readonly event: EventOf<M>;
}

/** What an activity (an invoked service) is called with. It runs beside its machine until it settles or its state is left. */
export interface ActivityContext<M extends Machine = Machine, Input = unknown> {
  /** What the `input` of its `invoke` said. */
  readonly input: Input;
  /** Aborts when its state is left, its machine ends, or the group is released. */
  readonly signal: AbortSignal;
  /** The machine's context when the activity was started. */
  readonly data: ContextOf<M>;
  /** Id of the `invoke`. */
  readonly id: string;
  readonly machine: { readonly id: string; readonly scopedId: string; readonly definition: string };
  readonly logger: Logger;
  /** Sends to the machine that the activity belongs to; settles when accepted. Does nothing once `signal` is aborted. */
  sendSelf(event: EventOf<M>): Promise<void>;
  /** Sends to another machine; settles when accepted. */
  send(target: Target, event: EventObject): Promise<void>;
  /** Asks another machine, or the own one: an activity holds no mailbox. */
  request(target: Target, event: EventObject, options?: RequestOptions): Promise<EventResult>;
}
