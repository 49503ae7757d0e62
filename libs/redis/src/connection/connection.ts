import { StoreUnavailableError } from '@nestjs-orchestrator/core';
import { systemClock, type Clock } from '@nestjs-orchestrator/core/ports';
import type { Cluster, Redis } from 'ioredis';
import { connect, ownClient } from './own-client.js';
import { joint } from './joint.js';
import { refusal } from './refused.js';
import type { Call } from './script.js';
import { mapped } from './unavailable.js';

const PAUSE_MS = 50;

type Reply = readonly [error: Error | null, result?: unknown];

/**
 * The store's own connection, made like the caller's: it fails at once where that one would wait, and never sends a script a second time
 * by itself.
 */
export class Connection {
  private client: Redis | Cluster | null = null;
  private readonly onConnected: (() => void)[] = [];
  /** The connection that was given up last: all calls that wait for its server find it too late, one after the other. */
  private givenUp: Redis['stream'] | null = null;

  constructor(
    private readonly original: Redis | Cluster,
    readonly timeoutMs: number,
    private readonly clock: Pick<Clock, 'schedule'> = systemClock,
  ) {}

  /** Connects, if it isn't yet. */
  async open(): Promise<void> {
    if (this.client !== null) return this.ping();
    const client = ownClient(this.original);
    let reason: unknown;
    client.on('error', (error: unknown) => void (reason = error));
    try {
      await this.inTime(connect(client));
      client.on('ready', () => this.onConnected.forEach((listener) => listener()));
      this.client = client;
    } catch (error) {
      client.disconnect();
      // The client says that it was closed; why, it says by an event.
      const why = reason ?? error;
      throw refusal(why) ?? mapped(why);
    }
  }

  close(): void {
    this.client?.disconnect();
    this.client = null;
  }

  /** Calls back whenever it is connected again: to a server that may have lost something, or to another one. */
  connectedAgain(listener: () => void): void {
    this.onConnected.push(listener);
  }

  get isCluster(): boolean {
    const { isCluster } = this.original as { readonly isCluster: boolean };
    return isCluster;
  }

  /** Settles a little later, as long as one waits before one tries again. */
  pause(): Promise<void> {
    return new Promise((resolve) => void this.clock.schedule(PAUSE_MS, resolve));
  }

  /** Another connection of the same kind, for whoever wants to listen. */
  another(): Redis | Cluster {
    return ownClient(this.original);
  }

  async ping(): Promise<void> {
    await this.command((client) => client.ping());
  }

  /** The clock of a server, in milliseconds since the epoch. */
  async time(): Promise<number> {
    const [seconds, micros] = await this.command((client) => client.time());
    return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
  }

  /** Runs a command, or several. */
  async command<T>(work: (client: Redis | Cluster) => Promise<T>): Promise<T> {
    try {
      return await this.inTime(work(this.opened()));
    } catch (error) {
      throw mapped(error);
    }
  }

  /** Runs one script. */
  async run(call: Call): Promise<unknown> {
    const [answer] = await this.runAll([call]);
    if (answer instanceof Error) throw answer;
    return answer;
  }

  /** Runs scripts at once, each alone: one answer or `Error` per call, in order. Rejects if the server can't be reached. */
  async runAll(calls: readonly Call[]): Promise<readonly unknown[]> {
    const sent = joint(calls, ({ keys }) => (this.isCluster ? tagOf(keys[0] ?? '') : ''));
    const replies: unknown[] = sent.calls.map(() => undefined);
    const groups = this.groups(sent.calls);
    await Promise.all(groups.map((places) => this.runGroup(sent.calls, places, replies)));
    const answers = sent.answersOf(replies);
    const lost = answers.find((answer) => answer instanceof StoreUnavailableError);
    if (lost !== undefined) throw lost;
    return answers;
  }

  /** Which calls may go together: all of them, or on a cluster those of one slot. */
  private groups(calls: readonly Call[]): readonly (readonly number[])[] {
    if (calls.length === 0) return [];
    if (!this.isCluster) return [calls.map((_, place) => place)];
    const bySlot = new Map<string, number[]>();
    calls.forEach(({ keys }, place) => {
      const tag = tagOf(keys[0] ?? '');
      const group = bySlot.get(tag);
      if (group === undefined) bySlot.set(tag, [place]);
      else group.push(place);
    });
    return [...bySlot.values()];
  }

  private async runGroup(
    calls: readonly Call[],
    places: readonly number[],
    answers: unknown[],
  ): Promise<void> {
    const picked = places.flatMap((place) => calls[place] ?? []);
    const replies = await this.pipelined(picked, 'sha');
    const unknown: number[] = [];
    replies.forEach((reply, n) => {
      const place = places[n] ?? 0;
      if (reply[0]?.message.startsWith('NOSCRIPT') === true) unknown.push(place);
      else answers[place] = answerOf(reply);
    });
    const [first, ...others] = unknown;
    if (first === undefined) return;
    // The whole text once; then the server knows it by its hash.
    const call = calls[first];
    const [reply] = call === undefined ? [] : await this.pipelined([call], 'source');
    if (reply !== undefined) answers[first] = answerOf(reply);
    if (others.length > 0) await this.runGroup(calls, others, answers);
  }

  private async pipelined(calls: readonly Call[], how: 'sha' | 'source'): Promise<readonly Reply[]> {
    return this.command(async (client) => {
      const pipeline = client.pipeline();
      for (const { script, keys, args } of calls) {
        if (how === 'sha') pipeline.evalsha(script.sha, keys.length, ...keys, ...args);
        else pipeline.eval(script.source, keys.length, ...keys, ...args);
      }
      return (await pipeline.exec()) ?? [];
    });
  }

  private opened(): Redis | Cluster {
    if (this.client !== null) return this.client;
    throw new StoreUnavailableError(
      'The store is not connected to Redis: `start()` it first, and use it until `close()`.',
    );
  }

  /** A server that hangs is as good as none; its connection is made anew. */
  private inTime<T>(answer: Promise<T>): Promise<T> {
    return this.limited(answer, this.timeoutMs, () => this.giveUp());
  }

  private giveUp(): void {
    if (this.client === null || this.client.isCluster) return;
    const client = this.client as Redis;
    if (client.stream === this.givenUp) return;
    this.givenUp = client.stream;
    client.disconnect(true);
  }

  /** The answer, or an error when it takes longer than that. What has come while this process stood still counts: it is looked at first. */
  async limited<T>(answer: Promise<T>, limitMs: number, tooLate: () => void): Promise<T> {
    let late: { cancel(): void } | undefined;
    const timeout = new Promise<never>((_, reject) => {
      const giveUp = (): void => {
        reject(new StoreUnavailableError(`Redis did not answer within ${limitMs} ms.`));
        tooLate();
      };
      // Timers that are over come before what has come in, and a new one after it.
      late = this.clock.schedule(limitMs, () => (late = this.clock.schedule(0, giveUp)));
    });
    try {
      return await Promise.race([answer, timeout]);
    } finally {
      late?.cancel();
    }
  }
}

/** What stands in the braces of a key and decides its slot. */
export function tagOf(key: string): string {
  return key.slice(key.indexOf('{') + 1, key.indexOf('}'));
}

function answerOf([error, result]: Reply): unknown {
  return error === null ? result : mapped(error);
}
