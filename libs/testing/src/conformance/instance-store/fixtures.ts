import type {
  ClaimRequest,
  Commit,
  CommitResult,
  DeliveryRecord,
  HistoryRecord,
  InboxRecord,
  InstanceRef,
  InstanceState,
  InstanceStore,
  KeyRecord,
  LoadRequest,
  LoadResult,
  ParkRequest,
  TimerRecord,
  WorkKey,
  WorkRecord,
  WriteOptions,
} from '@nestjs-orchestrator/core/ports';
import { ConformanceFailure } from '../checks.js';

/** Where virtual time starts: far from the real one, so that a store that asks its own clock is found out. */
export const T0 = Date.UTC(2031, 0, 1);
export const LEASE_MS = 30_000;
export const TENANT = 'acme';
export const SAGA = 'order';
export const DESTINATION = 'handler:Payments.charge';

/** Another tenant or saga than the usual one. */
export interface Elsewhere {
  readonly tenant?: string;
  readonly saga?: string;
}

export function ref(id = 'i-1', elsewhere: Elsewhere = {}): InstanceRef {
  return { tenant: TENANT, saga: SAGA, ...elsewhere, id };
}

export function key(value = 'k-1', name = 'orderId'): KeyRecord {
  return { name, value };
}

export function state(fields: Partial<InstanceState> = {}): InstanceState {
  const texts = { data: '{"total":10}', machine: '{"value":"awaitingPayment"}', undo: '[]', hold: null };
  return {
    definitionVersion: 1,
    state: 'awaitingPayment',
    status: 'running',
    ...texts,
    ended: false,
    ...fields,
  };
}

/** A commit that changes nothing but the state, and what is given. */
export function entry(of: InstanceRef, expectedVersion: number, fields: Partial<Commit> = {}): Commit {
  return {
    ref: of,
    expectedVersion,
    lease: null,
    supersedes: null,
    next: state(),
    keys: [],
    inbox: null,
    work: [],
    history: [],
    done: [],
    timers: { arm: [], disarm: [] },
    deliveries: { add: [], done: [] },
    wakeIfParked: null,
    ...fields,
  };
}

export function inbox(messageId = 'm-1', outcome = 'applied', reply: string | null = null): InboxRecord {
  return { messageId, outcome, reply };
}

export function work(id = 'w-1', fields: Partial<WorkRecord> = {}): WorkRecord {
  return { tenant: TENANT, destination: DESTINATION, id, lane: null, payload: '{}', delayMs: 0, ...fields };
}

export function workKey({ tenant, destination, id }: WorkKey): WorkKey {
  return { tenant, destination, id };
}

export function timer(name = 'timeout', fields: Partial<TimerRecord> = {}): TimerRecord {
  return { ...ref(), name, token: `${name}#1`, delayMs: 1_000, payload: '{}', ...fields };
}

export function delivery(messageId = 'm-1', fields: Partial<DeliveryRecord> = {}): DeliveryRecord {
  return { messageId, payload: `{"of":"${messageId}"}`, ttlMs: 60_000, ...fields };
}

export function line(kind: string, fields: Partial<HistoryRecord> = {}): HistoryRecord {
  return { kind, name: 'order.created', messageId: 'm-1', from: null, to: null, detail: null, ...fields };
}

export function parking(of: KeyRecord, message: DeliveryRecord, done: readonly WorkKey[] = []): ParkRequest {
  return { tenant: TENANT, saga: SAGA, key: of, delivery: message, done };
}

export function by(owner = 'node-a', now: number | null = T0, leaseMs = LEASE_MS): WriteOptions {
  return { owner, now, leaseMs };
}

export function asking(owner: string, now: number | null, fields: Partial<ClaimRequest> = {}): ClaimRequest {
  return { ...by(owner, now), destinations: [DESTINATION], limit: 100, ...fields };
}

export function byId(of: InstanceRef, messageId = 'm-unseen'): LoadRequest {
  return { tenant: of.tenant, saga: of.saga, by: { id: of.id }, messageId };
}

export function byKey(of: KeyRecord, messageId = 'm-unseen', elsewhere: Elsewhere = {}): LoadRequest {
  return { tenant: TENANT, saga: SAGA, ...elsewhere, by: { key: of }, messageId };
}

export async function loadOne(store: InstanceStore, request: LoadRequest): Promise<LoadResult> {
  const [result] = await store.load([request], { now: T0 });
  return result ?? missing('an answer to the load request');
}

/** The instance, which must be there. */
export async function loaded(store: InstanceStore, request: LoadRequest) {
  return (await loadOne(store, request)).instance ?? missing('the instance');
}

export async function tryCommit(store: InstanceStore, commit: Commit, options = by()): Promise<CommitResult> {
  const [result] = await store.commit([commit], options);
  if (result instanceof Error) throw result;
  return result ?? missing('an answer to the commit');
}

export type Committed = Extract<CommitResult, { readonly outcome: 'committed' }>;

/** Commits what must not lose. */
export async function commit(store: InstanceStore, given: Commit, options = by()): Promise<Committed> {
  const result = await tryCommit(store, given, options);
  if (result.outcome === 'committed') return result;
  throw new ConformanceFailure('a commit without a rival lost its race', 'committed', result.outcome);
}

/** Ids of the work that `owner` gets at `now`. */
export async function claimedIds(
  store: InstanceStore,
  owner: string,
  now: number,
  fields: Partial<ClaimRequest> = {},
): Promise<readonly string[]> {
  const { items } = await store.claimWork(asking(owner, now, fields));
  return items.map(({ id }) => id);
}

export function outcomes(results: readonly (CommitResult | Error)[]): readonly string[] {
  return results.map((result) => (result instanceof Error ? 'error' : result.outcome));
}

export function missing(what: string): never {
  throw new ConformanceFailure(`${what} is missing`, what, undefined);
}

/** Work that nobody holds: written with the shortest delay, to be claimed a millisecond after {@link T0}. */
export async function loose(store: InstanceStore, ...ids: readonly string[]): Promise<void> {
  await store.enqueue(
    ids.map((id) => work(id, { delayMs: 1 })),
    by(),
  );
}

/** Consumes a message in a transaction of its own. */
export function consume(store: InstanceStore, message: WorkKey): Promise<boolean> {
  return store.transaction((tx) => tx.consume(message, 'handled'), { now: T0 });
}
