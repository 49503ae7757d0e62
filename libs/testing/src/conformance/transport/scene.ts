import { silentLogger, systemClock, type TransportSeat } from '@nestjs-orchestrator/core/ports';
import { arrives, PATIENCE_MS } from '../gates.js';
import type { OpenedTransport, SmallRegistries, TransportHarness } from './harness.js';
import { Post } from './post.js';

/** An endpoint of a case, and what came in there. */
export interface Member {
  readonly seat: TransportSeat;
  readonly post: Post;
}

/** So many patiences has a whole case. */
const PATIENCES = 5;

/** What a case is played with. */
export class Scene {
  private readonly seats: TransportSeat[] = [];

  constructor(
    readonly opened: OpenedTransport,
    private readonly patienceMs: number,
  ) {}

  async join(endpoint: string, cluster = this.opened.clusters[0]): Promise<Member> {
    const post = new Post(this.patienceMs);
    const seat = await this.opened
      .transport()
      .join({ cluster, endpoint, clock: systemClock, logger: silentLogger }, post);
    this.seats.push(seat);
    return { seat, post };
  }

  /** Two endpoints that know of each other. */
  async pair(): Promise<readonly [Member, Member]> {
    const one = await this.join('one');
    const two = await this.join('two');
    await acquainted(one, two);
    return [one, two];
  }

  /** Awaits what must come. */
  arrives<T>(event: Promise<T>, about: string, times = 1): Promise<T> {
    return arrives(event, about, this.patienceMs * times);
  }

  async end(): Promise<void> {
    for (const seat of this.seats) await seat.leave();
    await this.opened.close();
  }
}

/** Each has the other among its peers. */
export async function acquainted(...members: readonly Member[]): Promise<void> {
  for (const one of members) {
    for (const other of members) {
      if (one === other) continue;
      const knows = (): boolean =>
        one.seat.peers().some(({ endpoint }) => endpoint.incarnation === other.seat.self.incarnation);
      await one.post.until(knows, () => `'${one.seat.self.name}' to see '${other.seat.self.name}'`);
    }
  }
}

/** A sentence of the contract, and how it is tried. */
export interface Draft {
  readonly name: string;
  readonly play: (scene: Scene) => Promise<void>;
  /** What it needs of the transport. */
  readonly needs?: 'kill' | 'stall';
  readonly small?: SmallRegistries;
}

export async function playOut(harness: TransportHarness, draft: Draft): Promise<void> {
  const scene = new Scene(await harness.open(draft.small), harness.patienceMs ?? PATIENCE_MS);
  try {
    await scene.arrives(draft.play(scene), draft.name, PATIENCES);
  } finally {
    await scene.end();
  }
}
