import {
  assign,
  defineMachine,
  type MachineAddress,
  type OrchestratedContext,
} from '@nestjs-orchestrator/core';

interface Data {
  readonly entries: readonly unknown[];
}

/** Takes notes of what it is sent; tells, asks and ends. */
export const ledger = defineMachine({
  id: 'ledger',
  initial: 'open',
  context: { entries: [] },
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
        PASS_ON: { actions: 'passOn' },
        ASK: { actions: 'ask' },
        CLOSE: 'closed',
      },
    },
    closed: { type: 'final' },
  },
});

type Context = OrchestratedContext<typeof ledger>;

interface Errand {
  readonly to: MachineAddress;
  readonly entry: unknown;
}

const errandOf = (ctx: Context): Errand => ctx.event as unknown as Errand;

export const ledgerActions = {
  read: (ctx: Context) => ctx.reply((ctx.data as unknown as Data).entries.length),
  passOn: (ctx: Context) => ctx.send(errandOf(ctx).to, { type: 'NOTE', entry: errandOf(ctx).entry }),
  ask: async (ctx: Context) => ctx.reply((await ctx.request(errandOf(ctx).to, { type: 'READ' })).reply),
};

export function entriesOf(snapshot: { readonly context: unknown }): readonly unknown[] {
  return (snapshot.context as Data).entries;
}
