import {
  assign,
  type ChannelGroup,
  defineMachine,
  type Machine,
  type MachineAddress,
  type MachineRef,
} from '@nestjs-orchestrator/core';
import { gate, type Gate } from '../gates.js';

export type Address = string | MachineAddress;

interface Data {
  readonly entries: readonly unknown[];
}

const BLANK: Data = { entries: [] };

/** A machine that takes notes, answers, and can be held. */
export const notebook: Machine = defineMachine({
  id: 'notebook',
  initial: 'open',
  context: BLANK,
  states: {
    open: {
      on: {
        NOTE: {
          actions: assign({
            entries: ({ context, event }) => [
              ...(context as unknown as Data).entries,
              (event as { readonly entry?: unknown }).entry,
            ],
          }),
        },
        READ: { actions: 'read' },
        HOLD: { actions: 'hold' },
        FAIL: { actions: 'fail' },
        PASS_ON: { actions: 'passOn' },
        ASK: { actions: 'ask' },
        CLOSE: 'closed',
      },
    },
    closed: { type: 'final' },
  },
});

/** What a process does with its held notebook. */
export interface NotebookHands {
  /** Opened by the action `hold` when it has begun. */
  readonly holding: Gate;
  /** What it waits for. */
  readonly release: Gate;
}

export function registerNotebook(group: ChannelGroup): NotebookHands {
  const hands = { holding: gate(), release: gate() };
  group.register(notebook, { actions: actionsOf(hands) });
  return hands;
}

function actionsOf({ holding, release }: NotebookHands): object {
  const actions: NonNullable<Parameters<ChannelGroup['register']>[1]>['actions'] = {
    read: (ctx) => ctx.reply((ctx.data as Data).entries.length),
    hold: async () => {
      holding.open();
      await release.passed;
    },
    fail: () => {
      throw new TypeError('as it was told');
    },
    passOn: (ctx) => {
      const { to, entries } = ctx.event as unknown as { readonly to: Address; readonly entries: unknown[] };
      for (const entry of entries) ctx.send(to, { type: 'NOTE', entry });
    },
    ask: async (ctx) => {
      const { to } = ctx.event as unknown as { readonly to: Address };
      const { reply } = await ctx.request(to, { type: 'READ' });
      ctx.reply(reply);
    },
  };
  return actions;
}

/** What a notebook holds when everything that was sent to it before is done. */
export async function entriesIn(ref: MachineRef): Promise<readonly unknown[]> {
  const { snapshot } = await ref.request({ type: 'READ' });
  return (snapshot.context as Data).entries;
}

/** As `entriesIn`, each as JSON, of a machine that is in this process; null: undefined. */
export async function textsIn(ref: MachineRef): Promise<readonly (string | null)[]> {
  await ref.request({ type: 'READ' });
  return (ref.snapshot().context as Data).entries.map((entry) => JSON.stringify(entry) ?? null);
}

export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, number) => number);
}
