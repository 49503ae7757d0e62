import type { MessageType } from '../message/message.js';
import type { Schema, OutputOf } from '../message/standard-schema.js';
import type { JsonOnly } from '../message/json.js';

/** How an end state is meant: `success` keeps what was done, `undo` runs the compensation log. */
export type EndMeaning = 'success' | 'undo';

/** What to do with a message whose instance does not exist (yet). */
export type AbsentPolicy = 'park' | 'discard' | 'fault';

/** What to do with a message that no active state answers. */
export type UnansweredPolicy = 'defer' | 'ignore' | 'fault';

/** An event whose correlation key does not have the saga's `correlateBy` as its name. Made by {@link keyed}. */
export interface Keyed<M extends MessageType> {
  readonly keyed: M;
  readonly by: (body: InstanceType<M>) => string;
}

/** Says where in `message` the saga's key stands: `keyed(CarrierReport, (m) => m.consignment)`. */
export function keyed<M extends MessageType>(message: M, by: (body: InstanceType<M>) => string): Keyed<M> {
  return { keyed: message, by };
}

/** The message types among the listed events, keyed or not. */
export type EventOf<E> = E extends Keyed<infer M> ? M : E extends MessageType ? E : never;
type Unkeyed<E> = E extends MessageType ? E : never;

/** Names of the string fields that every member of a union of bodies has. */
export type CommonStringKey<U> = { [K in keyof U]: U[K] extends string ? K : never }[keyof U];

/** What `defineSaga` is given. */
export interface SagaSpec<
  D,
  S extends string,
  X extends string,
  E extends MessageType | Keyed<MessageType>,
  C extends Readonly<Record<string, Schema<unknown>>>,
> {
  /** Unique in the application together with `version`; part of stored keys, so it never changes. */
  readonly name: string;
  /** A whole number from 1. Instances stay on the version they started with. */
  readonly version: number;
  /** Schema of the saga's data: plain JSON. `type<OrderData>()` where the compiler's word is enough. */
  readonly data: Schema<D> & JsonOnly<D>;
  /** The states between start and end. */
  readonly states: readonly S[];
  /** The final states, and what each means. */
  readonly ends: Readonly<Record<X, EndMeaning>>;
  /** The messages this saga answers. */
  readonly events: readonly E[];
  /** The field of every event (but for `keyed` ones) that tells the instance. */
  readonly correlateBy: CommonStringKey<InstanceType<Unkeyed<E>>> & string;
  /** Names of the undo steps, each with the schema of its input. */
  readonly compensations?: C;
  /** Messages that come before their instance. Default `park`: they wait `patience` for it. */
  readonly absent?: AbsentPolicy;
  /** Messages that no active state answers. Default `defer`: tried again after each change of state, for `patience`. */
  readonly unanswered?: UnansweredPolicy;
  /** How long parked and deferred messages wait before they become dead letters, in milliseconds. Default 24 hours. */
  readonly patience?: number;
}

/** What a definition knows, for the compiler only. */
export interface SagaTypes<D, S extends string, X extends string, E extends MessageType, C> {
  readonly data: D;
  readonly state: S;
  readonly end: X;
  readonly event: E;
  readonly undo: C;
}

/** One event of a saga and where its key stands. */
export interface SagaEvent {
  readonly type: MessageType;
  readonly keyOf: (body: object) => unknown;
}

/** A saga's vocabulary: what it is called, where it can be, what it answers. Made by {@link defineSaga}. */
export interface SagaDefinition<
  D = unknown,
  S extends string = string,
  X extends string = string,
  E extends MessageType = MessageType,
  C = unknown,
> {
  readonly name: string;
  readonly version: number;
  readonly states: readonly S[];
  readonly ends: Readonly<Record<X, EndMeaning>>;
  readonly correlateBy: string;
  readonly events: ReadonlyMap<string, SagaEvent>;
  readonly dataSchema: Schema<D>;
  readonly compensations: ReadonlyMap<string, Schema<unknown>>;
  readonly absent: AbsentPolicy;
  readonly unanswered: UnansweredPolicy;
  readonly patience: number;
  /** Phantom: never set at run time. */
  readonly types: SagaTypes<D, S, X, E, C>;
}

/** Any saga definition, whatever its vocabulary. */
// oxlint-disable-next-line typescript/no-explicit-any -- stands for every definition, in all positions
export type AnySaga = SagaDefinition<any, any, any, any, any>;

/** The data of a saga's instances. */
export type DataOf<G extends AnySaga> = G['types']['data'];

/** A state or an end of a saga. */
export type StateOf<G extends AnySaga> = G['types']['state'] | G['types']['end'];

/** Inputs of a saga's compensations by their names. */
export type UndoOf<C extends Readonly<Record<string, Schema<unknown>>>> = {
  [K in keyof C]: OutputOf<C[K]>;
};
