import type { Cluster, Redis } from 'ioredis';
import { StoreUnavailableError } from '@nestjs-orchestrator/core';
import type { Logger } from '@nestjs-orchestrator/core/ports';
import type { Connection } from '../connection/connection.js';
import { tagOf } from '../connection/connection.js';
import { connect } from '../connection/own-client.js';
import { mapped } from '../connection/unavailable.js';
import { BEGINNING, isBefore } from './entry-id.js';
import { type ReadFrame, unpack } from './packing.js';
import { lastIdScript } from './scripts.js';
import { FRAMES_OF_ENTRY, REMEMBER_MS } from './stream-writer.js';

/** An entry of a stream as it was read: what a sender had for it at one time. */
export interface Entry {
  readonly id: string;
  readonly frames: readonly ReadFrame[];
  /** What it holds, where that is none of our frames. */
  readonly unreadable?: Buffer;
}

/** A stream that is read from its cursor on. */
export interface Source {
  readonly key: string;
  /** The server takes the stream away when nobody has used it for long, and this key with it; undefined: it stays. */
  readonly expiresWith: string | undefined;
  /** Id of the last entry that was read. */
  cursor: string;
  /** Whether more may come in now. */
  wants(): boolean;
  /** It has to hear at once whether anything is left from now on, instead of waiting for more. */
  readonly hurried?: boolean;
  /** What came in; empty, and only for one in a hurry: nothing was left after it was. */
  take(entries: readonly Entry[]): void;
}

/** Entries of one stream in one answer. */
const ENTRIES_AT_ONCE = 16;
/** Frames of one stream in one answer, at most. */
export const READ_AT_ONCE = ENTRIES_AT_ONCE * FRAMES_OF_ENTRY;
const BLOCK_MS = 1_000;
/** On a cluster nobody can be woken, since it is not known on which node he waits. */
const CLUSTER_BLOCK_MS = 100;

type Rows = readonly (readonly [id: Buffer, fields: readonly Buffer[]])[];
/** Key and rows by turns where the client speaks RESP 3, pairs of them where it speaks RESP 2. */
type Reply = readonly (Buffer | Rows)[] | readonly (readonly [key: Buffer, rows: Rows])[];

/** Reads many streams, waiting for them on connections of its own: one, or on a cluster one for each hash tag. */
export class Reader {
  private readonly lanes = new Map<string, Lane>();
  private closed = false;
  /** Where each source was at the last look. */
  private seen = new Map<Source, string>();

  constructor(
    private readonly connection: Connection,
    private readonly logger: Logger,
  ) {}

  /**
   * Keeps the streams in which something waits for sources that live. Of the sources that have read nothing since the last look, those whose stream ends before their cursor: the server has forgotten what they have read, and they
   * would pass over all that it takes until its ids have come as far again. What has no stream any more since nobody used it is read from its beginning.
   *
   * @throws StoreUnavailableError
   */
  async overtaken(): Promise<readonly Source[]> {
    const { seen } = this;
    const sources = [...this.lanes.values()].flatMap((lane) => lane.all());
    const idle = sources.filter(
      (source) => source.cursor !== BEGINNING && seen.get(source) === source.cursor,
    );
    this.seen = new Map(sources.map((source) => [source, source.cursor]));
    const cursors = idle.map(({ cursor }) => cursor);
    const answers = await this.connection.runAll(
      idle.map(({ key, expiresWith }) => ({
        script: lastIdScript,
        keys: expiresWith === undefined ? [key] : [key, expiresWith],
        args: [REMEMBER_MS],
      })),
    );
    return idle.filter((source, n) => {
      const last = answers[n];
      const cursor = cursors[n] as string;
      if (typeof last !== 'string' || source.cursor !== cursor) return false;
      if (last !== '' || source.expiresWith === undefined)
        return isBefore(last === '' ? BEGINNING : last, cursor);
      source.cursor = BEGINNING;
      return false;
    });
  }

  add(source: Source): void {
    if (this.closed) return;
    this.laneOf(source.key).add(source);
  }

  remove(source: Source): void {
    this.laneOf(source.key).remove(source);
  }

  /** A source wants something again that it did not want. */
  wake(source: Source): void {
    if (!this.closed) this.laneOf(source.key).wake(source);
  }

  /** A source wants to hear whether anything is left. */
  interrupt(source: Source): void {
    if (!this.closed) this.laneOf(source.key).interrupt();
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.lanes.values()].map((lane) => lane.close()));
  }

  private laneOf(key: string): Lane {
    const name = this.connection.isCluster ? tagOf(key) : '';
    let lane = this.lanes.get(name);
    if (lane === undefined) {
      lane = new Lane(this.connection, this.logger);
      this.lanes.set(name, lane);
    }
    return lane;
  }
}

/** Sources that one blocking call can wait for. */
class Lane {
  private readonly sources = new Map<string, Source>();
  private client: Redis | Cluster | undefined;
  private connecting: Redis | Cluster | undefined;
  private clientId: string | undefined;
  private waitedFor: ReadonlySet<Source> | undefined;
  private turn = 0;
  private readonly ending = new AbortController();
  private rest: (() => void) | undefined;
  private running: Promise<void> | undefined;
  /** Why nothing can be read, as it was told. */
  private trouble: string | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly logger: Logger,
  ) {}

  private get closed(): boolean {
    return this.ending.signal.aborted;
  }

  add(source: Source): void {
    this.sources.set(source.key, source);
    this.running ??= this.run();
    this.wake(source);
  }

  all(): readonly Source[] {
    return [...this.sources.values()];
  }

  remove(source: Source): void {
    if (this.sources.get(source.key) === source) this.sources.delete(source.key);
  }

  wake(source: Source): void {
    this.rest?.();
    if (this.waitedFor !== undefined && !this.waitedFor.has(source)) void this.unblock();
  }

  interrupt(): void {
    this.rest?.();
    if (this.waitedFor !== undefined) void this.unblock();
  }

  async close(): Promise<void> {
    this.ending.abort();
    this.rest?.();
    this.client?.disconnect();
    this.connecting?.disconnect();
    await this.running;
  }

  private async run(): Promise<void> {
    while (!this.closed) {
      try {
        const client = await this.connected();
        if (this.closed) break;
        // Looked at after the connection is there: sources may have come meanwhile.
        const wanted = [...this.sources.values()].filter((source) => source.wants());
        if (wanted.length > 0) await this.read(client, wanted);
        else await new Promise<void>((resolve) => (this.rest = resolve));
        this.rest = undefined;
      } catch (error) {
        await this.failed(error);
      }
    }
    this.client?.disconnect();
  }

  private async read(client: Redis | Cluster, wanted: readonly Source[]): Promise<void> {
    this.waitedFor = new Set(wanted);
    const hurried = new Set(wanted.filter((source) => source.hurried === true));
    try {
      const asked = client.callBuffer('XREAD', ...this.arguments(wanted)) as Promise<Reply | null>;
      const limitMs = BLOCK_MS + this.connection.timeoutMs;
      const reply = await this.connection.limited(asked, limitMs, () => undefined);
      this.trouble = undefined;
      if (!this.closed) this.handOut(wanted, hurried, reply ?? []);
    } finally {
      this.waitedFor = undefined;
      this.turn += 1;
    }
  }

  private arguments(wanted: readonly Source[]): readonly (string | number)[] {
    const wait = this.connection.isCluster ? CLUSTER_BLOCK_MS : BLOCK_MS;
    const keys = wanted.map(({ key }) => key);
    const blocking = wanted.some(({ hurried }) => hurried === true) ? [] : ['BLOCK', wait];
    return ['COUNT', ENTRIES_AT_ONCE, ...blocking, 'STREAMS', ...keys, ...wanted.map(({ cursor }) => cursor)];
  }

  private handOut(wanted: readonly Source[], hurried: ReadonlySet<Source>, reply: Reply): void {
    const found = rowsByKey(reply);
    for (const source of wanted) {
      // It may have been taken away meanwhile.
      if (this.sources.get(source.key) !== source) continue;
      const entries = (found.get(source.key) ?? []).map(([id, fields]) => entryOf(id, fields));
      const last = entries.at(-1);
      if (last !== undefined) source.cursor = last.id;
      // That nothing was left when it was in no hurry yet says nothing: more may have come while that answer was on its way.
      if (last !== undefined || hurried.has(source)) source.take(entries);
    }
  }

  private async connected(): Promise<Redis | Cluster> {
    if (this.client !== undefined) return this.client;
    const client = this.connection.another();
    this.connecting = client;
    try {
      await this.inTime(connect(client, this.ending.signal));
      if (this.closed) throw new Error('closed');
      if (!client.isCluster) this.clientId = String(await this.inTime((client as Redis).client('ID')));
    } catch (error) {
      client.disconnect();
      throw error;
    }
    this.client = client;
    return client;
  }

  private inTime<T>(answer: Promise<T>): Promise<T> {
    return this.connection.limited(answer, this.connection.timeoutMs, () => undefined);
  }

  /** Makes the connection anew: whatever was under way on the old one is asked for again. */
  private async failed(error: unknown): Promise<void> {
    this.client?.disconnect();
    this.client = undefined;
    if (this.closed) return;
    this.report(error);
    await this.connection.pause();
  }

  /** What does not pass by itself is told once, until it can be read again. */
  private report(error: unknown): void {
    const text = String(error);
    if (mapped(error) instanceof StoreUnavailableError) {
      this.logger.debug('Reading of streams was interrupted and goes on when Redis answers', { error: text });
      return;
    }
    if (this.trouble === text) return;
    this.trouble = text;
    this.logger.error(`Redis lets nothing be read from streams; it is tried again: ${text}`);
  }

  /** The call may not have reached the server yet: asks until it has come back. */
  private async unblock(): Promise<void> {
    const { turn, clientId } = this;
    if (clientId === undefined) return;
    while (!this.closed && this.turn === turn && this.clientId === clientId) {
      try {
        const woken = await this.connection.command((client) =>
          (client as Redis).client('UNBLOCK', clientId),
        );
        if (woken === 1) return;
      } catch {
        // It comes back by itself, at the latest when its time is over.
        return;
      }
    }
  }
}

function rowsByKey(reply: Reply): ReadonlyMap<string, Rows> {
  const flat = Buffer.isBuffer(reply[0]) ? reply : reply.flat();
  const found = new Map<string, Rows>();
  for (let at = 0; at < flat.length; at += 2) found.set(String(flat[at]), flat[at + 1] as Rows);
  return found;
}

function entryOf(id: Buffer, fields: readonly Buffer[]): Entry {
  const read = { id: id.toString() };
  try {
    const frames = unpack(fields[3] ?? Buffer.alloc(0));
    if (frames.length > 0) return { ...read, frames };
  } catch {
    // Somebody else has written it: those behind it are read all the same.
  }
  return { ...read, frames: [], unreadable: Buffer.concat(fields) };
}
