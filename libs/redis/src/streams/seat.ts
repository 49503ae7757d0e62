import { TransportClosedError } from '@nestjs-orchestrator/core';
import type {
  Endpoint,
  FrameLetter,
  FrameReceiver,
  JoinOptions,
  LetterRange,
  NamedEntry,
  OwnedPartition,
  PartitionedSeat,
  PartitionReceiver,
  Peer,
  PeerState,
  TransportStatistics,
} from '@nestjs-orchestrator/core/ports';
import type { Connection } from '../connection/connection.js';
import { type ClusterKeys, partitionOf } from './cluster-keys.js';
import { Directory } from './directory.js';
import { Inbox } from './inbox.js';
import { lettersOf, settleLetter } from './letters.js';
import { type Member, Members } from './members.js';
import type { StreamSettings } from './options.js';
import { Ownership } from './ownership.js';
import { Pipe } from './pipe.js';
import { Publisher } from './publisher.js';
import { Reader } from './reader.js';
import { Turnstile } from './turnstile.js';

/** An endpoint's place in a cluster on Redis. */
export class RedisSeat implements PartitionedSeat {
  readonly maxFrameBytes: number;
  private readonly pipe: Pipe;
  private readonly members: Members;
  private readonly directory: Directory;
  private readonly publisher: Publisher;
  private readonly reader: Reader;
  private readonly inboxes = new Map<string, Inbox>();
  readonly closed: Promise<void>;
  private tellClosed!: () => void;
  private ownership: Ownership | undefined;
  private leaving: Promise<void> | undefined;
  private framesReceived = 0;
  private bytesReceived = 0;
  /** Others have declared this endpoint dead: what was read before is for nobody. */
  private dead = false;

  constructor(
    readonly self: Endpoint,
    private readonly options: JoinOptions,
    private readonly receiver: FrameReceiver,
    private readonly connection: Connection,
    private readonly keys: ClusterKeys,
    private readonly settings: StreamSettings,
  ) {
    const { clock, logger, cluster } = options;
    this.maxFrameBytes = settings.maxFrameBytes;
    this.closed = new Promise((resolve) => (this.tellClosed = resolve));
    this.pipe = new Pipe(connection, clock);
    this.reader = new Reader(connection, logger);
    this.directory = new Directory(connection, keys, cluster, self);
    this.members = new Members(connection, keys, self, {
      clock,
      logger,
      leaseMs: settings.leaseMs,
      listener: {
        came: (member) => this.came(member),
        changed: (member, state) => this.tell(member, state),
        left: (member) => this.left(member),
        renewed: () => this.renewed(),
        declaredDead: () => this.declaredDead(),
      },
    });
    const lives = ({ name, incarnation }: Endpoint): boolean =>
      this.members.find(incarnation)?.member.endpoint.name === name;
    const troubled = ({ name }: Endpoint, error: Error): void =>
      logger.error(`Redis takes no frames to '${name}'; they wait, and are tried again: ${error.message}`, {
        endpoint: self.name,
      });
    this.publisher = new Publisher(cluster, self, keys, this.pipe, clock, settings, lives, troubled);
  }

  /** Begins to hear and to give signs of life. */
  async begin(): Promise<void> {
    await this.members.start();
    this.members.hint();
  }

  trySend(to: Endpoint, frame: Uint8Array): boolean {
    return this.publisher.trySend(to, frame);
  }

  send(to: Endpoint, frame: Uint8Array, signal?: AbortSignal): Promise<void> {
    return this.publisher.send(to, frame, signal);
  }

  publish(name: string, frame: Uint8Array, signal?: AbortSignal): Promise<void> {
    return this.publisher.publish(name, frame, signal);
  }

  async claim(name: string, about: string): Promise<void> {
    this.assertOpen();
    await this.directory.claim(name, about);
  }

  async unclaim(name: string): Promise<void> {
    if (this.leaving === undefined) await this.directory.unclaim(name);
  }

  async locate(name: string): Promise<NamedEntry | undefined> {
    this.assertOpen();
    const entry = await this.directory.locate(name);
    if (entry !== undefined) this.members.meet(entry.endpoint);
    return entry;
  }

  async names(): Promise<readonly NamedEntry[]> {
    this.assertOpen();
    const entries = await this.directory.list();
    for (const { endpoint } of entries) this.members.meet(endpoint);
    return entries;
  }

  peers(): readonly Peer[] {
    if (this.leaving !== undefined) return [];
    return this.members.all().map(({ member, state }) => peerOf(member, state));
  }

  statistics(): TransportStatistics {
    const { publisher, framesReceived, bytesReceived } = this;
    return {
      framesSent: publisher.sent,
      framesReceived,
      bytesSent: publisher.bytes,
      bytesReceived,
      refused: publisher.refused,
      waiting: publisher.waiting,
      corrupt: 0,
      peers: this.members.all().length,
    };
  }

  partitionOf(name: string): number {
    return partitionOf(name, this.settings.partitions);
  }

  async serve(receiver: PartitionReceiver): Promise<void> {
    this.assertOpen();
    if (this.ownership !== undefined) throw new TypeError('serve() was called already.');
    const { settings } = this;
    const { clock, logger } = this.options;
    const ground = {
      receiver,
      clock,
      logger,
      pipe: this.pipe,
      window: settings.window,
      maxAttempts: settings.maxAttempts,
      retryMs: settings.retryMs,
      turnstile: new Turnstile(),
      wake: this.reader.wake.bind(this.reader),
      counted: this.counted,
      valid: () => this.members.valid,
    };
    this.ownership = new Ownership(this.connection, this.keys, this.members, this.reader, {
      partitions: settings.partitions,
      handOverMs: settings.handOverMs,
      feeds: ground,
    });
    await this.members.serve();
    await this.balance();
  }

  owned(): readonly OwnedPartition[] {
    return this.ownership?.owned() ?? [];
  }

  async ownerOf(name: string): Promise<Endpoint | undefined> {
    this.assertOpen();
    const partition = this.partitionOf(name);
    const key = this.keys.partition(partition).owner;
    const owner = await this.connection.command((client) => client.hget(key, 'node'));
    if (owner === this.self.incarnation) return this.self;
    return owner === null ? undefined : this.members.find(owner)?.member.endpoint;
  }

  async letters(limit = 100, of?: LetterRange): Promise<readonly FrameLetter[]> {
    this.assertOpen();
    return lettersOf(this.connection, this.keys, this.settings.partitions, limit, of);
  }

  async settleLetter(
    letter: Pick<FrameLetter, 'letter' | 'partition'>,
    how: 'replay' | 'discard',
  ): Promise<boolean> {
    this.assertOpen();
    return settleLetter(this.connection, this.keys, this.settings.partitions, letter, how);
  }

  giveUp(reason: string): void {
    if (this.leaving !== undefined) return;
    this.options.logger.error(`This endpoint gives its place up: ${reason}`, { endpoint: this.self.name });
    this.end(async () => {
      await this.members.leave().catch(() => undefined);
      await this.close();
    });
  }

  leave(): Promise<void> {
    this.leaving ??= this.leaveInPeace();
    return this.leaving;
  }

  private async leaveInPeace(): Promise<void> {
    this.members.serving = false;
    this.publisher.refuseAll();
    await this.ownership?.leave().catch(() => undefined);
    await this.flush();
    await this.members.leave().catch(() => undefined);
    await this.close();
  }

  /** What was taken is on the server, unless that is away. */
  private async flush(): Promise<void> {
    await this.connection
      .limited(this.pipe.flushed(), this.settings.timeoutMs, () => undefined)
      .catch(() => undefined);
  }

  private async close(): Promise<void> {
    this.members.close();
    this.publisher.close();
    this.pipe.close();
    await this.reader.close();
    this.connection.close();
    this.tellClosed();
  }

  private assertOpen(): void {
    if (this.leaving !== undefined) throw new TransportClosedError(this.options.cluster, this.self.name);
  }

  private came(member: Member): void {
    const { endpoint } = member;
    const key = this.keys.inbox(this.self.incarnation, endpoint.incarnation);
    const inbox = new Inbox(key, this.keys.inboxFrames(key), endpoint, {
      receive: (from, frame) => (this.dead ? undefined : this.receiver.onFrame(from, frame)),
      pipe: this.pipe,
      logger: this.options.logger,
      wake: this.reader.wake.bind(this.reader),
      counted: this.counted,
    });
    this.inboxes.set(endpoint.incarnation, inbox);
    this.tell(member, 'up');
    this.reader.add(inbox);
  }

  private left(member: Member): void {
    const { endpoint } = member;
    this.publisher.forget(endpoint);
    const inbox = this.inboxes.get(endpoint.incarnation);
    this.inboxes.delete(endpoint.incarnation);
    inbox?.end(() => {
      this.reader.remove(inbox);
      this.tell(member, 'lost');
    });
    if (inbox !== undefined) this.reader.interrupt(inbox);
  }

  private tell(member: Member, state: PeerState): void {
    try {
      this.receiver.onPeer(peerOf(member, state));
    } catch (error) {
      this.options.logger.error('A receiver of frames failed', { error: String(error) });
    }
  }

  private renewed(): void {
    this.ownership?.goOn();
    void this.balance();
    void this.look();
  }

  private async look(): Promise<void> {
    if (this.leaving !== undefined) return;
    try {
      const { length } = await this.reader.overtaken();
      if (length > 0) this.giveUp(`Redis has forgotten what was read already from ${length} of its streams`);
    } catch (error) {
      this.options.logger.debug('The streams could not be looked at; tried again', { error: String(error) });
    }
  }

  private async balance(): Promise<void> {
    if (this.leaving !== undefined) return;
    try {
      await this.ownership?.balance();
    } catch (error) {
      this.options.logger.warn('Partitions could not be balanced; tried again', { error: String(error) });
    }
  }

  /** The lease was over for too long: others may have everything by now, so this place is given up. */
  private declaredDead(): void {
    if (this.leaving !== undefined) return;
    this.options.logger.error(
      'This endpoint gave no sign of life in time and was declared dead: its place is gone',
      {
        endpoint: this.self.name,
        leaseMs: this.settings.leaseMs,
      },
    );
    this.end(() => this.close());
  }

  /** Nothing of what is under way goes on here. */
  private end(close: () => Promise<void>): void {
    this.dead = true;
    this.ownership?.loseAll();
    const members = this.members.all();
    this.publisher.close();
    this.leaving = close();
    for (const { member } of members) this.tell(member, 'lost');
  }

  private readonly counted = (frame: Buffer): void => {
    this.framesReceived += 1;
    this.bytesReceived += frame.byteLength;
  };
}

function peerOf({ endpoint, pid }: Member, state: PeerState): Peer {
  return pid === 0 ? { endpoint, state } : { endpoint, state, pid };
}
