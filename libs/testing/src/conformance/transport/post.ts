import type { Endpoint, FrameReceiver, Peer, PeerState } from '@nestjs-orchestrator/core/ports';
import { arrives, gate, type Gate } from '../gates.js';

/** What came in, in order. */
export type News =
  | { readonly kind: 'frame'; readonly from: string; readonly bytes: Uint8Array }
  | { readonly kind: 'peer'; readonly endpoint: Endpoint; readonly state: PeerState };

interface Watch {
  readonly holds: () => boolean;
  readonly tell: () => void;
}

/** A receiver that keeps everything, and can be told to hold senders back. */
export class Post implements FrameReceiver {
  readonly news: News[] = [];
  private readonly watches = new Set<Watch>();
  private readonly gates = new Map<string, Gate>();

  constructor(private readonly patienceMs: number) {}

  /** Called before a frame is noted down; what it throws is what `onFrame` throws. */
  beforeFrame: (from: Endpoint, frame: Uint8Array) => void | Promise<void> = () => {};

  onFrame(from: Endpoint, frame: Uint8Array): void | Promise<void> {
    const held = this.beforeFrame(from, frame);
    this.note({ kind: 'frame', from: from.name, bytes: frame });
    return held ?? this.gates.get(from.name)?.passed;
  }

  onPeer({ endpoint, state }: Peer): void {
    this.note({ kind: 'peer', endpoint, state });
  }

  /** Every frame of this sender holds its next ones back, until the returned function is called. */
  hold(sender: string): () => void {
    const held = gate();
    this.gates.set(sender, held);
    return () => {
      this.gates.delete(sender);
      held.open();
    };
  }

  framesFrom(sender: string): Uint8Array[] {
    return this.news.flatMap((one) => (one.kind === 'frame' && one.from === sender ? [one.bytes] : []));
  }

  /** The first number of each frame of this sender. */
  numbersFrom(sender: string): number[] {
    return this.framesFrom(sender).map(numberIn);
  }

  async frames(sender: string, count: number): Promise<Uint8Array[]> {
    await this.until(
      () => this.framesFrom(sender).length >= count,
      () => `frame ${count} of '${sender}' (${this.framesFrom(sender).length} came)`,
    );
    return this.framesFrom(sender);
  }

  statesOf(endpoint: Endpoint): PeerState[] {
    return this.news.flatMap((one) =>
      one.kind === 'peer' && one.endpoint.incarnation === endpoint.incarnation ? [one.state] : [],
    );
  }

  async peer(endpoint: Endpoint, state: PeerState): Promise<void> {
    await this.until(
      () => this.statesOf(endpoint).at(-1) === state,
      () => `word that '${endpoint.name}' is ${state} (heard: ${this.statesOf(endpoint).join(', ')})`,
    );
  }

  async until(holds: () => boolean, what: () => string): Promise<void> {
    if (holds()) return;
    const { passed, open } = gate();
    const watch = { holds, tell: open };
    this.watches.add(watch);
    try {
      await arrives(passed, what(), this.patienceMs);
    } finally {
      this.watches.delete(watch);
    }
  }

  private note(one: News): void {
    this.news.push(one);
    for (const watch of this.watches) if (watch.holds()) watch.tell();
  }
}

/** A frame that begins with a number; the rest follows from it. */
export function numbered(number: number, bytes = 4): Uint8Array {
  const frame = new Uint8Array(Math.max(4, bytes));
  new DataView(frame.buffer).setUint32(0, number);
  for (let at = 4; at < frame.length; at += 1) frame[at] = (number * 31 + at) & 0xff;
  return frame;
}

export function numberIn(frame: Uint8Array): number {
  return new DataView(frame.buffer, frame.byteOffset, frame.byteLength).getUint32(0);
}
