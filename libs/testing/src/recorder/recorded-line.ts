import {
  type ClusterRecord,
  type MachineRecord,
  stateValue,
  type EventObject,
  type Machine,
  type OrchestratorRecord,
  type Snapshot,
  type StateValue,
} from '@nestjs-orchestrator/core';

/** Something that was called for a machine: an action, or an activity that was started. */
export interface RecordedEffect {
  readonly type: 'effect';
  readonly kind: 'action' | 'activity';
  readonly name: string;
  /** Id of the machine it was called for. */
  readonly machine: string;
  /** The action's `params`, or the activity's input. */
  readonly params: unknown;
}

/** Everything that a recorder keeps, in the order in which it came. */
export type RecorderEntry = OrchestratorRecord | RecordedEffect;

/** Where a snapshot is, for people: `open`, `on.warm`, `a.x + b.y` for parallel regions. */
export function stateText(machine: Machine | undefined, snapshot: Snapshot | undefined): string {
  if (snapshot === undefined) return '(nowhere)';
  if (machine === undefined) return `(${snapshot.status})`;
  return pathsOf(stateValue(machine, snapshot)).join(' + ');
}

function pathsOf(value: StateValue): readonly string[] {
  if (typeof value === 'string') return [value];
  return Object.entries(value).flatMap(([name, inner]) => {
    const paths = inner === undefined ? [] : pathsOf(inner);
    return paths.length === 0 ? [name] : paths.map((path) => `${name}.${path}`);
  });
}

/** One entry as a line. */
export function lineOf(entry: RecorderEntry, definition: (id: string) => Machine | undefined): string {
  if (entry.type === 'effect') return `${entry.machine}: ${entry.kind} ${entry.name}${json(entry.params)}`;
  return 'machine' in entry ? machineLine(entry, definition) : clusterLine(entry);
}

function machineLine(entry: MachineRecord, definition: (id: string) => Machine | undefined): string {
  const { id } = entry.machine;
  const machine = definition(entry.machine.definition);
  switch (entry.type) {
    case 'spawned':
      return `${id}: spawned in ${stateText(machine, entry.snapshot)}`;
    case 'transition':
      return `${id}: ${stateText(machine, entry.before)} → ${stateText(machine, entry.after)} on ${eventText(entry.event)}`;
    case 'failure':
      return `${id}: failed (${entry.kind})${entry.event === undefined ? '' : ` on ${entry.event.type}`}: ${errorText(entry.error)}`;
    case 'emitted':
      return `${id}: emitted ${eventText(entry.event)}`;
    case 'slow':
      return `${id}: slow${entry.event === undefined ? '' : ` on ${entry.event.type}`}: ${entry.part} ${entry.name} took ${entry.durationMs} ms`;
    case 'stopped':
      return `${id}: stopped (${entry.reason}) in ${stateText(machine, entry.snapshot)}`;
    default:
      return entry satisfies never;
  }
}

function clusterLine(record: ClusterRecord): string {
  switch (record.type) {
    case 'peer':
      return `process ${record.endpoint}: ${record.state}`;
    case 'undelivered':
      return `${record.to}: undelivered ${eventText(record.event)}: ${errorText(record.error)}`;
    case 'gateway':
      return `gateway of ${record.cluster} to ${record.joins}: ${record.endpoint} ${record.state}`;
    case 'published':
      return `${record.joins}: ${record.names} machines published`;
    case 'membership':
      return `own place ${record.endpoint}: ${record.state}`;
    default:
      return record satisfies never;
  }
}

function eventText({ type, ...payload }: EventObject): string {
  return `${type}${Object.keys(payload).length === 0 ? '' : json(payload)}`;
}

export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { message, cause } = error;
  return cause instanceof Error && !message.includes(cause.message)
    ? `${message} (${cause.message})`
    : message;
}

function json(value: unknown): string {
  if (value === undefined) return '';
  try {
    return ` ${JSON.stringify(value)}`;
  } catch {
    return ' (not JSON)';
  }
}
