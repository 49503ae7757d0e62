import type { ActionSpec } from '../chart/action-spec.js';
import type { Semantics } from '../chart/chart.js';
import type { Node, Transition } from '../chart/node.js';
import { type DefinitionFault, text } from '../errors.js';

/** Raw objects of a config. */
export type Raw = Readonly<Record<string, unknown>>;

/** What reading one config gathers. */
export class Reading {
  readonly faults: DefinitionFault[] = [];
  readonly nodes: Node[] = [];
  readonly byId = new Map<string, Node>();
  readonly transitions: Transition[] = [];
  readonly counted: Node[] = [];
  readonly actions: ActionSpec[] = [];
  readonly inlineActions = new Map<string, unknown>();
  readonly inlineActors = new Map<string, unknown>();
  /** Config objects on the way from the root, to recognise a config that contains itself. */
  readonly open = new Set<unknown>();

  constructor(
    readonly machine: string,
    readonly semantics: Semantics = 'xstate',
  ) {}

  /** Event that tells that a state's work is over. */
  doneState(id: string): string {
    return this.semantics === 'scxml' ? `done.state.${id}` : `xstate.done.state.${id}`;
  }

  fault(path: string, found: unknown, expected: string): void {
    this.faults.push({ path, found: text(found), expected });
  }
}

/** Deeper nesting is taken for a mistake; it would also end the recursion of whoever walks the config. */
export const MAX_DEPTH = 256;

export function isRaw(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `undefined` is none, an array itself, anything else an array of one. */
export function listOf(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as readonly unknown[]) : [value];
}

/** Name of a list's element in a path; a value that stood alone keeps the bare path. */
export function elementPath(path: string, value: unknown, index: number): string {
  return Array.isArray(value) ? `${path}[${index}]` : path;
}

/** Names that would reach a prototype. */
export function isUnsafeName(name: string): boolean {
  return name === '__proto__';
}
