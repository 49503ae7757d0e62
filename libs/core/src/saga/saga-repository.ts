import type { SagaStatus } from '../ports/records.js';
import type { Audit } from './operator/saga-operator.js';
import type { UndoStatus } from './run/undo-log.js';
import type { AnySaga, DataOf, StateOf } from './saga-types.js';
import type { Duration } from '../message/duration.js';

/** A saga instance as read from the store: a copy, frozen. */
export interface SagaInstance<G extends AnySaga> {
  readonly id: string;
  readonly tenant: string;
  /** Counts commits. */
  readonly version: number;
  readonly definitionVersion: number;
  /** Path of the innermost state. In parallel states there are several, joined by bars: `'packing.label.printed|packing.box.open'`. */
  readonly state: StateOf<G>;
  readonly status: SagaStatus;
  readonly data: Readonly<DataOf<G>>;
  /** The undo steps recorded so far, oldest first. */
  readonly undo: readonly UndoStep[];
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly endedAt: Date | null;
}

/** An undo step as recorded. */
export interface UndoStep {
  readonly name: string;
  /** Counts from 1 in the order of recording. */
  readonly no: number;
  readonly status: UndoStatus;
  /** Why it failed for good. */
  readonly error?: string;
  /** Why an operator skipped or resolved it. */
  readonly reason?: string;
}

/** One line of what happened to an instance. */
export interface SagaHistoryEntry {
  readonly at: Date;
  readonly kind: string;
  /** Name of the message, timer or compensation. */
  readonly name: string;
  readonly messageId: string;
  readonly from: string | null;
  readonly to: string | null;
  /** Further fields: of an operator's action who did it and why, of a failure the error. */
  readonly detail?: unknown;
}

/** Options of a read. */
export interface SagaReadOptions {
  /** Default: the application's default tenant. */
  readonly tenant?: string;
}

/** Options of {@link SagaRepository.waitUntil}. */
export interface SagaWaitOptions extends SagaReadOptions {
  /** How long to wait. Default 30 seconds. */
  readonly timeout?: Duration | number;
  /** Stops waiting. */
  readonly signal?: AbortSignal;
}

/** Options of a listing. */
export interface SagaListOptions extends SagaReadOptions {
  /** Instances of a page: 1 to 1 000. Default 50. */
  readonly limit?: number;
  /** `next` of the page before. Default: the first page. */
  readonly cursor?: string;
}

/** One page of a listing. */
export interface SagaPage<G extends AnySaga> {
  readonly items: readonly SagaInstance<G>[];
  /** Give it as `cursor` to get the next page; `null` at the end. */
  readonly next: string | null;
}

/** Reads the instances of one saga. Hands out copies, never live objects. */
export interface SagaRepository<G extends AnySaga> {
  find(id: string, options?: SagaReadOptions): Promise<SagaInstance<G> | undefined>;
  /** By the value of the saga's `correlateBy`. */
  findByCorrelation(key: string, options?: SagaReadOptions): Promise<SagaInstance<G> | undefined>;
  /** By the value of one of the saga's further keys: one instance at most, or all that share it, oldest first. */
  findByKey(
    key: G['types']['words']['key'],
    value: string,
    options?: SagaReadOptions,
  ): AsyncIterable<SagaInstance<G>>;
  /** All instances in a state or one nested in it, oldest first, read in pages. */
  findByState(state: StateOf<G>, options?: SagaReadOptions): AsyncIterable<SagaInstance<G>>;
  /** Instances that have not ended and not changed for at least this long, oldest first. */
  findStale(idle: Duration | number, options?: SagaReadOptions): AsyncIterable<SagaInstance<G>>;
  /**
   * A page of all instances, newest first. What changes between two pages neither hides nor repeats others.
   *
   * @throws SagaListingError for a `limit` or `cursor` that can't be
   */
  list(options?: SagaListOptions): Promise<SagaPage<G>>;
  /**
   * Waits until an instance is in one of these states, or was since the wait began; or until the function says so, asked after each change
   * that was seen. The instance, told by its id or its `correlateBy`, need not exist yet. A commit of this node is heard of at once, one of
   * another node by a hint of the store, at the latest after `pollIntervalMs`. What is waited for by its key is the instance that had it first:
   * one that takes the key over after its end is another one. One that was archived is where it ended.
   *
   * @throws SagaWaitTimeoutError, SagaEndedError when it has ended elsewhere, SagaWaitAbortedError
   */
  waitUntil(
    instance: string | { readonly key: string },
    until: StateOf<G> | readonly StateOf<G>[] | ((instance: SagaInstance<G>) => boolean),
    options?: SagaWaitOptions,
  ): Promise<SagaInstance<G>>;
  /**
   * Writes other data into an instance, as it was read: nothing else may have changed it since. The states are the saga's own; nobody else moves them.
   *
   * @throws SagaConflictError when it was changed, OperatorRefusedError
   */
  save(instance: SagaInstance<G>, data: DataOf<G>, audit: Audit): Promise<SagaInstance<G>>;
  /**
   * Removes an instance that has ended, as it was read. A tombstone stays for its key, so that repeats of its messages start nothing.
   *
   * @throws SagaConflictError when it was changed, OperatorRefusedError when it hasn't ended
   */
  delete(instance: SagaInstance<G>, audit: Audit): Promise<void>;
  /** As {@link delete}, but keeps a copy with its history, to be read by {@link archived}. */
  archive(instance: SagaInstance<G>, audit: Audit): Promise<void>;
  /** An instance that was archived. */
  archived(id: string, options?: SagaReadOptions): Promise<SagaInstance<G> | undefined>;
  /** What happened to an instance, in order. */
  history(id: string, options?: SagaReadOptions): Promise<readonly SagaHistoryEntry[]>;
}
