import { activeChildren, type Expression, type Node } from '../chart/node.js';
import { evaluate } from './expression.js';
import { type Frame, type Op, runOp } from './op.js';
import type { Runtime } from './runtime.js';

/** What entering a state completes: raises done events, ends the machine (SCXML: enterStates, the part on final states). */
export interface Completion {
  readonly ops: readonly Op[];
  readonly done: boolean;
}

const NOTHING: Completion = { ops: [], done: false };

export function completionOps(
  runtime: Runtime,
  node: Node,
  active: ReadonlySet<Node>,
  completed: Set<Node>,
): Completion {
  if (node.type !== 'final') return NOTHING;
  const ops: Op[] = [];
  const { parent } = node;
  if (parent?.type === 'compound') ops.push(raiseDone(runtime, parent, node.output));
  const outer = outerOf(parent);
  const parallels = completeParallels(outer, active, completed);
  for (const parallel of parallels) ops.push(raiseDone(runtime, parallel, undefined));
  const last = parallels.at(-1);
  const around = last === undefined ? outer : last.parent;
  if (around !== null) return { ops, done: false };
  ops.push(endMachine(runtime, last ?? node));
  return { ops, done: true };
}

/** The state that may be complete once a child of `parent` is final: a parallel parent, else what stands around it. */
function outerOf(parent: Node | null): Node | null {
  if (parent === null || parent.type === 'parallel') return parent;
  return parent.parent;
}

/** Marks the parallel states, from the given one outwards, whose regions are all complete now; innermost first. */
function completeParallels(from: Node | null, active: ReadonlySet<Node>, completed: Set<Node>): Node[] {
  const found: Node[] = [];
  let at = from;
  while (at?.type === 'parallel' && !completed.has(at) && isComplete(at, active)) {
    completed.add(at);
    found.push(at);
    at = at.parent;
  }
  return found;
}

/** Is a state's work over (SCXML: isInFinalState)? */
export function isComplete(node: Node, active: ReadonlySet<Node>): boolean {
  if (node.type === 'compound') return activeChildren(node, active).some((child) => child.type === 'final');
  if (node.type === 'parallel') return node.children.every((child) => isComplete(child, active));
  return node.type === 'final';
}

function raiseDone({ chart }: Runtime, node: Node, output: Expression | undefined): Op {
  const type = chart.semantics === 'scxml' ? `done.state.${node.id}` : `xstate.done.state.${node.id}`;
  return runOp((frame) => {
    frame.queue.push({ type, output: valueOf(output, frame) });
  });
}

function valueOf(output: Expression | undefined, frame: Frame): unknown {
  return output === undefined ? undefined : evaluate(output.value, frame, undefined, output.path);
}

/** The root's `output` sees the done event of the state that ended the machine. */
function endMachine(runtime: Runtime, last: Node): Op {
  const { output } = runtime.chart.root;
  return runOp((frame) => {
    frame.status = 'done';
    frame.touched = true;
    if (output === undefined) return;
    const of = last.parent === null ? undefined : valueOf(last.output, frame);
    const seen = { ...frame, event: { type: `xstate.done.state.${last.id}`, output: of } };
    frame.output = valueOf(output, seen);
  });
}
