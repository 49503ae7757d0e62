import type { DurableFrame, DurableOutcome } from './durable-frame.js';
import type { StepResult } from './durable-ground.js';
import type { DurableInstance } from './durable-instance.js';

/** Gives a machine what was sent to it; settles when its actions are done as well. */
export function handOver(
  instance: DurableInstance,
  frame: DurableFrame,
  committed?: () => void,
): Promise<StepResult> {
  if (frame.kind === 'stop') return instance.stop(committed);
  const event = frame.event ?? { type: 'xstate.init' };
  const start = frame.kind === 'start' ? { input: frame.input } : undefined;
  return instance.handle({ event, messageId: frame.messageId }, committed, start);
}

/** Answers a wait: with the machine in that state, or that it is not there yet. */
export async function reach(
  instance: DurableInstance,
  { state = '', limitMs = 0 }: DurableFrame,
): Promise<DurableOutcome> {
  const snapshot = await instance.reach(state, limitMs);
  if (snapshot === undefined) return { changed: false, duplicate: false, waiting: true };
  return { changed: false, duplicate: false, snapshot };
}
