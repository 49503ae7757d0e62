import { memoryNetwork, memoryTransport } from '@nestjs-orchestrator/core/memory';
import type { FrameReceiver, JoinOptions, Transport, TransportSeat } from '@nestjs-orchestrator/core/ports';
import { transportConformance } from '@nestjs-orchestrator/testing';
import { describe, expect, it } from 'vitest';

/** What a transport does wrong: at its receivers, at its seats, or when it joins. */
interface Fault {
  readonly receiver?: (receiver: FrameReceiver) => Partial<FrameReceiver>;
  readonly seat?: (seat: TransportSeat) => Partial<TransportSeat>;
  readonly join?: (options: JoinOptions) => Partial<JoinOptions>;
}

function withMethods<T extends object>(of: T, methods: Partial<T>): T {
  return new Proxy(of, {
    get: (target, name) => {
      const value: unknown = Reflect.get(methods, name) ?? Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

function broken(transport: Transport, { receiver, seat, join }: Fault): Transport {
  return {
    type: transport.type,
    async join(options, given) {
      const heard = receiver === undefined ? given : withMethods(given, receiver(given));
      const joined = await transport.join({ ...options, ...join?.(options) }, heard);
      return seat === undefined ? joined : withMethods(joined, seat(joined));
    },
  };
}

/** The cases in which a transport with this fault is found out. */
async function failures(fault: Fault): Promise<readonly string[]> {
  const cases = transportConformance(
    {
      async open(small) {
        const network = memoryNetwork(
          small === undefined ? {} : { maxEndpoints: small.endpoints, maxNames: small.names },
        );
        return {
          clusters: ['a', 'b'],
          transport: () => broken(memoryTransport(network), fault),
          kill: async ({ self }) => network.lose(self),
          stall: async ({ self }) => network.stall(self),
          resume: async ({ self }) => network.resume(self),
          async close() {},
        };
      },
      patienceMs: 100,
    },
    { kill: true, stall: true },
  );
  const found: string[] = [];
  for (const { name, run } of cases) {
    await run().catch(() => found.push(name));
  }
  return found;
}

let count = 0;

const faults: readonly { readonly what: string; readonly found: string; readonly fault: Fault }[] = [
  {
    what: 'hands the last frame over once more',
    found: 'hands each frame over once',
    fault: {
      receiver: (to) => ({
        onFrame: (from, frame) => {
          Promise.resolve(to.onFrame(from, frame)).catch(() => {});
          return to.onFrame(from, frame);
        },
      }),
    },
  },
  {
    what: 'loses a frame now and then',
    found: 'keeps the order',
    fault: {
      receiver: (to) => ({
        onFrame: (from, frame) => ((count += 1) % 500 === 0 ? undefined : to.onFrame(from, frame)),
      }),
    },
  },
  {
    what: 'lets large frames overtake',
    found: 'keeps the order',
    fault: {
      receiver: (to) => ({
        onFrame: (from, frame) => {
          if (frame.length > 100) return to.onFrame(from, frame);
          void Promise.resolve()
            .then(() => to.onFrame(from, frame))
            .catch(() => {});
          return undefined;
        },
      }),
    },
  },
  {
    what: 'does not wait for the promise of its receiver',
    found: 'says no when there is no room',
    fault: {
      receiver: (to) => ({
        onFrame: (from, frame) => {
          Promise.resolve(to.onFrame(from, frame)).catch(() => {});
        },
      }),
    },
  },
  {
    what: 'lets trySend pass those that wait',
    found: 'first come, first served',
    fault: { seat: (seat) => ({ trySend: (to, frame) => seat.trySend(to, frame) || frame.length === 0 }) },
  },
  {
    what: 'ignores the signal',
    found: 'withdraws a frame',
    fault: { seat: (seat) => ({ send: (to, frame) => seat.send(to, frame) }) },
  },
  {
    what: 'hands over one and the same buffer',
    found: 'bytes to keep',
    fault: {
      receiver: (to) => {
        const buffer = new Uint8Array(70_000);
        return {
          onFrame: (from, frame) => {
            buffer.set(frame);
            return to.onFrame(from, buffer.subarray(0, frame.length));
          },
        };
      },
    },
  },
  {
    what: 'tells nobody that an endpoint is lost',
    found: 'tells of an endpoint that leaves',
    fault: {
      receiver: (to) => ({ onPeer: (peer) => (peer.state === 'lost' ? undefined : to.onPeer(peer)) }),
    },
  },
  {
    what: 'says that one is lost before its last frames',
    found: 'after the last of its frames',
    fault: {
      receiver: (to) => ({
        onFrame: (from, frame) => {
          if (frame[3] === 49) to.onPeer({ endpoint: from, state: 'lost' });
          return to.onFrame(from, frame);
        },
      }),
    },
  },
  {
    what: 'takes one that stands still for dead',
    found: 'suspects an endpoint',
    fault: {
      receiver: (to) => ({
        onPeer: (peer) => to.onPeer(peer.state === 'suspect' ? { ...peer, state: 'lost' } : peer),
      }),
    },
  },
  {
    what: 'puts all clusters together',
    found: 'keeps clusters apart',
    fault: { join: () => ({ cluster: 'a' }) },
  },
  {
    what: 'gives a name to whoever asks',
    found: 'at the same time',
    fault: { seat: (seat) => ({ claim: (name, about) => seat.claim(name, about).catch(() => {}) }) },
  },
  {
    what: 'forgets what was said about a name',
    found: 'finds a name at its holder',
    fault: { seat: (seat) => ({ claim: (name) => seat.claim(name, '') }) },
  },
  {
    what: 'keeps names that were given back',
    found: 'frees a name',
    fault: { seat: () => ({ unclaim: async () => {} }) },
  },
  {
    what: 'gives names of endpoints before it knows these',
    found: 'knows whoever a name tells of',
    fault: {
      seat: (seat) => ({
        peers: () => seat.peers().filter(({ endpoint }) => endpoint.name !== 'newcomer-5'),
      }),
    },
  },
  {
    what: 'cuts frames that are too large',
    found: 'above the largest size',
    fault: {
      seat: (seat) => ({
        trySend: (to, frame) => seat.trySend(to, frame.subarray(0, seat.maxFrameBytes)),
        send: (to, frame, signal) => seat.send(to, frame.subarray(0, seat.maxFrameBytes), signal),
      }),
    },
  },
  {
    what: 'swallows what is sent to nobody',
    found: 'refuses endpoints',
    fault: {
      seat: (seat) => ({ send: (to, frame, signal) => seat.send(to, frame, signal).catch(() => {}) }),
    },
  },
];

/** A network whose frames and news are on the way for so many turns of the event loop. */
function lateNetwork(turns: number) {
  const after = (left: number, task: () => void): void => {
    if (left === 0) task();
    else setImmediate(() => after(left - 1, task));
  };
  return memoryNetwork({
    scheduler: { soon: (task) => after(turns, task), nextTurn: (task) => void setImmediate(task) },
  });
}

describe('the conformance suite of transports', () => {
  it.each(faults)('finds a transport out that $what', async ({ fault, found }) => {
    expect((await failures(fault)).join('\n')).toContain(found);
  });

  // Where a lane is full its cases wait 20 turns for room.
  it.each([1, 18, 19, 20, 21, 22, 60])(
    'finds nothing wrong with a transport that takes %i turns to hand over',
    async (turns) => {
      const open = async () => {
        const network = lateNetwork(turns);
        return { clusters: ['a', 'b'] as const, transport: () => memoryTransport(network), async close() {} };
      };
      const cases = transportConformance({ open }).filter(({ name }) => /\b(room|waits?)\b/.test(name));
      expect(cases).toHaveLength(4);
      for (const { run } of cases) await expect(run()).resolves.toBeUndefined();
    },
  );
});
