import type { MessageType } from '../../message/message.js';
import type { Duration } from '../../message/duration.js';
import type { ErasedHandler } from '../behaviour.js';
import type { SagaContext } from '../contexts.js';

/** What handlers of steps use of their context. */
export type StepContext = SagaContext<never, unknown, Record<string, unknown>>;

/** A step, or a branch of several, with its types erased. */
export interface ErasedStep {
  readonly do?: (ctx: StepContext) => unknown;
  readonly undo?: Readonly<Record<string, (ctx: StepContext) => unknown>>;
  readonly answer: MessageType | readonly MessageType[];
  readonly onAnswer?: ErasedHandler;
  readonly failure?: MessageType | readonly MessageType[];
  readonly onFailure?: ErasedHandler;
  readonly timeout?: Duration;
}

/** One place in the row: a step, or several at the same time. */
export interface StepDraft {
  readonly state: string;
  readonly branches: readonly ErasedStep[];
  readonly parallel: boolean;
  readonly timeout: Duration | undefined;
  /** The point of no return lies right before it. */
  readonly pivot: boolean;
  /** The end to which failures lead. */
  readonly failure: string | undefined;
}

/** Message types of a field that takes one or several. */
export function messagesOf(field: MessageType | readonly MessageType[] | undefined): readonly MessageType[] {
  if (field === undefined) return [];
  return isList(field) ? field : [field];
}

function isList(field: MessageType | readonly MessageType[]): field is readonly MessageType[] {
  return Array.isArray(field);
}

/** What happens when a step begins: the undo is recorded in the commit that sends the command. */
export function beginOf({ branches, pivot }: StepDraft): ErasedHandler {
  return async (erased) => {
    const ctx = erased as unknown as StepContext;
    if (pivot) ctx.pivot();
    for (const branch of branches) {
      for (const [name, input] of Object.entries(branch.undo ?? {})) ctx.compensateWith(name, input(ctx));
      const commands = await branch.do?.(ctx);
      if (commands === undefined) continue;
      for (const command of Array.isArray(commands) ? (commands as object[]) : [commands as object])
        ctx.send(command);
    }
  };
}
