import type { Machine } from '../machine.js';
import type { Snapshot } from '../types.js';
import { dehydrate, type Dehydrated, rehydrate } from './dehydrate.js';

/** A snapshot as JSON text. */
export function serialize(machine: Machine, snapshot: Snapshot): string {
  return JSON.stringify({ ...dehydrate(machine, snapshot), context: snapshot.context });
}

/**
 * Reads what `serialize` wrote.
 *
 * @throws SnapshotError
 */
export function deserialize<C>(machine: Machine, json: string): Snapshot<C> {
  const parts = JSON.parse(json) as Dehydrated & { context: C };
  return rehydrate(machine, parts, parts.context);
}
