import type { Logger } from '../../../ports/logger.js';
import type { Endpoint } from '../../../ports/transport.js';
import { Fence } from './fence.js';
import type { Side } from './side.js';
import { type Data, type Greeting, type Opening, readGatewayFrame, type Word } from './words.js';

/** Processes elsewhere that are remembered. */
const MOST_NEXT = 10_000;

/** A route over this gateway. */
interface Passage {
  readonly local: Endpoint;
  readonly distributed: Endpoint;
}

/** What was carried since the gateway became active. */
export interface RelayCounters {
  framesIn: number;
  framesOut: number;
  bytesIn: number;
  bytesOut: number;
}

/** Hands frames from one cluster to the other, unread. */
export class Relay {
  readonly counters: RelayCounters = { framesIn: 0, framesOut: 0, bytesIn: 0, bytesOut: 0 };
  /** Gateways of other clusters: what comes from a former one is dropped. */
  readonly fence = new Fence();
  /** By which process the next step leads to a process elsewhere, as was last answered. */
  private readonly next = new Map<string, Endpoint>();
  private readonly passages = new Map<string, Passage>();
  private readonly former = new Set<string>();

  constructor(
    private readonly local: Side,
    private readonly distributed: Side,
    private readonly greeting: () => Greeting | undefined,
    private readonly logger: Logger,
  ) {}

  get size(): number {
    return this.passages.size;
  }

  /** A process elsewhere is reached over `next`. */
  leads(to: string, next: Endpoint): void {
    const [oldest] = this.next.keys();
    if (this.next.size >= MOST_NEXT && oldest !== undefined) this.next.delete(oldest);
    this.next.set(to, next);
  }

  /** Whether a route comes through here from that process of the own cluster. */
  carries(from: Endpoint, route: string): boolean {
    return this.passages.get(route)?.local.incarnation === from.incarnation;
  }

  /** A process of the own cluster opens a route to another one. What came through a gateway does not leave. */
  openOut(from: Endpoint, opening: Opening): void {
    const greeting = this.greeting();
    const to = this.next.get(opening.to);
    const mayLeave = opening.hops === 0 && opening.toCluster !== greeting?.cluster;
    if (greeting === undefined || to === undefined || !mayLeave || this.passages.has(opening.route)) {
      this.local.tell(from, { kind: 'close', route: opening.route });
      return;
    }
    this.passages.set(opening.route, { local: from, distributed: to });
    const limit = Math.min(opening.limit, greeting.limit);
    const origin = { cluster: greeting.cluster, endpoint: from.name };
    this.distributed.tell(to, { kind: 'open', ...opening, ...origin, hops: 1, limit });
  }

  /** A process elsewhere opens a route into the own cluster, and no further. */
  openIn(from: Endpoint, opening: Opening): void {
    const greeting = this.greeting();
    const to = this.local.find(opening.to);
    const mayEnter = opening.hops <= 1 && opening.toCluster === greeting?.cluster;
    if (greeting === undefined || to === undefined || !mayEnter || this.passages.has(opening.route)) {
      this.distributed.tell(from, { kind: 'close', route: opening.route });
      return;
    }
    this.passages.set(opening.route, { local: to, distributed: from });
    const limit = Math.min(opening.limit, greeting.limit);
    const { cluster, endpoint, hops } = opening;
    const origin = hops === 0 ? { cluster: greeting.joins, endpoint: from.name } : { cluster, endpoint };
    this.local.tell(to, { kind: 'open', ...opening, ...origin, hops: hops + 1, limit });
  }

  /** A frame of a route that does not lead over here, since a word about it was forgotten on its way, is answered by its end. */
  out(from: Endpoint, { route, whole }: Data): void | Promise<void> {
    const passage = this.passages.get(route);
    if (passage?.local.incarnation !== from.incarnation) {
      this.local.tell(from, { kind: 'close', route });
      return undefined;
    }
    this.counters.framesOut += 1;
    this.counters.bytesOut += whole.length;
    return this.distributed.hand(passage.distributed, whole);
  }

  in(from: Endpoint, { route, whole }: Data): void | Promise<void> {
    const passage = this.passages.get(route);
    if (passage?.distributed.incarnation !== from.incarnation) {
      this.distributed.tell(from, { kind: 'close', route });
      return undefined;
    }
    this.counters.framesIn += 1;
    this.counters.bytesIn += whole.length;
    return this.local.hand(passage.local, whole);
  }

  closeOut(from: Endpoint, route: string): void {
    const passage = this.passages.get(route);
    if (passage?.local.incarnation !== from.incarnation) return;
    this.passages.delete(route);
    this.distributed.tell(passage.distributed, { kind: 'close', route });
  }

  closeIn(from: Endpoint, route: string): void {
    const passage = this.passages.get(route);
    if (passage?.distributed.incarnation !== from.incarnation) return;
    this.passages.delete(route);
    this.local.tell(passage.local, { kind: 'close', route });
  }

  /** Another cluster's gateway, or a member of the distributed cluster, has said which gateway it is. */
  met(from: Endpoint, { cluster, epoch }: Extract<Word, { kind: 'greeting' }>): void {
    const before = this.fence.presentOf(cluster);
    const meeting = this.fence.meet(cluster, epoch, from.incarnation);
    if (meeting === 'stale') {
      this.distributed.tell(from, { kind: 'stale', cluster, epoch: this.fence.epochOf(cluster) });
    } else if (meeting === 'new' && before !== undefined && before !== from.incarnation) {
      this.former.add(before);
      this.endDistributed(before);
    }
  }

  /** Whether it is a gateway that another one has replaced. */
  isFormer({ incarnation }: Endpoint): boolean {
    return this.former.has(incarnation);
  }

  lostLocal({ incarnation }: Endpoint): void {
    for (const [route, passage] of this.passages) {
      if (passage.local.incarnation === incarnation) this.closeOut(passage.local, route);
    }
  }

  lostDistributed({ incarnation }: Endpoint): void {
    this.fence.lose(incarnation);
    this.former.delete(incarnation);
    this.endDistributed(incarnation);
  }

  /** This gateway is not active any more. */
  closeAll(): void {
    for (const [route, { local, distributed }] of this.passages) {
      this.local.tell(local, { kind: 'close', route });
      this.distributed.tell(distributed, { kind: 'close', route });
    }
    this.passages.clear();
    this.next.clear();
  }

  /** A frame that could not be handed on. The route it belongs to has a gap from now on, so it ends. */
  readonly failed = (frame: Uint8Array, error: unknown): void => {
    const read = readGatewayFrame(frame);
    if (read?.kind !== 'data') return;
    const passage = this.passages.get(read.route);
    if (passage === undefined) return;
    this.logger.warn(`A route over this gateway ends, since a frame can't be handed on: ${String(error)}`, {
      local: passage.local.name,
      distributed: passage.distributed.name,
    });
    this.passages.delete(read.route);
    this.local.tell(passage.local, { kind: 'close', route: read.route });
    this.distributed.tell(passage.distributed, { kind: 'close', route: read.route });
  };

  private endDistributed(incarnation: string): void {
    for (const [route, passage] of this.passages) {
      if (passage.distributed.incarnation === incarnation) this.closeIn(passage.distributed, route);
    }
    for (const [to, next] of this.next) if (next.incarnation === incarnation) this.next.delete(to);
  }
}
