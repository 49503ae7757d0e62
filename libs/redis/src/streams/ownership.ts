import type { OwnedPartition, PartitionLoss } from '@nestjs-orchestrator/core/ports';
import type { Connection } from '../connection/connection.js';
import type { ClusterKeys } from './cluster-keys.js';
import type { Members } from './members.js';
import { type FeedGround, PartitionFeed } from './partition-feed.js';
import { PartitionScripts } from './partition-scripts.js';
import type { Reader } from './reader.js';
import { ownersScript, takeScript } from './scripts.js';
import { type Holding, movesOf } from './share.js';

/** Which partitions this endpoint owns: takes its share, gives away what is too much, and loses what others have taken. */
export class Ownership {
  private readonly feeds = new Map<
    number,
    { readonly feed: PartitionFeed; readonly scripts: PartitionScripts }
  >();
  /** What is being taken. A look that failed in part leaves the rest of it under way: the next one takes none of that again, and waits for none of it. */
  private readonly taking = new Map<number, Promise<void>>();
  private balancing: Promise<void> | undefined;
  private again = false;
  private closed = false;

  constructor(
    private readonly connection: Connection,
    private readonly keys: ClusterKeys,
    private readonly members: Members,
    private readonly reader: Reader,
    private readonly ground: {
      readonly partitions: number;
      readonly handOverMs: number;
      readonly feeds: Omit<FeedGround, 'fenced'>;
    },
  ) {}

  owned(): readonly OwnedPartition[] {
    return [...this.feeds.values()].map(({ feed }) => feed.owned);
  }

  /** Looks at all partitions and does what is this one's part; one run at a time, the last look after the last wish. */
  balance(): Promise<void> {
    if (this.closed) return Promise.resolve();
    if (this.balancing !== undefined) {
      this.again = true;
      return this.balancing;
    }
    return (this.balancing = this.balanceAll());
  }

  /** The lease was renewed. */
  goOn(): void {
    for (const { feed } of this.feeds.values()) feed.goOn();
  }

  /** Gives everything away in peace. */
  async leave(): Promise<void> {
    this.closed = true;
    await Promise.allSettled([this.balancing, ...this.taking.values()]);
    await Promise.all([...this.feeds.keys()].map((partition) => this.release(partition)));
  }

  /** Everything is another's by now. */
  loseAll(): void {
    this.closed = true;
    for (const { feed } of [...this.feeds.values()]) this.lose(feed);
  }

  async holdings(): Promise<readonly Holding[]> {
    const byTag = new Map<string, number[]>();
    for (let partition = 0; partition < this.ground.partitions; partition += 1) {
      const { tag } = this.keys.partition(partition);
      byTag.set(tag, [...(byTag.get(tag) ?? []), partition]);
    }
    const groups = [...byTag.values()];
    const calls = groups.map((group) => ({
      script: ownersScript,
      keys: group.map((partition) => this.keys.partition(partition).owner),
      args: [],
    }));
    const answers = await this.connection.runAll(calls);
    return groups.flatMap((group, n) => this.read(group, answers[n]));
  }

  private read(group: readonly number[], answer: unknown): readonly Holding[] {
    if (answer instanceof Error) throw answer;
    const found = answer as readonly string[];
    return group.map((partition, at) => {
      const node = found[at * 2] ?? '';
      const lives = node === this.members.self.incarnation || this.members.find(node) !== undefined;
      return { partition, epoch: Number(found[at * 2 + 1]), owner: lives ? node : undefined };
    });
  }

  private async balanceAll(): Promise<void> {
    try {
      do {
        this.again = false;
        await this.balanceOnce();
      } while (this.again && !this.closed);
    } finally {
      // In the same step as the last look at what is wished: who wishes from now on begins a run of its own.
      this.balancing = undefined;
    }
  }

  private async balanceOnce(): Promise<void> {
    const { self, serves } = this.members;
    const holdings = await this.holdings();
    // Whoever leaves lets go of everything, whatever this look has found.
    if (this.closed) return;
    this.dropForeign(holdings);
    const { claim, release } = movesOf(self.incarnation, holdings, serves);
    const wanted = [...claim, ...this.unopened(holdings)];
    await Promise.all(release.map((partition) => this.release(partition)));
    await Promise.all(wanted.map((holding) => this.take(holding)));
    if (release.length > 0) this.members.hint();
  }

  private dropForeign(holdings: readonly Holding[]): void {
    for (const { partition, epoch } of holdings) {
      const feed = this.feeds.get(partition)?.feed;
      const isForeign = feed !== undefined && feed.owned.epoch !== epoch;
      if (isForeign && !this.taking.has(partition)) this.lose(feed);
    }
  }

  /** Taken by a call whose answer was lost. */
  private unopened(holdings: readonly Holding[]): readonly Holding[] {
    const { incarnation } = this.members.self;
    return holdings.filter(({ partition, owner }) => owner === incarnation && !this.feeds.has(partition));
  }

  private take(holding: Holding): Promise<void> {
    const { partition } = holding;
    if (this.closed || this.feeds.has(partition) || this.taking.has(partition)) return Promise.resolve();
    const taking = this.takeNow(holding).finally(() => this.taking.delete(partition));
    this.taking.set(partition, taking);
    return taking;
  }

  private async takeNow({ partition, epoch }: Holding): Promise<void> {
    const keys = this.keys.partition(partition);
    const call = { script: takeScript, keys: [keys.owner], args: [epoch, this.members.self.incarnation] };
    const [next = 0, orphan] = (await this.connection.run(call)) as readonly number[];
    if (next === 0) return;
    const scripts = new PartitionScripts(this.connection, keys, next);
    if (this.closed) {
      await scripts.give();
      return;
    }
    const feed = new PartitionFeed({ partition, epoch: next }, keys, scripts, {
      ...this.ground.feeds,
      fenced: (lost) => this.lose(lost),
    });
    this.feeds.set(partition, { feed, scripts });
    await this.open(feed, orphan === 1);
  }

  private async open(feed: PartitionFeed, orphan: boolean): Promise<void> {
    const { receiver, logger } = this.ground.feeds;
    const { partition } = feed.owned;
    try {
      await feed.open(orphan);
    } catch (error) {
      // Taken anew at the next look.
      if (this.feeds.get(partition)?.feed === feed) this.feeds.delete(partition);
      throw error;
    }
    // Lost meanwhile: nobody need learn that it was there.
    if (feed.closed) return;
    try {
      await receiver.onGained(feed.owned);
    } catch (error) {
      logger.error('A receiver of partitions failed', { partition, error: String(error) });
    }
    if (!feed.closed) this.reader.add(feed);
  }

  private async release(partition: number): Promise<void> {
    const held = this.feeds.get(partition);
    if (held === undefined || held.feed.closed || this.taking.has(partition)) return;
    const { feed, scripts } = held;
    this.reader.remove(feed);
    await feed.stop(this.ground.handOverMs);
    await this.tell(feed, 'handed-over');
    this.feeds.delete(partition);
    await scripts.give();
  }

  private lose(feed: PartitionFeed): void {
    const { partition } = feed.owned;
    if (this.feeds.get(partition)?.feed !== feed || feed.closed) return;
    this.reader.remove(feed);
    this.feeds.delete(partition);
    void feed.stop(0);
    void this.tell(feed, 'fenced');
  }

  private async tell(feed: PartitionFeed, loss: PartitionLoss): Promise<void> {
    const { receiver, logger } = this.ground.feeds;
    try {
      await receiver.onLost(feed.owned, loss);
    } catch (error) {
      logger.error('A receiver of partitions failed', {
        partition: feed.owned.partition,
        error: String(error),
      });
    }
  }
}
