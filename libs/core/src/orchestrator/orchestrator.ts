import type { EventObject, Machine } from '@nestjs-orchestrator/statechart';
import type { MachineImplementations } from './implementations.js';
import type { GroupAddress, MachineAddress, MachineRef } from './machine-ref.js';
import type { OrchestratorRecord, RecordStream, SubscribeOptions } from './records.js';
import type {
  DurableLetter,
  DurableLetterOptions,
  LetterAudit,
  ReasonedLetterAudit,
} from './durable/durable-letters.js';
import type { ClusterMachine, ClusterProcess } from './cluster/cluster-statistics.js';
import type { GroupStatistics, MetricsListener, OrchestratorHealth } from './statistics.js';

/** How a machine starts. */
export interface SpawnOptions {
  /** Unique in the group; 1 to 256 characters, whatever they are but `#`; over a transport up to 255 bytes (UTF-8). Default: `{definition}-{number}`. */
  readonly id?: string;
  /** What the config's `context` function sees. */
  readonly input?: unknown;
  /**
   * Keeps the machine out of the directory of its cluster: other processes don't find it, and its id is unique in this process only. For the
   * many that nobody addresses. Default: false.
   */
  readonly local?: boolean;
  /**
   * Keeps the machine in the orchestrator's store: each step is one commit, and the machine goes on where its process ends, here after the next start, or, with a
   * transport that has partitions, in another process. Needs an `id`. Its actions run when their step is safe, so that they can't prevent it. Default: false.
   */
  readonly durable?: boolean;
  /** Of a durable machine: the start that comes again under the same id is no second one. Default: a new one. */
  readonly messageId?: string;
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
   * @throws UnknownMachineError (not registered), MachineIdError, DuplicateIdError (also where another process of the cluster, or the store, holds the id), DurableUnavailableError and DurableLogicError
   * (durable ones), StepError, CeilingError, GroupReleasedError (as rejections)
   */
  abstract spawn<M extends Machine>(machine: M, options?: SpawnOptions): Promise<MachineRef<M>>;

  /**
   * A machine at work, of this group or by explicit address. Where the group belongs to a cluster, or has a store for durable machines, one that is not
   * in this process is looked up when it is first sent to; whether there is one shows then, or by `locate`.
   *
   * @throws UnknownMachineError, GroupUnreachableError, GroupReleasedError
   */
  abstract ref(target: string | MachineAddress): MachineRef;
  abstract ref<M extends Machine>(machine: M, target: string | MachineAddress): MachineRef<M>;

  /** As `ref`, of this process; undefined where there is no such machine. */
  abstract find(id: string): MachineRef | undefined;

  /**
   * As `ref`, when it was looked up in all processes of the cluster; undefined where there is no such machine now.
   *
   * @throws GroupUnreachableError, GroupReleasedError, ClusterUnreachableError, TransportUnavailableError (as rejections)
   */
  abstract locate(target: string | MachineAddress): Promise<MachineRef | undefined>;

  /** Refs of all machines at work in this process, in the order of their start. */
  abstract machines(): readonly MachineRef[];

  /** The processes of the cluster, this one first. Without a cluster there is this one. */
  abstract processes(): readonly ClusterProcess[];

  /**
   * The machines in the directory of the cluster, of all groups. Without a cluster, those of this group. Of another cluster, what its gateway lists.
   *
   * @throws ClusterUnreachableError (as a rejection)
   */
  abstract machineNames(cluster?: string): Promise<readonly ClusterMachine[]>;

  /**
   * Sends an event to every machine of the group, in all processes of its cluster, or of another one that allows it; settles with their number when all have accepted it.
   * Machines that end meanwhile are left out.
   *
   * @throws EventInvalidError, EventPayloadError, GroupUnreachableError, ClusterUnreachableError, GroupReleasedError (as rejections)
   */
  abstract broadcast(event: EventObject): Promise<number>;
  abstract broadcast(group: string | number | GroupAddress, event: EventObject): Promise<number>;

  /**
   * Dead letters of the durable machines of this group, oldest first, of the whole cluster, read in pages: what was sent to a machine that was stopped or has ended, whose step
   * fails each time, or that ended each process which had it.
   *
   * @throws OrchestratorOptionError, DeadLettersUnavailableError (no durable machines, or no transport with partitions), TransportUnavailableError (its server is away), GroupReleasedError (all
   * as rejections)
   */
  abstract deadLetters(options?: DurableLetterOptions): AsyncIterable<DurableLetter>;

  /**
   * Sends a dead letter again: it goes behind what waits for its machine, and counts as new. Handled once, whoever else replays it at the same time and if it was handled before, since it keeps its
   * `messageId`. Nobody gets an answer to what was a request. `false`: it was settled already.
   *
   * @throws DeadLetterNameError, TransportUnavailableError (it may be settled or not: say it again), and what `deadLetters` throws (as rejections)
   */
  abstract replayLetter(letter: Pick<DurableLetter, 'letter'>, audit: LetterAudit): Promise<boolean>;

  /**
   * Gives a dead letter up for good. `false`: it was settled already.
   *
   * @throws as `replayLetter`
   */
  abstract discardLetter(letter: Pick<DurableLetter, 'letter'>, audit: ReasonedLetterAudit): Promise<boolean>;

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
