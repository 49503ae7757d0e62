import type { Duration } from '../message/duration.js';
import type { MessageType } from '../message/message.js';
import type { Schema, OutputOf } from '../message/standard-schema.js';
import type { JsonOnly } from '../message/json.js';
import type { ActivityDefinition, ActivitySpec, ActivityTypes } from './activity/activity-types.js';
import type { SagaMigration, SagaMigrations } from './versions/saga-migration.js';
import type { UndoPolicy, UndoRules } from './undo-policy.js';
import type { StateNames, StateNodes } from './states.js';

/** How an end state is meant: `success` keeps what was done, `undo` runs the compensation log. */
export type EndMeaning = 'success' | 'undo';

/**
 * What to do with a message whose instance does not exist (yet). `park`: it waits for it. `start`: it starts one; nothing else can be said of a message
 * that does, and it need not be said. `discard`: it is dropped. `fault`: it becomes a dead letter at once. `redeliver`: it is tried
 * again with growing delays, then becomes a dead letter.
 */
export type AbsentPolicy = 'park' | 'start' | 'discard' | 'fault' | 'redeliver';

/**
 * What to do with a message that no active state answers. `defer`: it is tried again after each change of state. `ignore`: it is recorded and dropped.
 * `fault`: it becomes a dead letter at once.
 */
export type UnansweredPolicy = 'defer' | 'ignore' | 'fault';

/**
 * How many instances have the same value of a key. `one`: each instance has its own from the beginning. `at most one`: it becomes known later, or
 * never. `many`: any number of instances share it, and each of them gets a message that comes by it.
 */
export type KeyCardinality = 'one' | 'at most one' | 'many';

/** What holds for one event only. */
export interface EventPolicies {
  /** Default: the saga's `absent`; for a key that many instances have, `discard`. */
  readonly absent?: AbsentPolicy;
  /** Default: the saga's `unanswered`. */
  readonly unanswered?: UnansweredPolicy;
}

/** An event whose correlation key does not have the saga's `correlateBy` as its name. Made by {@link keyed}. */
export interface Keyed<M extends MessageType> extends EventPolicies {
  readonly keyed: M;
  readonly by: (body: InstanceType<M>) => string;
  /** Name of one of the saga's further `keys`; default: the primary key. */
  readonly key?: string;
}

/** An event of which there is more to say. Made by {@link event}. */
export interface Described<M extends MessageType> extends EventPolicies {
  readonly event: M;
}

/** Options of {@link keyed}. */
export interface KeyedOptions extends EventPolicies {
  /** Name of one of the saga's further `keys`; default: the primary key. */
  readonly key?: string;
}

/**
 * Says where in `message` the saga's key stands: `keyed(CarrierReport, (m) => m.consignment)`, or one of its further keys:
 * `keyed(CustomerBlocked, (m) => m.customerId, { key: 'customer' })`.
 */
export function keyed<M extends MessageType>(
  message: M,
  by: (body: InstanceType<M>) => string,
  options: KeyedOptions = {},
): Keyed<M> {
  return { ...options, keyed: message, by };
}

/** Says what holds for one event only: `event(PaymentReminder, { absent: 'discard', unanswered: 'ignore' })`. */
export function event<M extends MessageType>(message: M, policies: EventPolicies): Described<M> {
  return { ...policies, event: message };
}

/** What may stand in `events`. */
export type EventEntry = MessageType | Keyed<MessageType> | Described<MessageType>;

/** The message types among the listed events, keyed or not. */
export type EventOf<E> =
  E extends Keyed<infer M> ? M : E extends Described<infer M> ? M : E extends MessageType ? E : never;
type Unkeyed<E> = E extends Described<infer M> ? M : E extends MessageType ? E : never;

/** Names of the string fields that every member of a union of bodies has. */
export type CommonStringKey<U> = { [K in keyof U]: U[K] extends string ? K : never }[keyof U];

/** A join: several events that have all come. */
export interface CompositeEvent<M extends MessageType = MessageType, S extends string = string> {
  /** All of these must have come, in any order; one that comes twice counts once. */
  readonly of: readonly M[];
  /** Where they count. What has come is forgotten when none of these states is active any more. Default: all states. */
  readonly during?: S | readonly S[];
}

/** What `defineSaga` is given. */
export interface SagaSpec<
  D,
  ST extends readonly string[] | StateNodes,
  X extends string,
  E extends EventEntry,
  C extends Readonly<Record<string, Schema<unknown>>>,
  K extends string = never,
  T extends string = never,
  J extends string = never,
  L extends MessageType = never,
  A extends Readonly<Record<string, ActivitySpec>> = Record<never, never>,
> {
  /** Unique in the application together with `version`; part of stored keys, so it never changes. */
  readonly name: string;
  /** A whole number from 1. Instances stay on the version they started with. */
  readonly version: number;
  /** Schema of the saga's data: plain JSON. `type<OrderData>()` where the compiler's word is enough. */
  readonly data: Schema<D> & JsonOnly<D>;
  /** The states between start and end: their names, or nested ones in the shape of XState v5. */
  readonly states: ST;
  /** The final states, and what each means. */
  readonly ends: Readonly<Record<X, EndMeaning>>;
  /** The messages this saga answers. */
  readonly events: readonly E[];
  /** The field of every event (but for `keyed` ones) that tells the instance. Also the name of the primary key. */
  readonly correlateBy: CommonStringKey<InstanceType<Unkeyed<E>>> & string;
  /** Further keys; a handler records an instance's value with `ctx.correlateWith`. */
  readonly keys?: Readonly<Record<K, KeyCardinality>>;
  /** Names of the undo steps, each with the schema of its input. */
  readonly compensations?: C;
  /** Work outside, run at least once by some node, that handlers ask for with `ctx.invoke`. */
  readonly activities?: A;
  /** How undo steps are tried again, what happens when one fails for good, and which answer it waits for. */
  readonly undo?: { readonly [N in keyof C]?: UndoPolicy };
  /** Names of timers that handlers set with `ctx.schedule`. */
  readonly schedules?: readonly T[];
  /** Joins by name; answered like events. */
  readonly compositeEvents?: Readonly<
    Record<J, CompositeEvent<NoInfer<EventOf<E>>, NoInfer<StateNames<ST>>>>
  >;
  /** All commands that handlers send. If given, others don't compile, and each must have exactly one handler when the application starts. */
  readonly sends?: readonly L[];
  /**
   * How instances of older versions, which are registered no more, become instances of this one. An instance of a version that is neither registered
   * nor named here is held.
   */
  readonly migrate?: SagaMigrations<NoInfer<D>, StateNames<NoInfer<ST>> | NoInfer<X>>;
  /** A start message that finds an ended instance, or the tombstone of one, starts anew. Default `false`: it is a duplicate. */
  readonly restartable?: boolean;
  /** Messages that come before their instance. Default `park`: they wait `patience` for it. */
  readonly absent?: Exclude<AbsentPolicy, 'start'>;
  /** Messages that no active state answers. Default `defer`: tried again after each change of state, for `patience`. */
  readonly unanswered?: UnansweredPolicy;
  /** How long parked and deferred messages, and those that only another build can take, wait before they become dead letters; numbers are milliseconds. Default 24 hours. */
  readonly patience?: Duration | number;
}

/** Further words of a definition, for the compiler only. */
export interface SagaWords {
  /** Names of the further keys. */
  readonly key: string;
  /** Names of the schedules. */
  readonly schedule: string;
  /** Names of the composite events. */
  readonly composite: string;
  /** What `ctx.send` takes. */
  readonly command: object;
  /** Inputs and outputs of the activities. */
  readonly activities: ActivityTypes;
}

/** What a definition knows, for the compiler only. */
export interface SagaTypes<D, S extends string, X extends string, E extends MessageType, C, W = SagaWords> {
  readonly data: D;
  readonly state: S;
  readonly end: X;
  readonly event: E;
  readonly undo: C;
  readonly words: W;
}

/** One event of a saga and where its key stands. */
export interface SagaEvent {
  readonly type: MessageType;
  /** Name of the key by which it finds its instance. */
  readonly key: string;
  readonly keyOf: (body: object) => unknown;
  readonly absent: AbsentPolicy | undefined;
  readonly unanswered: UnansweredPolicy | undefined;
}

/** A join, as the definition keeps it. */
export interface Join {
  /** Wire names of the events that must all have come. */
  readonly of: readonly string[];
  /** Paths of the states where they count; empty: everywhere. */
  readonly during: readonly string[];
}

/** A saga's vocabulary: what it is called, where it can be, what it answers. Made by {@link defineSaga}. */
export interface SagaDefinition<
  D = unknown,
  S extends string = string,
  X extends string = string,
  E extends MessageType = MessageType,
  C = unknown,
  W extends SagaWords = SagaWords,
> {
  readonly name: string;
  readonly version: number;
  /** Paths of all states, each after its parent. */
  readonly states: readonly S[];
  /** The states as they are nested. */
  readonly nodes: StateNodes;
  readonly ends: Readonly<Record<X, EndMeaning>>;
  readonly correlateBy: string;
  /** Further keys. */
  readonly keys: ReadonlyMap<string, KeyCardinality>;
  readonly events: ReadonlyMap<string, SagaEvent>;
  readonly dataSchema: Schema<D>;
  readonly compensations: ReadonlyMap<string, Schema<unknown>>;
  /** Rules of undo steps of which something was said. */
  readonly undo: ReadonlyMap<string, UndoRules>;
  readonly schedules: ReadonlySet<string>;
  readonly activities: ReadonlyMap<string, ActivityDefinition>;
  readonly composites: ReadonlyMap<string, Join>;
  /** `undefined`: anything may be sent. */
  readonly sends: ReadonlyMap<string, MessageType> | undefined;
  readonly migrate: ReadonlyMap<number, SagaMigration>;
  readonly restartable: boolean;
  readonly absent: AbsentPolicy;
  readonly unanswered: UnansweredPolicy;
  /** In milliseconds. */
  readonly patience: number;
  /** Phantom: never set at run time. */
  readonly types: SagaTypes<D, S, X, E, C, W>;
}

/** Any saga definition, whatever its vocabulary. */
// oxlint-disable-next-line typescript/no-explicit-any -- stands for every definition, in all positions
export type AnySaga = SagaDefinition<any, any, any, any, any, any>;

/** The data of a saga's instances. */
export type DataOf<G extends AnySaga> = G['types']['data'];

/** A state or an end of a saga. */
export type StateOf<G extends AnySaga> = G['types']['state'] | G['types']['end'];

/** Inputs of a saga's compensations by their names. */
export type UndoOf<C extends Readonly<Record<string, Schema<unknown>>>> = {
  [K in keyof C]: OutputOf<C[K]>;
};

/** What `ctx.send` takes: the declared commands, or anything where none are declared. */
export type CommandOf<L extends MessageType> = [L] extends [never] ? object : InstanceType<L>;
