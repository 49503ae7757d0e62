import type { Expression, Node } from '../chart/node.js';
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
  if (parent?.type === 'compound') ops.push(raiseDone(parent, node.output));
  let around = parent?.type === 'parallel' ? parent : (parent?.parent ?? null);
  let last = around ?? node;
  while (around?.type === 'parallel' && !completed.has(around) && isComplete(around, active)) {
    completed.add(around);
    ops.push(raiseDone(around, undefined));
    last = around;
    around = around.parent;
  }
  if (around !== null) return { ops, done: false };
  ops.push(endMachine(runtime, last));
  return { ops, done: true };
}

/** Is a state's work over (SCXML: isInFinalState)? */
export function isComplete(node: Node, active: ReadonlySet<Node>): boolean {
  if (node.type === 'compound')
    return node.children.some((child) => child.type === 'final' && active.has(child));
  if (node.type === 'parallel') return node.children.every((child) => isComplete(child, active));
  return node.type === 'final';
}

function raiseDone(node: Node, output: Expression | undefined): Op {
  const type = `xstate.done.state.${node.id}`;
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
