import { SnapshotError, text } from '../errors.js';
import { type Machine, runtimeOf } from '../machine.js';
import type { Snapshot } from '../types.js';
import { adopt } from './adopt.js';
import { decode, encode, mayHoldTags } from './codec.js';
import { dehydrate, type Dehydrated, placeOf, rehydrate } from './dehydrate.js';

/**
 * A snapshot as JSON text, exact: what JSON has no word for (undefined, NaN, -0, bigint, Date, Map, Set) is tagged.
 *
 * @throws SnapshotError where the context holds a function, symbol, class instance or circle
 */
export function serialize(machine: Machine, snapshot: Snapshot): string {
  const configuration = adopt(runtimeOf(machine), snapshot);
  const context = encode(snapshot.context, machine.id, 'context');
  if (!isPlace(snapshot)) return JSON.stringify({ ...dehydrate(machine, snapshot), context });
  // Where it is takes most of the writing, and is the same for all that are there.
  configuration.opening ??= JSON.stringify(placeOf(configuration, 'active')).slice(0, -1);
  return `${configuration.opening},"context":${JSON.stringify(context)}}`;
}

/** Whether there is nothing to it but a place and a context. */
function isPlace({ status, epochs, pending, output, error }: Snapshot): boolean {
  return (
    status === 'active' && epochs === null && pending === null && output === undefined && error === undefined
  );
}

/**
 * Reads what `serialize` wrote.
 *
 * @throws SnapshotError
 */
export function deserialize<C>(machine: Machine, json: string): Snapshot<C> {
  const parts = parse(machine, json);
  const context = mayHoldTags(json) ? decode(parts.context) : parts.context;
  return rehydrate(machine, parts, context as C);
}

function parse(machine: Machine, json: string): Dehydrated & { context: unknown } {
  try {
    const parts = JSON.parse(json) as unknown;
    return (parts ?? {}) as Dehydrated & { context: unknown };
  } catch {
    throw new SnapshotError(machine.id, `the text ${text(json)}`, 'Pass the JSON that serialize returned.');
  }
}
