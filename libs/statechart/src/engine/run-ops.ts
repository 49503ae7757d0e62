import type { Frame, Op } from './op.js';

export function runOps(ops: readonly Op[], frame: Frame): void {
  for (const op of ops) {
    if (op.run === null) frame.effects.push(op.effect);
    else op.run(frame);
  }
}
