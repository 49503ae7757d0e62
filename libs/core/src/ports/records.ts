/** JSON as text. Stores keep it verbatim: what was written is what is read, byte for byte. */
export type JsonText = string;

/** How a saga instance stands; independent of the state it is in. */
export type SagaStatus =
  | 'running'
  | 'compensating'
  | 'completed'
  | 'compensated'
  | 'partially-compensated'
  | 'compensation-failed'
  | 'held'
  | 'cancelled';

/** Identity of one saga instance. Ids are never reused. */
export interface InstanceRef {
  readonly tenant: string;
  readonly saga: string;
  readonly id: string;
}

/** A correlation key within (tenant, saga). */
export interface KeyRecord {
  readonly name: string;
  readonly value: string;
}

/** A key that a commit claims for its instance. */
export interface KeyClaim extends KeyRecord {
  /** Other instances may claim it as well: it finds instances (`InstanceFilter.key`), and leads to none. */
  readonly many?: true;
}

/** What a commit writes of an instance. */
export interface InstanceState {
  /** Version of the saga definition the instance lives under. */
  readonly definitionVersion: number;
  /** Name of the state, for queries; dotted where states are nested. */
  readonly state: string;
  readonly status: SagaStatus;
  /** The saga's data. */
  readonly data: JsonText;
  /** The engine's snapshot without its context. */
  readonly machine: JsonText;
  /** The compensation log, oldest first. */
  readonly undo: JsonText;
  /** Why the instance is held, and the poison that is kept for its replay; `null` unless it is held. */
  readonly hold: JsonText | null;
  /** No further change of state is expected: sets `endedAt` when first true. */
  readonly ended: boolean;
}

/** An instance as its last commit left it. */
export interface CurrentInstance extends InstanceRef, InstanceState {
  /** Counts commits; the compare-and-swap's operand. The first commit writes 1. */
  readonly version: number;
  /** Deliveries that wait for this instance: deferred ones and those parked on one of its keys. */
  readonly openDeliveries: number;
}

/** An instance as loaded. */
export interface StoredInstance extends CurrentInstance {
  /** Milliseconds since the epoch, by the store's clock. */
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly endedAt: number | null;
}

/** What is left under a key of instances that are gone, for as long as repeats of their messages may come. */
export interface Tombstone {
  /** Of the last one. */
  readonly id: string;
  /** Ids of the messages that created them, oldest first: a repeat of one of these must not start another. */
  readonly starts: readonly string[];
}

/** What became of a message: the answer to its duplicates. */
export interface InboxRecord {
  readonly messageId: string;
  /** `applied`, `ignored`, `late`, `deferred`, … */
  readonly outcome: string;
  /** The reply that was sent, if any. */
  readonly reply: JsonText | null;
}

/** Names one row of durable work. */
export interface WorkKey {
  readonly tenant: string;
  /** Who does it: `saga:order`, `handler:PaymentHandlers.charge`, `undo:order`, … */
  readonly destination: string;
  /** The message's or effect's id; a second row with the same key is the same work. */
  readonly id: string;
}

/** A row of the outbox: work to be done at least once, after the commit that writes it. */
export interface WorkRecord extends WorkKey {
  /** Rows of one (lane, destination) are first delivered in the order they were written. `null`: no order. */
  readonly lane: string | null;
  readonly payload: JsonText;
  /** Not before this many milliseconds after the commit. */
  readonly delayMs: number;
}

/** Work as handed to a node under a lease. */
export interface ClaimedWork extends WorkRecord {
  /** 1 for the first time. What is `suspect` has not been counted yet: `beginWork` does. */
  readonly attempts: number;
  /** Whoever had it before never said what became of it: it may end the process that runs it. */
  readonly suspect: boolean;
}

/** A timer of an instance. Arming a name again replaces its token. */
export interface TimerRecord extends InstanceRef {
  readonly name: string;
  /** Tells this arming from earlier ones of the same name. */
  readonly token: string;
  readonly delayMs: number;
  readonly payload: JsonText;
}

/** A timer whose time has come, under a lease. */
export interface DueTimer extends TimerRecord {
  readonly attempts: number;
  /** As for {@link ClaimedWork}. */
  readonly suspect: boolean;
  /** When it was due, in milliseconds since the epoch by the store's clock. */
  readonly dueAt: number;
}

/** A message that waits durably for one instance or key. */
export interface DeliveryRecord {
  readonly messageId: string;
  readonly payload: JsonText;
  /** After this many milliseconds without an answer it becomes a dead letter. */
  readonly ttlMs: number;
}

/** One line of what happened to an instance, in order. */
export interface HistoryRecord {
  /** `created`, `transition`, `event`, `late`, `deferred`, `undo-started`, `undone`, `undo-failed`, … */
  readonly kind: string;
  /** Name of the message, timer or compensation that caused it. */
  readonly name: string;
  readonly messageId: string;
  readonly from: string | null;
  readonly to: string | null;
  /** Further fields, as JSON. */
  readonly detail: JsonText | null;
}

/** History as read back. */
export interface StoredHistory extends HistoryRecord {
  /** Version of the instance that this line was committed with. */
  readonly version: number;
  readonly at: number;
}

/** Work or a delivery that was given up, with what is needed to look into it. */
export interface DeadLetter extends WorkKey {
  /** Names this letter in its store; grows with each one. */
  readonly letter: string;
  readonly payload: JsonText;
  readonly reason: string;
  /** Further fields, as JSON: the error, where the instance stood. */
  readonly detail: JsonText | null;
  readonly attempts: number;
  readonly at: number;
  /** Who replayed or discarded it, and why; `null`: it is open. */
  readonly settled: Settlement | null;
}

/** What was done about a dead letter. */
export interface Settlement {
  readonly verb: 'replayed' | 'discarded';
  readonly by: string;
  readonly reason: string;
  readonly at: number;
}

/** How many instances of a saga stand where, how many of their undo steps are not done, how many timers have a name, how much work is for whom. */
export type CensusLine =
  | {
      readonly kind: 'instances';
      readonly saga: string;
      readonly definitionVersion: number;
      readonly state: string;
      readonly status: SagaStatus;
      readonly count: number;
    }
  | {
      readonly kind: 'undo';
      readonly saga: string;
      readonly definitionVersion: number;
      /** Name of the compensation. */
      readonly name: string;
      readonly count: number;
    }
  | {
      /** Instances whose undo steps can't be read, which somebody else has written or changed: they aren't counted. */
      readonly kind: 'unreadable';
      readonly saga: string;
      readonly definitionVersion: number;
      readonly count: number;
    }
  | {
      readonly kind: 'timers';
      readonly saga: string;
      readonly name: string;
      readonly count: number;
    }
  | { readonly kind: 'work'; readonly destination: string; readonly count: number };

/** A name that rows of instances may have, of one version of a saga. */
export interface SagaName {
  readonly saga: string;
  readonly version: number;
  readonly kind: 'state' | 'compensation' | 'timer';
  readonly name: string;
}

/** An instance that was taken out of the way, with everything that was known of it. */
export interface ArchivedInstance {
  readonly instance: StoredInstance;
  readonly keys: readonly KeyRecord[];
  readonly history: readonly StoredHistory[];
  readonly archivedAt: number;
}
