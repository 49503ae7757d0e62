import { randomUUID } from 'node:crypto';
import { systemClock, type Clock } from '@nestjs-orchestrator/core/ports';
import type { Cluster, Redis } from 'ioredis';
import type { Connection } from '../connection/connection.js';
import { listen } from '../connection/listen.js';
import { mapped } from '../connection/unavailable.js';
import { Throttle } from '@nestjs-orchestrator/core/internal';

/** How often this node tells the others of work at most. */
const INTERVAL_MS = 5;

type Kind = 'work' | 'decided';

/** Tells this process and the other nodes that there may be work, or that a message was decided about, and hears it from them. */
export class Hints {
  private readonly listeners = new Set<() => void>();
  private readonly waiting = new Set<() => void>();
  private readonly throttle: Throttle;
  /** On which it is said. */
  readonly channel: string;
  /** Marks what this process says, since it has told its own listeners itself. */
  private readonly self = randomUUID();
  private subscriber: Redis | Cluster | null = null;

  constructor(
    private readonly connection: Connection,
    prefix: string,
    clock: Pick<Clock, 'schedule'> = systemClock,
  ) {
    this.channel = `${prefix}:hints`;
    this.throttle = new Throttle(clock, INTERVAL_MS, () => this.say('work'));
  }

  async start(): Promise<void> {
    if (this.subscriber !== null) return;
    const subscriber = this.connection.another();
    this.subscriber = subscriber;
    try {
      const heard = listen(subscriber, this.channel, {
        message: (text) => this.heard(text),
        again: () => {
          this.tellOwn();
          this.wakeOwn();
        },
      });
      await this.connection.limited(heard, this.connection.timeoutMs, () => undefined);
    } catch (error) {
      this.subscriber = null;
      subscriber.disconnect();
      throw mapped(error);
    }
  }

  stop(): void {
    this.throttle.cancel();
    this.listeners.clear();
    this.subscriber?.disconnect();
    this.subscriber = null;
    this.wakeOwn();
  }

  add(listener: () => void): () => void {
    // An entry of its own, so that one function given twice is called twice and taken back once.
    const entry = (): void => listener();
    this.listeners.add(entry);
    return () => void this.listeners.delete(entry);
  }

  /** After a commit that left work to others. */
  tell(): void {
    this.tellOwn();
    this.throttle.call();
  }

  /** After a decision that somebody waits for. */
  tellDecided(): void {
    this.wakeOwn();
    this.say('decided');
  }

  /** Calls back once, when the next decision is told of. */
  onDecided(listener: () => void): () => void {
    const entry = (): void => listener();
    this.waiting.add(entry);
    return () => void this.waiting.delete(entry);
  }

  private say(kind: Kind): void {
    // A hint that is lost costs a claim that comes later; that the server is gone is told by whoever needs it.
    void this.connection
      .command((client) => client.publish(this.channel, `${kind} ${this.self}`))
      .catch(() => undefined);
  }

  private heard(text: string): void {
    const [kind, from] = text.split(' ');
    if (from === this.self) return;
    if (kind === 'decided') this.wakeOwn();
    else this.tellOwn();
  }

  private wakeOwn(): void {
    const all = [...this.waiting];
    this.waiting.clear();
    for (const each of all) each();
  }

  private tellOwn(): void {
    for (const listener of this.listeners) {
      // A turn later: the caller of the store gets its answer before its listeners act on it.
      queueMicrotask(() => {
        if (this.listeners.has(listener)) listener();
      });
    }
  }
}
