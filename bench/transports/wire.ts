import type { Transport } from '@nestjs-orchestrator/core/ports';
import { redisStreams } from '@nestjs-orchestrator/redis';
import { namedPipe, sharedMemory } from '@nestjs-orchestrator/transports';
import { Redis } from 'ioredis';

/** How two processes talk: who carries, and through which interface. */
export interface WireName {
  /** `port`: frames; `partitions`: frames that wait on a server for whoever owns their name; `orchestrator`: machines; `nest`: a strategy and a client of microservices; `ipc` and `message-port`: Node's own. */
  readonly face: 'port' | 'partitions' | 'orchestrator' | 'nest' | 'ipc' | 'message-port';
  readonly carrier: string;
}

/** What a process of the benchmark is told. */
export interface PeerOrder extends WireName {
  /** Its place among the receivers. */
  readonly index: number;
  /** Of the servers that were started. */
  readonly addresses: Addresses;
  /** Folder of sockets, prefix of keys: one for each contest. Ports, where they are needed: one for each receiver. */
  readonly folder: string;
  readonly scope: string;
  readonly ports: readonly number[];
}

/** Where the servers are that were started for the run. */
export interface Addresses {
  readonly redis: string;
  /** With an append-only file. */
  readonly lastingRedis: string;
  readonly nats: string;
  readonly rabbitmq: string;
}

/** An event: its text as JSON has so many bytes. */
export interface Item {
  readonly number: number;
  readonly text: string;
}

/** The sending end. */
export interface Sender {
  /** Hands an event over; a promise where the sender has to wait. */
  emit(to: number, item: Item): void | Promise<unknown>;
  /** Sends something and settles when it came back. */
  ask(to: number, item: Item): Promise<Item>;
  close(): Promise<unknown>;
}

/** What a receiving end does. */
export interface Received {
  onEvent(item: Item): void;
}

export const receiverName = (index: number): string => `receiver-${index}`;

export function itemOf(number: number, bytes: number): Item {
  const empty = JSON.stringify({ number: 1_000_000, text: '' }).length;
  return { number: 1_000_000 + number, text: 'x'.repeat(Math.max(0, bytes - empty)) };
}

/** One of ours. */
export function ourTransport({ carrier, folder, scope, addresses }: PeerOrder): Transport {
  // A frame of 64 kB has to fit.
  if (carrier === 'shared-memory') return sharedMemory({ directory: folder, laneBytes: 1_048_576 });
  if (carrier === 'named-pipe') return namedPipe({ directory: folder });
  // Only to be copied: nothing of it stays behind.
  return redisStreams(new Redis(addresses.redis, { lazyConnect: true }), { prefix: scope });
}
