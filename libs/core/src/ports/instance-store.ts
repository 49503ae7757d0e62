import type { InstanceFilter, InstancePage } from './instance-listing.js';
import type {
  ArchivedInstance,
  CensusLine,
  ClaimedWork,
  DeadLetter,
  DeliveryRecord,
  DueTimer,
  HistoryRecord,
  InboxRecord,
  InstanceRef,
  InstanceState,
  JsonText,
  KeyClaim,
  KeyRecord,
  SagaName,
  Settlement,
  StoredHistory,
  StoredInstance,
  TimerRecord,
  Tombstone,
  WorkKey,
  WorkRecord,
} from './records.js';

/** Every statement's instant: `null` lets the store's own clock decide (production); tests pass virtual time. */
export interface AtInstant {
  readonly now: number | null;
}

/** Who writes, and for how long new work is born leased to that node. */
export interface WriteOptions extends AtInstant {
  /** Id of this node; unique per process start. */
  readonly owner: string;
  readonly leaseMs: number;
}

/** Which instance a message is for. */
export interface LoadRequest {
  readonly tenant: string;
  readonly saga: string;
  /** By correlation key or by instance id. */
  readonly by: { readonly key: KeyRecord } | { readonly id: string };
  /** The message about to be handled. */
  readonly messageId: string;
}

/** What one load tells: the instance, and whether it has met the message before. */
export interface LoadResult {
  readonly instance: StoredInstance | null;
  /**
   * The instance's inbox row of the message; `{ outcome: 'deferred' }` also while the message waits as an open delivery of the
   * instance or of one of its keys. `null`: not seen.
   */
  readonly seen: InboxRecord | null;
  /** Of instances that had the key and were removed or superseded; asked for by key, and only unless an instance that hasn't ended has it. */
  readonly tombstone: Tombstone | null;
}

/** One instance's whole change: all of it becomes durable, or nothing. */
export interface Commit {
  readonly ref: InstanceRef;
  /** The version that was loaded; 0 creates the instance. */
  readonly expectedVersion: number;
  /**
   * Token of the lease that the writer has on the instance, ended by the commit; it loses if that lease is over. `null`: without
   * one, it loses while anybody has a lease.
   */
  readonly lease: string | null;
  /** Id of an ended instance whose keys this one, that is created, takes over. */
  readonly supersedes: string | null;
  readonly next: InstanceState;
  /**
   * Keys to claim: when creating, or when they become known. A key that another instance holds makes this commit lose, unless it is claimed as
   * one of many. An instance keeps its keys; claiming one again changes nothing.
   */
  readonly keys: readonly KeyClaim[];
  /** Written together with the version bump only. Replaces a row of the same message id (a deferred message now applied). */
  readonly inbox: InboxRecord | null;
  /** Messages that were handled on the way, before that of `inbox`, in order: each gets its row, under the same conditions. */
  readonly inboxBefore?: readonly InboxRecord[];
  /**
   * The instance was not loaded for this message, its state was known: the commit also loses if the instance's inbox has a row of
   * one of its messages already, or, where it is created, if there is a tombstone on one of its keys. Default `false`: a load has told that it has none.
   */
  readonly ifUnseen?: boolean;
  readonly work: readonly WorkRecord[];
  /** A name stands in at most one of the two lists. `disarm` ignores a name that isn't armed. */
  readonly timers: { readonly arm: readonly TimerRecord[]; readonly disarm: readonly string[] };
  readonly history: readonly HistoryRecord[];
  readonly deliveries: { readonly add: readonly DeliveryRecord[]; readonly done: readonly string[] };
  /** Written only if messages were found parked on one of `keys`: makes sure that somebody handles them. */
  readonly wakeIfParked: WorkRecord | null;
  /** Outbox rows that this commit has consumed; gone with it. */
  readonly done: readonly WorkKey[];
  /**
   * Messages of consumers that are no instances, whose answers this commit has handled: noted as consumed with it. It loses if one of them was
   * consumed before, or is being consumed. Only for stores with `notesConsumed`.
   */
  readonly consumed?: readonly Consumption[];
}

/** A message that a consumer which is no instance has consumed, and what is kept of that. */
export interface Consumption {
  readonly message: WorkKey;
  readonly outcome: string;
}

/** What became of one {@link Commit}; entries of one call win or lose alone. */
export type CommitResult =
  | {
      readonly outcome: 'committed';
      readonly version: number;
      /**
       * All new work without a delay was born leased to the writer, who dispatches it at once. `false`: none of it was (an
       * earlier row of a lane is still undone elsewhere, or a key exists already); whoever claims next gets it.
       */
      readonly leased: boolean;
      /** `wakeIfParked` was written. */
      readonly woken: boolean;
    }
  /** Lost its race (other version, locked row, key taken or being taken): nothing was written; load again. */
  | { readonly outcome: 'conflict' };

/** Asks for an instance for oneself. */
export interface LeaseRequest extends WriteOptions {
  readonly ref: InstanceRef;
  /** Names this lease; unique. */
  readonly token: string;
}

/** `busy`: somebody else has a lease on it, or is writing it; ask again after about `retryMs`. `absent`: there is no such instance. */
export type LeaseResult =
  | { readonly outcome: 'leased' }
  | { readonly outcome: 'busy'; readonly retryMs: number }
  | { readonly outcome: 'absent' };

/** Takes an instance out of the way. */
export interface RemoveRequest extends AtInstant {
  readonly ref: InstanceRef;
  /** The version that was loaded. */
  readonly expectedVersion: number;
  /** Keep a copy, to be read by `archived`. */
  readonly archive: boolean;
}

/** What may be forgotten. Everything is counted from the instant of the call. */
export interface PurgeRequest extends AtInstant {
  /** Inbox rows of instances that ended longer ago, and rows of consumed messages that are older. */
  readonly inboxMs: number;
  /** Dead letters that were settled longer ago. */
  readonly lettersMs: number;
  /** Tombstones that are older. */
  readonly tombstonesMs: number;
  /** At most about this many rows of each kind in one call. */
  readonly limit: number;
}

/** How much was forgotten; `more`: a limit was reached. */
export interface Purged {
  readonly inbox: number;
  readonly consumed: number;
  readonly letters: number;
  readonly tombstones: number;
  readonly more: boolean;
}

/** Which dead letters to list, newest first. */
export interface DeadLetterFilter {
  readonly tenant?: string;
  readonly destination?: string;
  /** Default: only those that nobody has replayed or discarded. */
  readonly settled?: boolean;
  readonly limit?: number;
  /** Only letters older than this one: the last of the page before. */
  readonly before?: string;
}

/** What is done about a dead letter. */
export interface SettleRequest extends AtInstant {
  readonly tenant: string;
  readonly letter: string;
  readonly settlement: Omit<Settlement, 'at'>;
  /** The work of a replayed letter, due at once: its own row if that still holds its lane, else a new one. `null`: the row goes, and its lane goes on. */
  readonly work: WorkRecord | null;
}

/** A message whose instance does not exist yet, to wait under its key. */
export interface ParkRequest {
  readonly tenant: string;
  readonly saga: string;
  readonly key: KeyRecord;
  readonly delivery: DeliveryRecord;
  /** The outbox row the message came from; gone with the parking. */
  readonly done: readonly WorkKey[];
}

/** `present`: the key has an instance (or is being created): nothing was written; load again. */
export type ParkResult = 'parked' | 'present';

/** What a consumer that is no instance leaves of one message. */
export interface Finish {
  /** The outbox row it came from, gone with this; its destination has consumed the message then. */
  readonly message: WorkKey;
  /** Kept, and told by `consumed`. */
  readonly outcome: string;
  /** What it sends. */
  readonly work: readonly WorkRecord[];
}

/** What became of one {@link Finish}; items of one call win or lose alone. */
export type FinishResult =
  | {
      readonly outcome: 'finished';
      /** As in {@link CommitResult}: the new work without a delay was born leased to the writer. */
      readonly leased: boolean;
    }
  /** The destination had consumed the message before: its work was not written, but its row is gone. */
  | { readonly outcome: 'repeated' };

/** Asks for due work that this node can do. */
export interface ClaimRequest extends WriteOptions {
  /** Only work for these; a node never claims what it can't do. */
  readonly destinations: readonly string[];
  readonly limit: number;
}

/** Claimed rows, and when it is worth asking again. */
export interface Claimed<T> {
  readonly items: readonly T[];
  /** Milliseconds until the next row (of the asked kind) becomes claimable, if any; by the store's clock. */
  readonly nextDueMs: number | null;
}

/** A database transaction, the store's own or the caller's. */
export interface StoreTransaction {
  /** The store's handle on it, for the caller's own writes (TypeORM: `EntityManager`); in memory an opaque object that `within` knows. */
  readonly manager: unknown;
  /**
   * Marks the message as consumed by `consumer`. `false`: it was already; then the caller must change nothing. Waits while
   * another transaction is about to decide the same.
   */
  consume(message: WorkKey, outcome: string): Promise<boolean>;
  /** Adds work; a key that exists already is left as it is. */
  enqueue(work: readonly WorkRecord[]): Promise<void>;
  /** Removes finished outbox rows. */
  complete(keys: readonly WorkKey[]): Promise<void>;
  /**
   * Removes finished outbox rows and adds the work that follows from them, all at once. `true`: that work is born leased to the
   * writer, as in a commit, who dispatches it when the transaction has committed. A store may answer `false` always, and lease it to nobody.
   */
  handOver(done: readonly WorkKey[], work: readonly WorkRecord[], options: WriteOptions): Promise<boolean>;
  /** As the store's, in this transaction. */
  load(requests: readonly LoadRequest[]): Promise<readonly LoadResult[]>;
  /**
   * As the store's, in this transaction: what is committed here is so when the transaction is. New work is leased to nobody. After a
   * conflict the transaction can go no further; roll it back.
   */
  commit(commit: Commit): Promise<CommitResult>;
  /** As the store's, in this transaction. */
  park(requests: readonly ParkRequest[]): Promise<readonly ParkResult[]>;
  /** As the store's, in this transaction: with those that it has added, and without those that it has done. */
  deliveries(ref: InstanceRef): Promise<readonly DeliveryRecord[]>;
}

/**
 * The central port: everything a saga or durable machine needs of a database.
 *
 * A store that implements it passes `instanceStoreConformance` of `@nestjs-orchestrator/testing`. All methods reject with
 * `StoreUnavailableError` (retryable) when the database can't be reached.
 */
export interface InstanceStore {
  /** Names the kind in log lines and health: `memory`, `postgres`, … */
  readonly kind: string;
  /** Whether `commit` heeds `consumed`: the answer of a consumer may then be handled in the commit that notes its message. Default `false`. */
  readonly notesConsumed?: boolean;
  /** Prepares or checks the schema. Throws `StoreSchemaError` for a schema newer than the code. */
  start(): Promise<void>;
  /** Stops listening. A client that the caller made stays open: whoever makes it, closes it. */
  close(): Promise<void>;

  /** One answer per request, in order. */
  load(requests: readonly LoadRequest[], at: AtInstant): Promise<readonly LoadResult[]>;
  /**
   * Each entry commits or loses alone; one answer per entry, in order. At most one entry per instance. An entry that the
   * database refuses for another reason rejects alone: its result is the error.
   */
  commit(commits: readonly Commit[], options: WriteOptions): Promise<readonly (CommitResult | Error)[]>;
  /** Gives one writer an instance for itself until its commit, its `unlease` or its time-out; whoever has it may ask again, to keep it longer. */
  lease(request: LeaseRequest): Promise<LeaseResult>;
  /** Ends a lease without a commit; another token's is left alone. */
  unlease(ref: InstanceRef, token: string): Promise<void>;
  /** The keys that lead to an instance. */
  keys(ref: InstanceRef): Promise<readonly KeyRecord[]>;
  /**
   * Takes an instance out of the way, and its timers, inbox and deliveries with it: open deliveries become dead letters. For its keys a
   * tombstone stays. `conflict`: it has another version by now, or is leased or being written; nothing was removed.
   */
  remove(request: RemoveRequest): Promise<'removed' | 'conflict'>;
  /** An instance that was removed with `archive`. */
  archived(ref: InstanceRef): Promise<ArchivedInstance | null>;
  /** Forgets what nobody can ask for any more, oldest first. Inbox rows of an instance that hasn't ended stay. */
  purge(request: PurgeRequest): Promise<Purged>;
  /** Counts what a new build must be able to continue: instances that haven't ended, their undo steps that aren't done, timers, work. */
  census(): Promise<readonly CensusLine[]>;
  /**
   * Takes down names that this node may write, and answers all that nodes of whichever build have ever taken down of the same sagas. As many as
   * the definitions have, whatever the store holds.
   */
  learnNames(names: readonly SagaName[]): Promise<readonly SagaName[]>;

  /** Keeps messages for keys that have no instance yet; the commit that claims the key finds them. */
  park(requests: readonly ParkRequest[], at: AtInstant): Promise<readonly ParkResult[]>;
  /** The open deliveries of an instance, oldest first: parked on its keys, or deferred. */
  deliveries(ref: InstanceRef): Promise<readonly DeliveryRecord[]>;
  /** Turns deliveries past their time to live into dead letters (destination `saga:<name>`, attempts 0); how many. */
  expireDeliveries(at: AtInstant): Promise<number>;

  /** Adds work in a commit of its own. `true`: born leased to the writer, as in a commit. A key that exists already is left as it is. */
  enqueue(work: readonly WorkRecord[], options: WriteOptions): Promise<boolean>;
  /**
   * Consumes messages and writes what their consumers send, each item alone; one answer per item, in order. Waits while a transaction is
   * about to decide one of them. An item that the database refuses rejects alone: its result is the error.
   */
  finish(items: readonly Finish[], options: WriteOptions): Promise<readonly (FinishResult | Error)[]>;
  /**
   * The outcome with which each message was consumed by its destination, as far as is committed; `null`: it was not. One answer per message, in
   * order.
   */
  consumed(messages: readonly WorkKey[]): Promise<readonly (string | null)[]>;
  /** Leases work whose lane has no earlier undone row and which nobody holds; counts the attempt, but not of what is suspect. Oldest first. */
  claimWork(request: ClaimRequest): Promise<Claimed<ClaimedWork>>;
  /** Counts the attempt of suspect work, just before it runs: what the count is now; `null` if the row isn't the caller's any more. */
  beginWork(key: WorkKey, options: WriteOptions): Promise<number | null>;
  /** Prolongs the caller's leases; a row that isn't the caller's any more is left alone. */
  renewWork(keys: readonly WorkKey[], options: WriteOptions): Promise<void>;
  /** Removes finished rows. */
  completeWork(keys: readonly WorkKey[]): Promise<void>;
  /** Gives a row back, to be claimed after `delayMs`. `counted` (default true): `false` takes its last attempt back, which was none. */
  releaseWork(key: WorkKey, delayMs: number, reason: string, at: AtInstant, counted?: boolean): Promise<void>;
  /** Gives up on a row: it becomes a dead letter, and its lane holds behind it. */
  buryWork(key: WorkKey, reason: string, at: AtInstant, detail?: JsonText | null): Promise<void>;

  /** Leases due timers of these sagas (`destinations` are their plain names), earliest first; counts the attempt, but not of what is suspect. */
  claimTimers(request: ClaimRequest): Promise<Claimed<DueTimer>>;
  /** As `beginWork`. */
  beginTimer(
    timer: InstanceRef & { readonly name: string; readonly token: string },
    options: WriteOptions,
  ): Promise<number | null>;
  /** Removes a timer if its token is still this one (it fired for a stay that is over). */
  dropTimer(timer: InstanceRef & { readonly name: string; readonly token: string }): Promise<void>;
  /** Gives a timer back, to be claimed after `delayMs`; `counted` as for work. */
  releaseTimer(
    timer: InstanceRef & { readonly name: string; readonly token: string },
    delayMs: number,
    at: AtInstant,
    counted?: boolean,
  ): Promise<void>;

  query(filter: InstanceFilter, at: AtInstant): Promise<InstancePage>;
  /** What happened to an instance, oldest first. */
  history(ref: InstanceRef): Promise<readonly StoredHistory[]>;
  deadLetters(filter: DeadLetterFilter): Promise<readonly DeadLetter[]>;
  /** Settles an open letter, once. `false`: the tenant has no such letter, or it is settled. */
  settleDeadLetter(request: SettleRequest): Promise<boolean>;

  /** Runs `work` in one transaction of the store; rolls back if it throws. */
  transaction<T>(work: (tx: StoreTransaction) => Promise<T>, at: AtInstant): Promise<T>;
  /**
   * Joins a transaction of the caller's. Work enqueued there is announced to all nodes by the database when it commits.
   * Throws `StoreTransactionError` if the store has no such transactions or `manager` is none of its kind.
   */
  within(manager: unknown, at: AtInstant): StoreTransaction;
  /**
   * Calls `listener` when another transaction or node may have made work claimable, or has removed an instance, which somebody may wait for. Hints may get
   * lost; claiming is the truth.
   */
  onWork(listener: () => void): () => void;
  /** What its clock says, in milliseconds since the epoch; `at.now` where that is given. For instants that people name; clocks of nodes differ, and jump. */
  instant(at: AtInstant): Promise<number>;
  /** Rejects when the database does not answer. */
  ping(): Promise<void>;
}
