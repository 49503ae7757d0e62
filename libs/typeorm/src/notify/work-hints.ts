import { createHash, randomUUID } from 'node:crypto';
import { systemClock, type Clock } from '@nestjs-orchestrator/core/ports';
import type { PgClient } from '../database/client.js';
import type { Database } from '../database/database.js';
import { DEFAULT_SCHEMA } from '../options.js';
import { Listening } from './listening.js';
import { Throttle } from '@nestjs-orchestrator/core/internal';

/** How often this node tells the others at most. A commit that notifies costs all commits of the server time. */
const INTERVAL_MS = 5;

/** Tells this process and the other nodes that there may be work, and hears it from them. */
export class WorkHints {
  private readonly listeners = new Set<() => void>();
  private readonly listening: Listening;
  private readonly throttle: Throttle;
  private readonly channel: string;
  /** Marks what this process says, since it has told its own listeners itself. */
  private readonly self = randomUUID();

  constructor(database: Database, clock: Clock = systemClock) {
    this.channel = channelOf(database.schema);
    this.listening = new Listening(() => database.ownClient(), this.channel, clock, {
      heard: (payload) => {
        if (payload !== this.self) this.tellOwn();
      },
      connected: () => this.tellOwn(),
    });
    this.throttle = new Throttle(clock, INTERVAL_MS, () => void this.listening.say(this.self));
  }

  start(): Promise<void> {
    return this.listening.start();
  }

  async stop(): Promise<void> {
    this.throttle.cancel();
    this.listeners.clear();
    await this.listening.stop();
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

  /** In a transaction: all nodes, this one too, hear of it when and if it commits. */
  async tellOnCommit(client: PgClient): Promise<void> {
    await client.query({ name: '', text: 'SELECT pg_notify($1, $2)', values: [this.channel, ''] });
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

/** Stores in one database that have schemas of their own don't wake each other. */
function channelOf(schema: string): string {
  if (schema === DEFAULT_SCHEMA) return 'orchestrator_work';
  return `orchestrator_work_${createHash('sha256').update(schema).digest('hex').slice(0, 12)}`;
}
