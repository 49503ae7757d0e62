import type { Node, Transition } from '../chart/node.js';
import { ancestorsOf, isInside } from '../chart/node.js';
import { transitionsFor } from '../engine/build-plan.js';
import { type Machine, runtimeOf } from '../machine.js';
import { reachableFrom } from './reach.js';

/** What can be said of a machine without running it. Guards are taken for passable, so all findings are sure. */
export interface Analysis {
  /** Ids of states that no sequence of events enters. */
  readonly unreachable: readonly string[];
  /** Ids of reachable leaves that are not final and that no event, timer or completion leads out of. */
  readonly deadEnds: readonly string[];
  /** Transitions that are never taken, by path, each with what stands before it. */
  readonly shadowed: readonly { readonly path: string; readonly by: string }[];
  /** Transitions that lead out of their region into another one, so that all regions are left and entered anew, by path. */
  readonly acrossRegions: readonly string[];
  /** For each leaf and each event of the machine: paths of the transitions that may answer, the first to be asked first. */
  readonly matrix: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

/** Looks for unreachable states, dead ends and shadowed transitions, and tabulates which leaf answers which event. */
export function analyze(machine: Machine): Analysis {
  const { chart } = runtimeOf(machine);
  const reachable = reachableFrom(chart);
  const states = chart.nodes.filter((node) => node.type !== 'history');
  const leaves = states.filter((node) => node.children.length === 0);
  const events = eventsOf(chart.nodes);
  return {
    unreachable: states.filter((node) => !reachable.has(node)).map(idOf),
    deadEnds: leaves.filter((leaf) => reachable.has(leaf) && isDeadEnd(leaf)).map(idOf),
    shadowed: chart.nodes.flatMap(shadowedIn),
    acrossRegions: chart.transitions.filter(crosses).map(({ path }) => path),
    matrix: Object.fromEntries(leaves.map((leaf) => [leaf.id, rowOf(leaf, events)])),
  };
}

function idOf(node: Node): string {
  return node.id;
}

function lineOf(node: Node): readonly Node[] {
  return [node, ...ancestorsOf(node, null)];
}

/** A leaf in a parallel state waits for nobody else's sake: there, leaving is up to the regions together. */
function isDeadEnd(leaf: Node): boolean {
  if (leaf.type === 'final') return false;
  const line = lineOf(leaf);
  if (line.some((node) => node.type === 'parallel')) return false;
  const moves = line.flatMap((node) => [...[...node.transitions.values()].flat(), ...node.always]);
  return !moves.some(({ targets }) => targets?.some((target) => target !== leaf) === true);
}

/** Within one state: everything after an unguarded transition for the same event, and what an unguarded `always` keeps from waiting. */
function shadowedIn(node: Node): { path: string; by: string }[] {
  return [...node.transitions.values(), node.always].flatMap((transitions) => {
    const first = transitions.findIndex(({ guard }) => guard === null);
    if (first < 0) return [];
    const by = (transitions[first] as Transition).path;
    return transitions.slice(first + 1).map(({ path }) => ({ path, by }));
  });
}

/** Is a target in another region of a parallel state around the source? */
function crosses({ source, targets }: Transition): boolean {
  const regions = lineOf(source).filter((node) => node.parent?.type === 'parallel');
  return (targets ?? []).some((target) =>
    regions.some((region) => {
      const parallel = region.parent as Node;
      return isInside(target, parallel) && target !== region && !isInside(target, region);
    }),
  );
}

function eventsOf(nodes: readonly Node[]): readonly string[] {
  const all = nodes.flatMap((node) => [...node.transitions.keys()]);
  return [...new Set(all)].filter((event) => !event.startsWith('xstate.'));
}

function rowOf(leaf: Node, events: readonly string[]): Record<string, readonly string[]> {
  const answers = (event: string): string[] => {
    const type = event === '*' ? 'any' : event.replace(/\.\*$/, '.any');
    return lineOf(leaf).flatMap((node) => transitionsFor(node, type).map(({ path }) => path));
  };
  const row = events.map((event): [string, readonly string[]] => [event, answers(event)]);
  return Object.fromEntries(row.filter(([, paths]) => paths.length > 0));
}
