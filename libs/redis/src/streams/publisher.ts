import {
  FrameTooLargeError,
  PartitionFullError,
  PeerLostError,
  TransportClosedError,
} from '@nestjs-orchestrator/core';
import type { Clock, Endpoint } from '@nestjs-orchestrator/core/ports';
import { type ClusterKeys, partitionOf } from './cluster-keys.js';
import { checkName } from './directory.js';
import type { StreamSettings } from './options.js';
import type { Pipe } from './pipe.js';
import { appendScript, appendToInboxScript } from './scripts.js';
import { type Outgoing, StreamWriter } from './stream-writer.js';

/** Somebody who waits for room in front of an inbox. */
interface Waiting {
  readonly frame: Uint8Array;
  readonly go: () => void;
  readonly fail: (error: Error) => void;
}

interface Target {
  readonly writer: StreamWriter;
  readonly waiting: Waiting[];
}

/** What leaves this endpoint: frames to inboxes of others, and frames to partitions. */
export class Publisher {
  private readonly inboxes = new Map<string, Target>();
  private readonly partitions = new Map<number, StreamWriter>();
  private closed = false;
  sent = 0;
  bytes = 0;
  refused = 0;

  constructor(
    private readonly cluster: string,
    private readonly self: Endpoint,
    private readonly keys: ClusterKeys,
    private readonly pipe: Pipe,
    private readonly clock: Clock,
    private readonly settings: StreamSettings,
    /** Whether frames to it make sense. */
    private readonly lives: (endpoint: Endpoint) => boolean,
    /** The server lets no frames to it in; they wait, and are tried again. */
    private readonly troubled: (endpoint: Endpoint, error: Error) => void,
  ) {}

  get waiting(): number {
    return [...this.inboxes.values()].reduce((sum, { waiting }) => sum + waiting.length, 0);
  }

  trySend(to: Endpoint, frame: Uint8Array): boolean {
    this.check(frame);
    const target = this.targetOf(to);
    if (target.waiting.length === 0 && target.writer.pending < this.settings.maxPending) {
      this.push(target, frame);
      return true;
    }
    this.refused += 1;
    return false;
  }

  async send(to: Endpoint, frame: Uint8Array, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.check(frame);
    const target = this.targetOf(to);
    if (target.waiting.length === 0 && target.writer.pending < this.settings.maxPending) {
      this.push(target, frame);
      return;
    }
    this.refused += 1;
    await new Promise<void>((resolve, reject) => {
      const fail = (error: Error): void => settle(() => reject(error));
      const waiting: Waiting = { frame, go: () => settle(resolve), fail };
      const settle = (how: () => void): void => {
        signal?.removeEventListener('abort', onAbort);
        how();
      };
      const onAbort = (): void => {
        target.waiting.splice(target.waiting.indexOf(waiting), 1);
        settle(() => reject(signal?.reason as Error));
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      target.waiting.push(waiting);
    });
  }

  async publish(name: string, frame: Uint8Array, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    checkName(name);
    this.check(frame);
    const partition = partitionOf(name, this.settings.partitions);
    const writer = this.writerOf(partition);
    if (writer.pending >= this.settings.maxPending) throw this.full(name, partition, 'maxPending');
    await new Promise<void>((resolve, reject) => {
      const done = (): void => signal?.removeEventListener('abort', onAbort);
      const outgoing: Outgoing = {
        name,
        bytes: Buffer.from(frame),
        taken: () => {
          done();
          this.count(frame);
          resolve();
        },
        refused: (error) => {
          done();
          this.refused += 1;
          reject(error ?? this.full(name, partition, 'maxPartitionFrames'));
        },
      };
      const onAbort = (): void => {
        writer.withdraw(outgoing);
        done();
        reject(signal?.reason as Error);
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      writer.push(outgoing);
    });
  }

  /** An endpoint is gone: what waits for it goes nowhere. */
  forget(endpoint: Endpoint): void {
    const target = this.inboxes.get(endpoint.incarnation);
    if (target === undefined) return;
    this.inboxes.delete(endpoint.incarnation);
    const error = new PeerLostError(endpoint.name);
    for (const { fail } of target.waiting.splice(0)) fail(error);
    target.writer.close(error);
  }

  /** Takes nothing any more, and refuses what waits for room; what was taken still leaves. */
  refuseAll(): void {
    this.closed = true;
    for (const { waiting } of this.inboxes.values()) {
      for (const { fail } of waiting.splice(0)) fail(this.closedError());
    }
  }

  close(): void {
    this.refuseAll();
    for (const { writer } of this.inboxes.values()) writer.close(this.closedError());
    for (const writer of this.partitions.values()) writer.close(this.closedError());
  }

  private check(frame: Uint8Array): void {
    if (this.closed) throw this.closedError();
    const { maxFrameBytes } = this.settings;
    if (frame.byteLength > maxFrameBytes) {
      throw new FrameTooLargeError(frame.byteLength, maxFrameBytes, 'maxFrameBytes');
    }
  }

  private closedError(): Error {
    return new TransportClosedError(this.cluster, this.self.name);
  }

  private full(name: string, partition: number, option: 'maxPending' | 'maxPartitionFrames'): Error {
    return new PartitionFullError(name, partition, this.settings[option], option);
  }

  private push(target: Target, frame: Uint8Array): void {
    this.count(frame);
    const next = (): void => this.letIn(target);
    target.writer.push({ name: '', bytes: Buffer.from(frame), taken: next, refused: next });
  }

  private count(frame: Uint8Array): void {
    this.sent += 1;
    this.bytes += frame.byteLength;
  }

  private letIn(target: Target): void {
    while (target.waiting.length > 0 && target.writer.pending < this.settings.maxPending && !this.closed) {
      const next = target.waiting.shift() as Waiting;
      this.push(target, next.frame);
      next.go();
    }
  }

  private targetOf(endpoint: Endpoint): Target {
    const { name, incarnation } = endpoint;
    if (!this.lives(endpoint)) throw new PeerLostError(name);
    let target = this.inboxes.get(incarnation);
    if (target === undefined) {
      const stream = this.keys.inbox(incarnation, this.self.incarnation);
      const seen = this.keys.seen(stream, this.self.incarnation);
      const limit = this.settings.maxInboxFrames;
      const frames = this.keys.inboxFrames(stream);
      const troubled = (error: Error): void => this.troubled(endpoint, error);
      const way = { whenFull: 'wait', troubled } as const;
      const at = { script: appendToInboxScript, stream, seen, frames, limit, ...way };
      target = { writer: new StreamWriter(at, this.pipe, this.clock), waiting: [] };
      this.inboxes.set(incarnation, target);
    }
    return target;
  }

  private writerOf(partition: number): StreamWriter {
    let writer = this.partitions.get(partition);
    if (writer === undefined) {
      const { stream, frames } = this.keys.partition(partition);
      const seen = this.keys.seen(stream, this.self.incarnation);
      const limit = this.settings.maxPartitionFrames;
      const at = { script: appendScript, stream, seen, frames, limit, whenFull: 'refuse' } as const;
      writer = new StreamWriter(at, this.pipe, this.clock);
      this.partitions.set(partition, writer);
    }
    return writer;
  }
}
