import type {
  Endpoint,
  GivenBack,
  GivenUp,
  Logger,
  OwnedPartition,
  PartitionedFrame,
  PartitionedSeat,
  PartitionLoss,
  Peer,
} from '@nestjs-orchestrator/core/ports';
import { silentLogger, systemClock } from '@nestjs-orchestrator/core/ports';
import { redisStreams, type RedisStreamsOptions } from '@nestjs-orchestrator/redis';
import { type Cluster, Redis } from 'ioredis';
import { onTestFinished } from 'vitest';

/** Something that tests wait for: settles when its condition holds, looked at after each change. */
export class Change {
  private readonly waiting = new Set<() => void>();

  now(): void {
    for (const look of this.waiting) look();
  }

  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        this.waiting.delete(look);
        resolve();
      };
      this.waiting.add(look);
      look();
    });
  }
}

/** Told of everything that comes in at any node of this file. */
const change = new Change();

type OnPartition = (
  owned: OwnedPartition,
  frame: PartitionedFrame,
) => void | Promise<void | GivenBack | GivenUp>;

/** An endpoint that notes down what comes in. */
export class Node {
  readonly frames: { readonly from: string; readonly text: string }[] = [];
  readonly handled: { readonly name: string; readonly text: string; readonly attempts: number }[] = [];
  readonly peers: string[] = [];
  readonly losses: PartitionLoss[] = [];
  /** Dead letters that it was told of. */
  letters = 0;
  readonly change = change;
  seat!: PartitionedSeat;
  /** What it does with a frame; may hold it. */
  onFrame: (from: Endpoint, text: string) => void | Promise<void> = () => undefined;
  onPartition: OnPartition = () => undefined;
  onLost: () => void | Promise<void> = () => undefined;

  constructor(readonly name: string) {}

  async join(
    redis: Redis | Cluster,
    options: RedisStreamsOptions,
    logger: Logger = silentLogger,
  ): Promise<this> {
    const transport = redisStreams(redis, options);
    this.seat = await transport.join(
      { cluster: 'shop', endpoint: this.name, clock: systemClock, logger },
      {
        onFrame: (from, frame) => {
          const text = Buffer.from(frame).toString();
          this.frames.push({ from: from.name, text });
          const held = this.onFrame(from, text);
          this.change.now();
          return held;
        },
        onPeer: (peer: Peer) => {
          this.peers.push(`${peer.endpoint.name} ${peer.state}`);
          this.change.now();
        },
      },
    );
    return this;
  }

  serve(): Promise<void> {
    return this.seat.serve({
      onGained: () => this.change.now(),
      onFrame: (owned, frame) => {
        const { name, attempts } = frame;
        this.handled.push({ name, text: Buffer.from(frame.bytes).toString(), attempts });
        const held = this.onPartition(owned, frame);
        this.change.now();
        return held;
      },
      onLetter: () => {
        this.letters += 1;
        this.change.now();
      },
      onLost: async (_owned, loss) => {
        this.losses.push(loss);
        await this.onLost();
        this.change.now();
      },
    });
  }
}

/** A client that its test closes. */
export function clientOf(url: string): Redis {
  const client = new Redis(url);
  client.on('error', () => undefined);
  onTestFinished(() => client.disconnect());
  return client;
}

/** A node that leaves when its test is over. */
export async function joined(
  name: string,
  redis: Redis | Cluster,
  options: RedisStreamsOptions,
): Promise<Node> {
  const node = await new Node(name).join(redis, options);
  onTestFinished(() => node.seat.leave());
  return node;
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
