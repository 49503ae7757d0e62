import type { ActionSpec } from '../chart/action-spec.js';
import { isInside, type Node, type Transition } from '../chart/node.js';
import type { Effect } from '../types.js';
import { cancelTimers, enterCounted, stopInvokes } from './activity-ops.js';
import type { Configuration } from './configuration.js';
import { EntrySet } from './entry-set.js';
import { completionOps } from './completion.js';
import { type Op, runOp } from './op.js';
import type { Outcome } from './plan.js';
import type { Runtime } from './runtime.js';
import { exitSetOf, type Memory, type Move, withoutConflicts } from './sets.js';

/** Works out what taking these transitions does (SCXML: microstep): exits, transition actions, entries. */
export function buildOutcome(from: Configuration, transitions: readonly Transition[]): Outcome {
  const { runtime } = from;
  const { semantics } = runtime.chart;
  const taken = withoutConflicts(transitions, from.active, from.memory, semantics);
  const exits = new Set<Node>();
  for (const move of taken)
    for (const node of exitSetOf(move, from.active, from.memory, semantics)) exits.add(node);
  const leaving = [...exits].sort((a, b) => b.index - a.index);
  const memory = remember(leaving, from);
  const ops = leaving.flatMap((node) => exitOps(runtime, node));
  ops.push(...taken.flatMap((move) => move.actions.map((action) => runtime.op(action))));
  const stay = from.nodes.filter((node) => !exits.has(node));
  return enter(from, taken, { exits, stay, memory, ops });
}

/** What entering the initial states does. */
export function buildInitial(runtime: Runtime, nowhere: Configuration): Outcome {
  const { root } = runtime.chart;
  const move: Move = { source: root, targets: initialStates(root), reenter: true };
  return enter(nowhere, [move], { exits: new Set(), stay: [], memory: nowhere.memory, ops: [] });
}

/** A state and the states it leads to by default, in order. */
function initialStates(root: Node): readonly Node[] {
  const found = new Set<Node>();
  const visit = (node: Node): void => {
    if (found.has(node)) return;
    found.add(node);
    if (node.type === 'compound') node.initial?.targets.forEach(visit);
    else if (node.type === 'parallel') node.children.forEach(visit);
  };
  visit(root);
  return [...found];
}

interface Half {
  readonly exits: ReadonlySet<Node>;
  readonly stay: readonly Node[];
  readonly memory: Memory;
  readonly ops: Op[];
}

function enter(from: Configuration, moves: readonly Move[], { exits, stay, memory, ops }: Half): Outcome {
  const { runtime } = from;
  const entry = new EntrySet(from.memory, memory, runtime.chart.semantics);
  for (const move of moves) entry.add(move, exits);
  const active = new Set(stay);
  const completed = new Set<Node>();
  let done = false;
  for (const node of entry.inOrder()) {
    active.add(node);
    ops.push(...entryOps(runtime, node, entry));
    const completion = completionOps(runtime, node, active, completed);
    ops.push(...completion.ops);
    done ||= completion.done;
  }
  const nodes = [...active];
  if (done) ops.push(...closingOps(runtime, nodes));
  const relocated = memory !== from.memory || !sameStates(from.active, active);
  const next = relocated ? runtime.configuration(nodes, memory) : from;
  return {
    ops,
    effects: constantEffects(ops),
    next,
    moves: relocated,
    inert: moves.every(isInert),
    sharedStep: null,
  };
}

function isInert({ targets, actions = [] }: Move & { actions?: readonly unknown[] }): boolean {
  return targets === null && actions.length === 0;
}

function exitOps(runtime: Runtime, node: Node): Op[] {
  return [
    ...node.exit.map((action) => runtime.op(action)),
    ...cancelTimers(node),
    ...stopInvokes(node),
    ...tracking(runtime, node, false),
  ];
}

function entryOps(runtime: Runtime, node: Node, entry: EntrySet): Op[] {
  const ops = [...tracking(runtime, node, true), ...opsOf(runtime, node.entry)];
  if (node.epochSlot >= 0) ops.push(...enterCounted(runtime, node));
  if (entry.byDefault.has(node)) ops.push(...opsOf(runtime, node.initial?.actions ?? []));
  for (const history of node.histories) {
    if (entry.histories.has(history)) ops.push(...opsOf(runtime, history.historyActions));
  }
  return ops;
}

/** A machine that is done leaves all its states, though it keeps showing them. */
function closingOps(runtime: Runtime, nodes: readonly Node[]): Op[] {
  const leaving = [...nodes].sort((a, b) => b.index - a.index);
  const exits = leaving.flatMap((node) => [
    ...node.exit.map((action) => runtime.op(action)),
    ...cancelTimers(node),
  ]);
  return [...exits, ...leaving.flatMap((node) => stopInvokes(node))];
}

function remember(leaving: readonly Node[], from: Configuration): Memory {
  const histories = leaving.flatMap((node) => node.histories);
  if (histories.length === 0) return from.memory;
  const memory = new Map(from.memory);
  for (const history of histories) memory.set(history, rememberedBy(history, from.nodes));
  return memory;
}

function rememberedBy(history: Node, active: readonly Node[]): readonly Node[] {
  const parent = history.parent as Node;
  const isLeaf = (node: Node): boolean => node.type === 'atomic' || node.type === 'final';
  const deep = history.history === 'deep';
  const states = active.filter((node) =>
    deep ? isLeaf(node) && isInside(node, parent) : node.parent === parent,
  );
  return states.sort((a, b) => a.index - b.index);
}

function sameStates(before: ReadonlySet<Node>, after: ReadonlySet<Node>): boolean {
  if (before.size !== after.size) return false;
  for (const node of before) if (!after.has(node)) return false;
  return true;
}

function constantEffects(ops: readonly Op[]): readonly Effect[] | null {
  const effects: Effect[] = [];
  for (const op of ops) {
    if (op.run !== null) return null;
    effects.push(op.effect);
  }
  return Object.freeze(effects);
}

function opsOf(runtime: Runtime, actions: readonly ActionSpec[]): Op[] {
  return actions.map((action) => runtime.op(action));
}

/** SCXML's `In` sees each state leave and come (SCXML 3.13); XState's `stateIn` sees where the microstep began. */
function tracking(runtime: Runtime, node: Node, enters: boolean): Op[] {
  if (runtime.chart.semantics !== 'scxml') return [];
  const track = runOp((frame) => {
    frame.view ??= { runtime, active: new Set(frame.configuration.nodes) };
    if (enters) frame.view.active.add(node);
    else frame.view.active.delete(node);
  });
  return [track];
}
