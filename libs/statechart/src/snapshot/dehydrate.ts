import type { Node } from '../chart/node.js';
import type { Configuration } from '../engine/configuration.js';
import type { Runtime } from '../engine/runtime.js';
import type { Memory } from '../engine/sets.js';
import { SnapshotError, text } from '../errors.js';
import { type Machine, runtimeOf } from '../machine.js';
import type { Pending, Snapshot } from '../types.js';
import { adopt } from './adopt.js';
import { decode, encode } from './codec.js';
import { checkLegal } from './legal.js';
import { MachineSnapshot } from './snapshot.js';

/** A snapshot without its context, as plain JSON. States stand by id, so that it survives a definition with states in another order. */
export interface Dehydrated {
  readonly machine: string;
  readonly version?: string;
  readonly status: 'active' | 'done' | 'error';
  /** Ids of the active states without active children. */
  readonly states: readonly string[];
  readonly history?: Readonly<Record<string, readonly string[]>>;
  readonly epochs?: Readonly<Record<string, number>>;
  readonly output?: unknown;
  readonly error?: unknown;
  readonly pending?: Pending;
}

/** Takes a snapshot apart: everything but its context, as plain JSON. */
export function dehydrate(machine: Machine, snapshot: Snapshot): Dehydrated {
  const runtime = runtimeOf(machine);
  const configuration = adopt(runtime, snapshot);
  const { status, output, error, pending, epochs } = snapshot;
  return {
    ...placeOf(configuration, status),
    ...(epochs === null ? {} : { epochs: epochsById(runtime, epochs) }),
    ...(output === undefined ? {} : { output: encode(output, machine.id, 'output') }),
    ...(error === undefined ? {} : { error: encode(error, machine.id, 'error') }),
    ...(pending === null ? {} : { pending: encode(pending, machine.id, 'pending') as Pending }),
  };
}

/** What snapshots have in common that are in one place. */
export function placeOf(
  { runtime: { chart }, leaves, memory }: Configuration,
  status: Dehydrated['status'],
): Dehydrated {
  return {
    machine: chart.id,
    ...(chart.version === undefined ? {} : { version: chart.version }),
    status,
    states: leaves.map(idOf),
    ...(memory.size === 0
      ? {}
      : { history: Object.fromEntries([...memory].map(([of, states]) => [of.id, states.map(idOf)])) }),
  };
}

/**
 * Puts a snapshot together again.
 *
 * @throws SnapshotError where it is of another machine or version, or names states that this definition does not have
 */
export function rehydrate<C>(machine: Machine, parts: Dehydrated, context: C): Snapshot<C> {
  const runtime = runtimeOf(machine);
  checkIdentity(runtime, parts);
  const leaves = parts.states.map((id) => nodeOf(runtime, id));
  const nodes = checkLegal(runtime, withAncestors(leaves));
  const memory: Memory = new Map(
    Object.entries(parts.history ?? {}).map(([id, states]) => [
      nodeOf(runtime, id),
      states.map((state) => nodeOf(runtime, state)),
    ]),
  );
  const configuration = runtime.configuration(nodes, memory);
  const epochs = epochsBySlot(runtime, parts.epochs);
  const { status } = parts;
  const pending = parts.pending === undefined ? null : (decode(parts.pending) as Pending);
  return new MachineSnapshot(
    configuration,
    context,
    epochs,
    pending,
    status,
    decode(parts.output),
    decode(parts.error),
  );
}

const STATUSES: ReadonlySet<unknown> = new Set(['active', 'done', 'error']);

function checkIdentity(runtime: Runtime, parts: Dehydrated): void {
  const { id, version } = runtime.chart;
  const advice = 'Give it to the machine that wrote it, or migrate it.';
  if (typeof parts !== 'object' || parts === null || !Array.isArray(parts.states)) {
    throw new SnapshotError(id, text(parts), 'Pass what dehydrate or serialize returned.');
  }
  if (!STATUSES.has(parts.status)) throw new SnapshotError(id, `the status ${text(parts.status)}`, advice);
  if (parts.machine !== id) throw new SnapshotError(id, `machine ${text(parts.machine)}`, advice);
  if (parts.version !== version)
    throw new SnapshotError(id, `version ${text(parts.version)} instead of ${text(version)}`, advice);
}

function nodeOf(runtime: Runtime, id: string): Node {
  const node = runtime.chart.byId.get(id);
  if (node !== undefined) return node;
  throw new SnapshotError(
    runtime.chart.id,
    `the unknown state ${text(id)}`,
    'It was written by a definition with other states: migrate it.',
  );
}

function withAncestors(leaves: readonly Node[]): Node[] {
  const nodes = new Set<Node>();
  for (const leaf of leaves) {
    const line: Node[] = [];
    for (let at: Node | null = leaf; at !== null; at = at.parent) line.unshift(at);
    for (const node of line) nodes.add(node);
  }
  return [...nodes];
}

function idOf(node: Node): string {
  return node.id;
}

function epochsById(runtime: Runtime, epochs: readonly number[]): Record<string, number> {
  const entered = runtime.chart.counted.map((node, slot): [string, number] => [node.id, epochs[slot] ?? 0]);
  return Object.fromEntries(entered.filter(([, count]) => count > 0));
}

/** Counts of states that a newer definition no longer counts are dropped. */
function epochsBySlot(runtime: Runtime, epochs: Dehydrated['epochs']): readonly number[] | null {
  if (epochs === undefined) return null;
  return runtime.chart.counted.map((node) => (Object.hasOwn(epochs, node.id) ? (epochs[node.id] ?? 0) : 0));
}
