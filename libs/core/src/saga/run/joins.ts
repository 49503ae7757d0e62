import { matches, raiseInternal, type Snapshot } from '@nestjs-orchestrator/statechart';
import { ABSENT, compositeEvent, type CompiledJoin } from '../compile/compiled-saga.js';

/** Members that have come so far, by composite event. */
export type Joined = ReadonlyMap<string, readonly string[]>;

/** Composite events that count `message` where the saga is. */
export function joinsCounting(
  joins: readonly CompiledJoin[],
  message: string,
  snapshot: Snapshot,
): readonly CompiledJoin[] {
  return joins.filter((join) => join.of.includes(message) && isInScope(join, snapshot));
}

/** What a member leaves behind: who is still waited for, and a snapshot in which the events of complete joins are raised. */
export interface JoinStep {
  readonly joined: Joined;
  readonly snapshot: Snapshot;
}

/** Takes note of a member; one that has come before changes nothing. Raises what is complete, which begins anew. Pure. */
export function join(
  counting: readonly CompiledJoin[],
  message: string,
  before: Joined,
  snapshot: Snapshot,
): JoinStep {
  const joined = new Map(before);
  let after = snapshot;
  for (const each of counting) {
    if (!isInScope(each, snapshot)) continue;
    const come = joined.get(each.name) ?? [];
    if (come.includes(message)) continue;
    const now = [...come, message];
    if (each.of.every((member) => now.includes(member))) {
      joined.delete(each.name);
      after = raiseInternal(after, { type: compositeEvent(each.name) });
    } else {
      joined.set(each.name, now);
    }
  }
  return { joined, snapshot: after };
}

/** Forgets what has come for joins whose states have all been left. Pure. */
export function forgetLeft(joins: readonly CompiledJoin[], joined: Joined, snapshot: Snapshot): Joined {
  if (joined.size === 0) return joined;
  return new Map(
    [...joined].filter(([name]) => joins.some((each) => each.name === name && isInScope(each, snapshot))),
  );
}

function isInScope({ during }: CompiledJoin, snapshot: Snapshot): boolean {
  if (snapshot.status !== 'active') return false;
  return during.length === 0 || during.some((path) => matches(snapshot, path));
}

/** Whether the instance is only about to be. */
export function isAbsent(snapshot: Snapshot): boolean {
  return matches(snapshot, ABSENT);
}
