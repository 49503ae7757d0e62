import type { Cancellable, Clock } from '@nestjs-orchestrator/core/ports';
import type { OwnPgClient } from '../database/client.js';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;

/** What is done with a connection that listens. */
export interface ListeningHandlers {
  heard(payload: string): void;
  /** Connected, for the first time or again: what was said meanwhile is lost. */
  connected(): void;
}

/** Keeps one connection that listens to a channel; connects again after ever longer pauses when it breaks. */
export class Listening {
  private client: OwnPgClient | null = null;
  private pause: Cancellable | null = null;
  private failures = 0;
  private open = false;
  private saying = false;
  private next: string | null = null;
  private readonly ended = new WeakSet<OwnPgClient>();

  constructor(
    private readonly connect: () => OwnPgClient,
    private readonly channel: string,
    private readonly clock: Pick<Clock, 'schedule'>,
    private readonly handlers: ListeningHandlers,
  ) {}

  async start(): Promise<void> {
    this.open = true;
    await this.tryOnce();
  }

  async stop(): Promise<void> {
    this.open = false;
    this.pause?.cancel();
    const { client } = this;
    this.client = null;
    await client?.end().catch(() => undefined);
  }

  /** Says something on the channel; nothing is said while there is no connection. What comes while it is being said is said once more, after it. */
  async say(payload: string): Promise<void> {
    this.next = payload;
    if (this.saying) return;
    this.saying = true;
    for (let words: string | null = payload; words !== null; words = this.next) {
      this.next = null;
      const query = { name: '', text: 'SELECT pg_notify($1, $2)', values: [this.channel, words] };
      // A hint that is lost costs a poll; that the connection broke is told by its event.
      await this.client?.query(query).catch(() => undefined);
    }
    this.saying = false;
  }

  private async tryOnce(): Promise<void> {
    let client: OwnPgClient | null = null;
    try {
      client = this.connect();
      this.watch(client);
      await client.connect();
      await client.query(`LISTEN "${this.channel}"`);
    } catch {
      await this.failed(client);
      return;
    }
    if (!this.open) return client.end().catch(() => undefined);
    // It broke between the answer and now: it tells so only once.
    if (this.ended.has(client)) return this.failed(client);
    this.client = client;
    this.failures = 0;
    this.handlers.connected();
  }

  private watch(client: OwnPgClient): void {
    client.on('notification', ({ payload }) => this.handlers.heard(payload ?? ''));
    client.on('error', () => this.lost(client));
    client.on('end', () => this.lost(client));
  }

  private lost(client: OwnPgClient): void {
    this.ended.add(client);
    if (this.client !== client) return;
    this.client = null;
    void this.failed(client);
  }

  private async failed(client: OwnPgClient | null): Promise<void> {
    if (this.open) {
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(this.failures, 20), LONGEST_PAUSE_MS);
      this.failures += 1;
      this.pause = this.clock.schedule(pauseMs, () => void this.tryOnce());
    }
    await client?.end().catch(() => undefined);
  }
}
