import type { EventObject, Machine } from '@nestjs-orchestrator/statechart';
import type { MachineImplementations } from './implementations.js';
import type { MachineAddress, MachineRef } from './machine-ref.js';
import type { OrchestratorRecord, RecordStream, SubscribeOptions } from './records.js';
import type { GroupStatistics, MetricsListener, OrchestratorHealth } from './statistics.js';

/** How a machine starts. */
export interface SpawnOptions {
  /** Unique in the group; letters, digits and whatever else but `#`. Default: `{definition}-{number}`. */
  readonly id?: string;
  /** What the config's `context` function sees. */
  readonly input?: unknown;
}

/** A registered machine. */
export interface RegisteredMachine<M extends Machine = Machine> {
  readonly machine: M;
  spawn(options?: SpawnOptions): Promise<MachineRef<M>>;
  ref(id: string): MachineRef<M>;
}

/** When to give up draining. */
export interface DrainOptions {
  /** Default: no limit. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * The machines of one channel group: they run side by side and talk through here alone. Inject it by this class; the application's group
 * is behind it.
 */
export abstract class Orchestrator {
  /**
   * Makes a definition known. Every name it uses must be bound then, here or in the definition.
   *
   * @throws UnboundNamesError listing them, DuplicateMachineError, UnsupportedLogicError, GroupReleasedError
   */
  abstract register<M extends Machine>(
    machine: M,
    implementations?: MachineImplementations<M>,
  ): RegisteredMachine<M>;

  /**
   * Starts a machine; settles when its first step was adopted. If that fails, nothing is left behind.
   *
   * @throws UnknownMachineError (not registered), MachineIdError, DuplicateIdError, StepError, CeilingError, GroupReleasedError (as rejections)
   */
  abstract spawn<M extends Machine>(machine: M, options?: SpawnOptions): Promise<MachineRef<M>>;

  /**
   * A machine at work, of this group or by explicit address.
   *
   * @throws UnknownMachineError, GroupUnreachableError, GroupReleasedError
   */
  abstract ref(target: string | MachineAddress): MachineRef;
  abstract ref<M extends Machine>(machine: M, target: string | MachineAddress): MachineRef<M>;

  /** As `ref`; undefined where there is no such machine. */
  abstract find(id: string): MachineRef | undefined;

  /** Refs of all machines at work, in the order of their start. */
  abstract machines(): readonly MachineRef[];

  /**
   * Sends an event to every machine of the group, or of another one that allows it; settles with their number when all have accepted it.
   * Machines that end meanwhile are left out.
   *
   * @throws EventInvalidError, EventPayloadError, GroupUnreachableError, GroupReleasedError (as rejections)
   */
  abstract broadcast(event: EventObject): Promise<number>;
  abstract broadcast(group: string | number, event: EventObject): Promise<number>;

  /** Calls `listener` with each record, in order. Returns the way out. What it throws becomes an uncaught error. */
  abstract subscribe(listener: (record: OrchestratorRecord) => void, options?: SubscribeOptions): () => void;
  /** The records from now on, to be read with `for await`. */
  abstract subscribe(options?: SubscribeOptions): RecordStream;

  /** Tells a listener of every count and latency; nothing where the pool's `enableMetrics` is false. Returns the way out. */
  abstract observe(listener: MetricsListener): () => void;

  abstract stats(): GroupStatistics;
  abstract health(): OrchestratorHealth;

  /**
   * Settles when no event is queued and no action under way. Activities and timers may go on.
   *
   * @throws DrainTimeoutError; the signal's reason (as rejections)
   */
  abstract drain(options?: DrainOptions): Promise<void>;

  /**
   * Settles when the machines have done all that they can do at once: what is left waits for an action, a timer or somebody outside. For tests that
   * move time: `clock.whenIdle('machines', () => group.settled())`.
   */
  abstract settled(): Promise<void>;
}

/** A group: what `createChannelGroup` returns. Whoever makes it, releases it. */
export abstract class ChannelGroup extends Orchestrator {
  /** Unique in the process, never used again. */
  abstract readonly groupId: number;
  /** For people; need not be unique. */
  abstract readonly name: string;
  /** Milliseconds since the epoch, by the group's clock. */
  abstract readonly createdAt: number;
  abstract readonly released: boolean;

  /**
   * Ends all machines: cancels timers, aborts actions and activities, fails requests and waits. Settles when what ran has ended, at the
   * latest after `releaseTimeoutMs`. From its call on everything is refused with `GroupReleasedError`. A second call settles with the first.
   */
  abstract release(): Promise<void>;
  abstract [Symbol.asyncDispose](): Promise<void>;
}
