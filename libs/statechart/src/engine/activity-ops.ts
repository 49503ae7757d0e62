import type { After, Invoke, Node } from '../chart/node.js';
import { delayOf } from './bind-builtin.js';
import { evaluate } from './expression.js';
import { effectOp, type Frame, type Op, runOp } from './op.js';
import type { Runtime } from './runtime.js';

/** Begins a stay that is counted: a new epoch, then its timers, then its activities. */
export function enterCounted(runtime: Runtime, node: Node): Op[] {
  const begin = runOp((frame) => {
    const epochs = [...(frame.epochs ?? runtime.chart.counted.map(() => 0))];
    epochs[node.epochSlot] = epochOf(frame, node) + 1;
    frame.epochs = epochs;
    if (node.invokes.length > 0) frame.touched = true;
  });
  return [
    begin,
    ...node.afters.map((after) => armTimer(runtime, node, after)),
    ...node.invokes.map((invoke) => startInvoke(node, invoke)),
  ];
}

function armTimer(runtime: Runtime, node: Node, { id, delay, event, path }: After): Op {
  return runOp((frame) => {
    const milliseconds = delayOf(runtime, delay, frame, undefined, path) ?? 0;
    frame.effects.push({
      type: 'after',
      id,
      node: node.id,
      epoch: epochOf(frame, node),
      delay: milliseconds,
      event,
    });
  });
}

function startInvoke(node: Node, { id, src, input, systemId }: Invoke): Op {
  return runOp((frame) => {
    const value = input === undefined ? undefined : evaluate(input.value, frame, undefined, input.path);
    const effect = {
      type: 'invoke' as const,
      id,
      src,
      input: value,
      node: node.id,
      epoch: epochOf(frame, node),
    };
    frame.effects.push(systemId === undefined ? effect : { ...effect, systemId });
  });
}

/** Disarms the timers of a stay that ends. */
export function cancelTimers(node: Node): Op[] {
  return node.afters.map(({ id }) => effectOp({ type: 'cancel', id }));
}

/** Ends the activities of a stay that ends. */
export function stopInvokes(node: Node): Op[] {
  return node.invokes.map(({ id }) =>
    runOp((frame) => {
      frame.touched = true;
      frame.effects.push({ type: 'stop', id, node: node.id, epoch: epochOf(frame, node) });
    }),
  );
}

function epochOf(frame: Frame, node: Node): number {
  return frame.epochs?.[node.epochSlot] ?? 0;
}
