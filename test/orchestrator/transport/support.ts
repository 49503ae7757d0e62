import {
  assign,
  type ChannelGroup,
  createOrchestrator,
  defineMachine,
  type MachineRef,
  type OrchestratorOptions,
} from '@nestjs-orchestrator/core';
import { memoryNetwork, memoryTransport, type MemoryNetwork } from '@nestjs-orchestrator/core/memory';
import type { Endpoint, FrameReceiver, Transport, TransportSeat } from '@nestjs-orchestrator/core/ports';
import { onTestFinished } from 'vitest';
import { gate, type Gate } from '../support.js';

/** Takes notes of what it is sent. */
export const ledger = defineMachine({
  id: 'ledger',
  initial: 'open',
  context: { entries: [] as unknown[] },
  states: {
    open: {
      on: {
        ADD: {
          actions: assign({
            entries: ({ context, event }) => [
              ...(context as { entries: unknown[] }).entries,
              (event as { entry?: unknown }).entry,
            ],
          }),
        },
        COUNT: { actions: 'count' },
        HOLD: { actions: 'hold' },
        FAIL: { actions: 'fail' },
        TELL: { actions: 'tell' },
        QUESTION: { actions: 'question' },
        CLOSE: 'closed',
      },
    },
    closed: { on: { END: 'ended' } },
    ended: { type: 'final' },
  },
});

export interface LedgerHands {
  /** The action `hold` waits for it. */
  readonly hold: Gate;
  /** The action `hold` has begun. */
  readonly holding: Gate;
}

/** The ledger, with what its actions do. */
export function registerLedger(group: ChannelGroup): LedgerHands {
  const hands = { hold: gate(), holding: gate() };
  group.register(ledger, {
    actions: {
      count: (ctx) => ctx.reply((ctx.data as { entries: unknown[] }).entries.length),
      hold: async () => {
        hands.holding.open();
        await hands.hold.opened;
      },
      fail: () => {
        throw new Error('as it was told');
      },
      tell: (ctx) => {
        const { to, entries } = ctx.event as unknown as { to: string; entries: unknown[] };
        for (const entry of entries) ctx.send(to, { type: 'ADD', entry });
      },
      question: async (ctx) => {
        const { to } = ctx.event as unknown as { to: string };
        const { reply } = await ctx.request(to, { type: 'COUNT' });
        ctx.reply(reply);
      },
    },
  });
  return hands;
}

/** A process of a test: an orchestrator on a network in memory. */
export interface Member {
  readonly group: ChannelGroup;
  readonly hands: LedgerHands;
  /** Its place on the network. */
  readonly seat: TransportSeat;
  /** Frames that it has handed to the transport. */
  readonly frames: Uint8Array[];
}

export interface Stage {
  readonly network: MemoryNetwork;
  join(endpoint: string, options?: OrchestratorOptions): Promise<Member>;
}

export function stage(limits: Parameters<typeof memoryNetwork>[0] = {}): Stage {
  const network = memoryNetwork(limits);
  return {
    network,
    async join(endpoint, options = {}) {
      const watched = watching(memoryTransport(network));
      const group = await createOrchestrator({
        name: 'ledgers',
        endpoint,
        cluster: 'test',
        type: 'memory',
        transports: { memory: watched.transport },
        ...options,
      });
      onTestFinished(() => group.release());
      return { group, hands: registerLedger(group), seat: watched.seat(), frames: watched.frames };
    },
  };
}

/** A transport whose seat and frames a test can see. */
function watching(transport: Transport): {
  readonly transport: Transport;
  readonly frames: Uint8Array[];
  seat(): TransportSeat;
} {
  const frames: Uint8Array[] = [];
  let joined: TransportSeat | undefined;
  return {
    frames,
    seat: () => joined as TransportSeat,
    transport: {
      type: transport.type,
      async join(options, receiver: FrameReceiver) {
        const seat = await transport.join(options, receiver);
        joined = seat;
        return new Proxy(seat, {
          get(target, name) {
            if (name === 'trySend') {
              return (to: Endpoint, frame: Uint8Array) => {
                const taken = seat.trySend(to, frame);
                if (taken) frames.push(frame.slice());
                return taken;
              };
            }
            const value: unknown = Reflect.get(target, name);
            return typeof value === 'function' ? (value.bind(target) as unknown) : value;
          },
        });
      },
    },
  };
}

export function entriesOf(snapshot: { readonly context: unknown }): unknown[] {
  return (snapshot.context as { entries: unknown[] }).entries;
}

/** Some turns of the event loop: whatever is ready to happen between processes happens. */
export async function turns(count = 10): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** What a ledger holds when everything that was sent before is done. */
export async function entriesAt(ref: MachineRef): Promise<unknown[]> {
  return entriesOf((await ref.request({ type: 'COUNT' })).snapshot);
}

export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, number) => number);
}
