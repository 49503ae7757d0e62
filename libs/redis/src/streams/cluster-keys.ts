import { joined } from '../naming/encode.js';

/**
 * Tags over which the partitions of a cluster are spread. Few, since one blocking read sees one slot of a Redis cluster; enough to use all nodes of
 * one.
 */
const TAGS = 16;

/** The keys of one partition; all of them have one hash tag. */
export interface PartitionKeys {
  readonly tag: string;
  /** Stream: frames that are not done, in order. */
  readonly stream: string;
  /** String: how many frames that are. */
  readonly frames: string;
  /** Hash: whose it is, the owner epoch, and whether the last owner went in peace. */
  readonly owner: string;
  /** Hash: id of a frame → deliveries that failed, or `d`: it is done, and others of its entry are not. */
  readonly attempts: string;
  /** Stream: frames that were given up. */
  readonly letters: string;
}

/** The names of everything that a cluster of endpoints keeps in Redis. */
export class ClusterKeys {
  /** Sorted set: incarnation → when its lease is over. */
  readonly until: string;
  /** Hash: incarnation → what it said about itself. */
  readonly nodes: string;
  /** Hash: name of an endpoint → incarnation. */
  readonly endpoints: string;
  /** Hash: when the last sign of life of anybody came, and until when nobody is declared dead. */
  readonly pulse: string;
  /** Hash: name → holder and what it said. */
  readonly names: string;
  /** String: layout of the keys and how many partitions there are. */
  readonly settings: string;
  /** Channel: something has changed, look again. */
  readonly hints: string;
  private readonly ofPartitions: readonly PartitionKeys[];

  constructor(
    private readonly prefix: string,
    private readonly cluster: string,
    partitions: number,
  ) {
    const tag = `{${joined(prefix, cluster)}}:`;
    this.until = `${tag}until`;
    this.nodes = `${tag}nodes`;
    this.endpoints = `${tag}endpoints`;
    this.pulse = `${tag}pulse`;
    this.names = `${tag}names`;
    this.settings = `${tag}settings`;
    this.hints = `${tag}hints`;
    this.ofPartitions = Array.from({ length: partitions }, (_, n) => this.partitionKeys(n));
  }

  partition(number: number): PartitionKeys {
    return this.ofPartitions[number] as PartitionKeys;
  }

  /** String: number of the last frame of a sender in a stream. */
  seen(stream: string, sender: string): string {
    return `${stream}:seen:${sender}`;
  }

  /** Set: names that an incarnation holds. */
  heldBy(incarnation: string): string {
    return `{${joined(this.prefix, this.cluster)}}:held:${incarnation}`;
  }

  /** Stream: frames from one endpoint to another. */
  inbox(to: string, from: string): string {
    return `{${joined(this.prefix, this.cluster, to)}}:from:${from}`;
  }

  /** String: how many frames an inbox holds. */
  inboxFrames(inbox: string): string {
    return `${inbox}:frames`;
  }

  private partitionKeys(number: number): PartitionKeys {
    const tag = joined(this.prefix, this.cluster, `p${number % TAGS}`);
    const at = (kind: string): string => `{${tag}}:${kind}:${number}`;
    return {
      tag,
      stream: at('stream'),
      frames: at('frames'),
      owner: at('owner'),
      attempts: at('attempts'),
      letters: at('letters'),
    };
  }
}

const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;

/** Which partition a name falls into: FNV-1a over its UTF-16 units, mixed. Part of the stored format. */
export function partitionOf(name: string, partitions: number): number {
  let hash = OFFSET;
  for (let at = 0; at < name.length; at += 1) {
    const unit = name.charCodeAt(at);
    hash = Math.imul(hash ^ (unit & 0xff), PRIME);
    hash = Math.imul(hash ^ (unit >> 8), PRIME);
  }
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  return (hash >>> 0) % partitions;
}
