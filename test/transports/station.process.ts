// One endpoint in a process of its own: sends or checks numbered frames, and says what it saw.
import { systemClock, type Endpoint, type Peer, type TransportSeat } from '@nestjs-orchestrator/core/ports';
import { namedPipe, sharedMemory } from '@nestjs-orchestrator/transports';
import { checked, faultIn } from './checked-frames.js';

const TRANSPORTS = { 'named-pipe': namedPipe, 'shared-memory': sharedMemory };

/** What the spec tells a process. */
export interface StationOrder {
  readonly name: string;
  /** Default: `test`. */
  readonly cluster?: string;
  readonly transport: keyof typeof TRANSPORTS;
  readonly options: {
    readonly directory: string;
    readonly heartbeatMs?: number;
    readonly suspectAfterBeats?: number;
  };
  /** Names that it claims. */
  readonly claims?: readonly string[];
  /** Frames that it sends to `to` as soon as that one is there. */
  readonly sends?: { readonly to: string; readonly frames: number };
  /** It says so after so many frames of one sender. */
  readonly reportAfter?: number;
}

/** What a process tells. */
export type StationWord =
  | { readonly kind: 'joined'; readonly endpoint: Endpoint; readonly refused: readonly string[] }
  | { readonly kind: 'refused'; readonly code: string }
  | { readonly kind: 'peer'; readonly peer: Peer }
  | { readonly kind: 'sent'; readonly frames: number; readonly error?: string }
  | {
      readonly kind: 'received';
      readonly from: Endpoint;
      readonly frames: number;
      readonly isLast: boolean;
      readonly fault?: string;
    };

const order = JSON.parse(process.argv[2] ?? '{}') as StationOrder;
const say = (word: StationWord): void => void process.send?.(word);
const log = (message: string): void => void process.stderr.write(`${order.name}: ${message}\n`);
const counts = new Map<string, number>();
const faults = new Map<string, string>();

const tally = (from: Endpoint, isLast: boolean): void => {
  const fault = faults.get(from.incarnation);
  say({
    kind: 'received',
    from,
    frames: counts.get(from.incarnation) ?? 0,
    isLast,
    ...(fault !== undefined && { fault }),
  });
};

async function stream(seat: TransportSeat, to: Endpoint, frames: number): Promise<void> {
  let sent = 0;
  try {
    for (; sent < frames; sent += 1) {
      const frame = checked(sent);
      if (!seat.trySend(to, frame)) await seat.send(to, frame);
    }
    say({ kind: 'sent', frames: sent });
  } catch (error) {
    say({ kind: 'sent', frames: sent, error: (error as { code?: string }).code ?? String(error) });
  }
}

async function main(): Promise<void> {
  const place: { seat?: TransportSeat } = {};
  let isStreaming = false;
  const start = (endpoint: Endpoint): void => {
    if (place.seat === undefined || isStreaming || endpoint.name !== order.sends?.to) return;
    isStreaming = true;
    void stream(place.seat, endpoint, order.sends.frames);
  };
  const seat = await TRANSPORTS[order.transport](order.options).join(
    {
      cluster: order.cluster ?? 'test',
      endpoint: order.name,
      clock: systemClock,
      logger: { debug() {}, info() {}, warn: log, error: log },
    },
    {
      onFrame(from, frame) {
        const count = counts.get(from.incarnation) ?? 0;
        const fault = faultIn(frame, count);
        if (fault !== undefined && !faults.has(from.incarnation)) faults.set(from.incarnation, fault);
        counts.set(from.incarnation, count + 1);
        if (count + 1 === order.reportAfter) tally(from, false);
      },
      onPeer(peer) {
        say({ kind: 'peer', peer });
        if (peer.state === 'lost') tally(peer.endpoint, true);
        if (peer.state === 'up') start(peer.endpoint);
      },
    },
  );
  const refused: string[] = [];
  for (const name of order.claims ?? []) {
    await seat.claim(name, order.name).catch(() => refused.push(name));
  }
  place.seat = seat;
  // The only message there is: leave.
  process.once('message', () => void seat.leave().then(() => process.disconnect()));
  say({ kind: 'joined', endpoint: seat.self, refused });
  for (const { endpoint } of seat.peers()) start(endpoint);
}

main().catch((error: unknown) => {
  say({ kind: 'refused', code: (error as { code?: string }).code ?? String(error) });
  process.disconnect();
});
