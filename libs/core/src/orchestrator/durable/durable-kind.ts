import { namesIn } from '@nestjs-orchestrator/statechart';
import type { MachineKind } from '../instance/machine-kind.js';
import { DurableLogicError } from './durable-errors.js';

/** @throws DurableLogicError where it would start children, which die with their process */
export function assertDurable(kind: MachineKind): void {
  for (const { kind: what, name } of namesIn(kind.bound)) {
    if (what === 'actor' && !('run' in kind.activity(name))) throw new DurableLogicError(kind.id, name);
  }
}
