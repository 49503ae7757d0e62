import { PeerLostError } from '../../../errors/transport-errors.js';
import type { Endpoint, TransportSeat } from '../../../ports/transport.js';
import { Hop } from './hop.js';
import { type Greeting, type Word, wordFrame } from './words.js';

/** One of the two clusters as a gateway sees it. Whoever is told anything was greeted before. */
export class Side {
  private readonly hops = new Map<string, Hop>();
  private greeting: Greeting | undefined = undefined;

  constructor(
    readonly seat: TransportSeat,
    private readonly maxQueuedBytes: number,
    /** What the process of the gateway itself is told. */
    private readonly toSelf: ((frame: Uint8Array) => void | Promise<void>) | undefined,
    private readonly failed: (frame: Uint8Array, error: unknown) => void,
  ) {}

  /** Bytes that wait for room. */
  get queued(): number {
    let bytes = 0;
    for (const hop of this.hops.values()) bytes += hop.bytes;
    return bytes;
  }

  isSelf({ incarnation }: Endpoint): boolean {
    return incarnation === this.seat.self.incarnation;
  }

  /** A process that is there now, or this one. */
  find(incarnation: string): Endpoint | undefined {
    const { self } = this.seat;
    if (incarnation === self.incarnation) return self;
    return this.seat.peers().find(({ endpoint }) => endpoint.incarnation === incarnation)?.endpoint;
  }

  /** From now on everybody is greeted, those who are there at once. */
  greetAll(greeting: Greeting): void {
    this.greeting = greeting;
    const frame = wordFrame({ kind: 'greeting', ...greeting });
    for (const hop of this.hops.values()) void hop.put(frame);
    for (const { endpoint } of this.seat.peers()) this.hopTo(endpoint);
  }

  /** Nobody is greeted any more. */
  silence(): void {
    this.greeting = undefined;
  }

  came(endpoint: Endpoint): void {
    if (this.greeting !== undefined) this.hopTo(endpoint);
  }

  lost({ incarnation }: Endpoint): void {
    this.hops.get(incarnation)?.close();
    this.hops.delete(incarnation);
  }

  tell(to: Endpoint, word: Word): void {
    void this.hand(to, wordFrame(word));
  }

  /** A promise where the sender of the frame should be held. */
  hand(to: Endpoint, frame: Uint8Array): void | Promise<void> {
    return this.isSelf(to) ? this.toSelf?.(frame) : this.hopTo(to).put(frame);
  }

  private hopTo(to: Endpoint): Hop {
    let hop = this.hops.get(to.incarnation);
    if (hop !== undefined) return hop;
    hop = new Hop(this.seat, to, this.maxQueuedBytes, (frame, error) => {
      if (error instanceof PeerLostError) this.lost(to);
      this.failed(frame, error);
    });
    this.hops.set(to.incarnation, hop);
    if (this.greeting !== undefined) void hop.put(wordFrame({ kind: 'greeting', ...this.greeting }));
    return hop;
  }
}
