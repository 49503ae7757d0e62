import type { ContextOf, EventOf, Machine, Snapshot, StateOf } from '@nestjs-orchestrator/statechart';

/** A group of another cluster, which must allow it (`reachableFrom`). */
export interface GroupAddress {
  readonly cluster: string;
  readonly group: string;
}

/** A machine of another group, which must allow it (`reachableFrom`), or of another process, or cluster. */
export interface MachineAddress {
  /** Name or number (`groupId`) of the group. A name must belong to one group only. */
  readonly group: string | number;
  /** Name of its cluster. Default: the own one. */
  readonly cluster?: string;
  /** The base id that the machine was spawned with. */
  readonly machine: string;
}

/** Of an event. */
export interface MachineSendOptions {
  /**
   * By which a machine knows a repeat: it handles one event of an id, and answers another one as a `duplicate`. Say it where you may send again, as after
   * RequestTimeoutError or OutcomeUnknownError. Durable machines remember ids as long as they live, others those of `repeatWindow` and `repeatWindowMs`, and only of steps
   * that were adopted. 1 to 4 096 characters. Default: a new one where the machine is durable, none where it is not.
   */
  readonly messageId?: string;
}

/** Limits of a request. */
export interface RequestOptions extends MachineSendOptions {
  /** Milliseconds until the request is given up; `Infinity`: never. Default: the group's `requestTimeoutMs`. */
  readonly timeoutMs?: number;
  /** Gives the request up when it aborts; the rejection is its reason. */
  readonly signal?: AbortSignal;
}

/** Limits of a wait for a state. */
export interface WaitOptions {
  /** Milliseconds until the wait is given up. Default: no limit. */
  readonly timeoutMs?: number;
  /** Ends the wait when it aborts; the rejection is its reason. */
  readonly signal?: AbortSignal;
}

/** What became of an event that was asked about. */
export interface EventResult<M extends Machine = Machine> {
  /** A transition was taken; `false`: no active state answers the event, nothing happened. */
  readonly changed: boolean;
  /** The machine after the step. */
  readonly snapshot: Snapshot<ContextOf<M>>;
  /** What an action of the step gave to `reply`; undefined where none did. */
  readonly reply: unknown;
  /** An event with this `messageId` had been handled before: nothing happened now. */
  readonly duplicate?: boolean;
}

/**
 * A machine at work in a group. Refs are cheap, may be kept, and go on showing the last snapshot after the machine has ended.
 *
 * Events are handed over by reference and must not be changed after they were sent.
 *
 * Where the group belongs to a cluster, the machine may be in another process. Then events must be plain JSON; `trySend` says no until
 * the machine is found, and `true` that the event is on its way: what it fails with later is told as an `undelivered` record; `send` also
 * rejects with OutcomeUnknownError where the other process is lost before it has accepted the event; `waitFor` takes names of states only.
 */
export interface MachineRef<M extends Machine = Machine> {
  /** The id it was spawned with, unique in its group. */
  readonly id: string;
  /** For people and logs: `{id}#{groupId}#{uuid}`; never parsed. */
  readonly scopedId: string;
  readonly machine: M;
  /**
   * Puts an event into the machine's mailbox; settles when it was accepted, which is at once unless the budget is spent. Allocates
   * nothing when it is accepted at once.
   *
   * @throws EventInvalidError, EventPayloadError, MachineStoppedError, GroupReleasedError (as rejections)
   */
  send(event: EventOf<M>, options?: MachineSendOptions): Promise<void>;
  /**
   * As `send`, without waiting: `false` says that the budget is spent or that others wait already, and the event was not taken.
   *
   * @throws EventInvalidError, EventPayloadError, MachineStoppedError, GroupReleasedError
   */
  trySend(event: EventOf<M>): boolean;
  /**
   * Sends an event and settles when its step was adopted, or rejects with what the step failed with. When the time is over, an event that
   * is still queued is withdrawn.
   *
   * @throws RequestTimeoutError, StepError, OrchestratorOptionError (`timeoutMs`, `messageId`) and what `send` throws (as rejections)
   */
  request(event: EventOf<M>, options?: RequestOptions): Promise<EventResult<M>>;
  /**
   * The state as last adopted.
   *
   * @throws MachineStartingError; RemoteMachineError where the machine is in another process: await `currentSnapshot()`
   */
  snapshot(): Snapshot<ContextOf<M>>;
  /**
   * The state as last adopted, wherever the machine is.
   *
   * @throws MachineStartingError; what `request` throws where the machine is in another process (as rejections)
   */
  currentSnapshot(): Promise<Snapshot<ContextOf<M>>>;
  /**
   * Settles with the first snapshot, from the present one on, that is in that state or for which the predicate holds.
   *
   * @throws WaitTimeoutError; MachineStoppedError where the machine ends in another state; OrchestratorOptionError (`timeoutMs`) (as rejections)
   */
  waitFor(
    state: StateNameOf<M> | ((snapshot: Snapshot<ContextOf<M>>) => boolean),
    options?: WaitOptions,
  ): Promise<Snapshot<ContextOf<M>>>;
  /** Ends the machine: aborts its action and activities, cancels its timers, fails its requests. Settles when they are over, at once where it has ended before. */
  stop(): Promise<void>;
}

/** Names of states; any text where the definition is no literal. */
type StateNameOf<M> = [StateOf<M>] extends [never] ? string : StateOf<M>;
