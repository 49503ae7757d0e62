import {
  FrameTooLargeError,
  NameInvalidError,
  NameTakenError,
  PeerLostError,
  RegistryFullError,
  TransportClosedError,
  TransportUnavailableError,
} from '@nestjs-orchestrator/core';
import type {
  Cancellable,
  Endpoint,
  FrameReceiver,
  JoinOptions,
  NamedEntry,
  Peer,
  TransportSeat,
  TransportStatistics,
} from '@nestjs-orchestrator/core/ports';
import { LaneWriter } from '../lane/lane-writer.js';
import type { SharedMemorySettings } from '../options.js';
import { MAX_LISTED_NAME_BYTES } from '../segment/name-table.js';
import { MAX_ABOUT_BYTES, type NameRecord } from '../segment/name-table.js';
import type { Segment } from '../segment/segment.js';
import { utf8 } from '../segment/text.js';
import { FrameCounters } from './frame-counters.js';
import type { Ground } from './ground.js';
import { Membership } from './membership.js';
import type { OwnPlace, PeerLink } from './peer-link.js';
import { ReadingLoop } from './reading-loop.js';

/** Frames of one lane that are handed over before the others and the event loop have a turn. */
const AT_ONCE = 256;

/** What a seat is made of. */
export interface SeatParts {
  readonly segment: Segment;
  readonly ground: Ground;
  readonly place: OwnPlace;
  readonly self: Endpoint;
  readonly settings: SharedMemorySettings;
  readonly options: JoinOptions;
  readonly receiver: FrameReceiver;
}

/** One endpoint of a cluster in shared memory. */
export class SharedSeat implements TransportSeat {
  readonly self: Endpoint;
  readonly maxFrameBytes: number;
  private readonly counters = new FrameCounters();
  private readonly members: Membership;
  private readonly loop: ReadingLoop;
  private readonly directory = new Map<string, NamedEntry>();
  private directoryVersion = -1;
  /** Times that reading went on without a turn of its own since the last one. */
  private goneOn = 0;
  private heartbeat: Cancellable | undefined = undefined;
  private leaving: Promise<void> | undefined = undefined;

  constructor(private readonly parts: SeatParts) {
    const { segment, settings, place, self, ground } = parts;
    this.self = self;
    this.maxFrameBytes = LaneWriter.maxPayload(settings.laneBytes);
    this.members = new Membership(
      parts,
      this.counters,
      () => this.loop.kick(),
      () => this.loop.expectAnswer(),
    );
    const flag = segment.endpoints.sleepFlag(place.slot);
    this.loop = new ReadingLoop(
      flag,
      {
        turn: () => this.turn(),
        isReady: () => this.isReady(),
        pause: () => ground.yieldCore(),
        silence: () => ground.silence(),
      },
      settings,
    );
  }

  /** From now on frames come in. */
  start(): void {
    this.scheduleBeat();
    this.loop.kick();
  }

  /** The bell has rung: it goes on until it is silenced. */
  rung(): void {
    this.loop.rung();
  }

  trySend(to: Endpoint, frame: Uint8Array): boolean {
    const link = this.linkTo(to, frame);
    if (this.write(link, frame)) return true;
    this.counters.refused += 1;
    return false;
  }

  send(to: Endpoint, frame: Uint8Array, signal?: AbortSignal): Promise<void> {
    try {
      signal?.throwIfAborted();
      const link = this.linkTo(to, frame);
      if (this.write(link, frame)) return Promise.resolve();
      this.counters.refused += 1;
      const sent = link.line.join(frame, signal);
      link.writer.wantRoom(true);
      // Room may have come before the wish was seen.
      this.flush(link);
      return sent;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async claim(name: string, about: string): Promise<void> {
    this.assertOpen();
    const bytes = utf8(name).length;
    if (bytes < 1 || bytes > MAX_LISTED_NAME_BYTES) throw new NameInvalidError(name, MAX_LISTED_NAME_BYTES);
    const aboutBytes = utf8(about).length;
    if (aboutBytes > MAX_ABOUT_BYTES) {
      throw new TransportUnavailableError(
        'shared-memory',
        `what is said about '${name}' has ${aboutBytes} bytes, and ${MAX_ABOUT_BYTES} can be kept. Say less.`,
      );
    }
    await this.parts.ground.exclusively(() => this.enter(name, about));
  }

  async unclaim(name: string): Promise<void> {
    if (this.leaving !== undefined) return;
    const { ground, segment, place } = this.parts;
    await ground.exclusively(() => {
      const isOwn = (record: NameRecord): boolean => record.name === name && isOf(record, place);
      if (segment.names.remove(isOwn) > 0) segment.header.namesChanged();
    });
  }

  async locate(name: string): Promise<NamedEntry | undefined> {
    this.assertOpen();
    const { segment } = this.parts;
    const version = segment.header.namesVersion;
    if (version !== this.directoryVersion) {
      this.directory.clear();
      this.directoryVersion = version;
    }
    let entry = this.directory.get(name);
    if (entry === undefined) {
      const record = segment.names.find(name);
      entry = record && this.entryOf(record);
      if (entry !== undefined) this.directory.set(name, entry);
    }
    return entry;
  }

  async names(): Promise<readonly NamedEntry[]> {
    this.assertOpen();
    const entries = this.parts.segment.names.records().map((record) => this.entryOf(record));
    return entries.filter((entry) => entry !== undefined);
  }

  peers(): readonly Peer[] {
    if (this.leaving !== undefined) return [];
    this.members.refresh();
    return this.members.peers();
  }

  statistics(): TransportStatistics {
    const { links } = this.members;
    const waiting = links.reduce((sum, { line }) => sum + line.size, 0);
    return { ...this.counters.totals(), waiting, peers: this.peers().length };
  }

  leave(): Promise<void> {
    this.leaving ??= this.end();
    return this.leaving;
  }

  /** Ends as the death of the process does: nothing is said, nothing is given back but what the kernel takes. */
  abandon(): void {
    this.leaving ??= Promise.resolve();
    this.stop();
    this.parts.ground.close();
  }

  /** Stands still as a stopped process does, until the returned function is called. */
  standStill(): () => void {
    this.heartbeat?.cancel();
    const goOn = this.loop.pause();
    return () => {
      this.scheduleBeat();
      goOn();
    };
  }

  private async end(): Promise<void> {
    const { ground, segment, place } = this.parts;
    this.stop();
    try {
      const left = await ground.exclusively(() => {
        segment.bury(place.slot, place.generation);
        ground.remove(place.slot, place.generation);
        ground.withdraw();
        const others = segment.live();
        if (!others.some(({ slot, generation }) => ground.isAlive(slot, generation))) ground.unlink();
        return others;
      });
      for (const { slot, generation } of left) ground.ring(slot, generation);
    } finally {
      ground.close();
    }
  }

  private stop(): void {
    this.heartbeat?.cancel();
    this.loop.close();
    const { cluster, endpoint } = this.parts.options;
    for (const { line } of this.members.links) line.refuseAll(new TransportClosedError(cluster, endpoint));
  }

  private turn(): number {
    this.goneOn = 0;
    this.members.refresh();
    this.members.announce();
    let done = 0;
    for (const link of this.members.links) {
      done += this.read(link);
      if (link.line.size > 0) done += this.flush(link);
      if (this.leaving !== undefined) return done;
    }
    this.members.announce();
    return done;
  }

  private isReady(): boolean {
    if (this.members.hasNews) return true;
    for (const link of this.members.links) if (link.wantsTurn) return true;
    return false;
  }

  private read(link: PeerLink): number {
    let done = 0;
    for (; done < AT_ONCE && !link.isHeld; done += 1) {
      const frame = link.read();
      if (frame === undefined) break;
      this.hand(link, frame);
      if (this.leaving !== undefined) return done;
    }
    if (done > 0 && link.wantsRoom) this.members.rouse(link);
    if (link.isOver) this.members.part(link);
    return done;
  }

  private hand(link: PeerLink, frame: Uint8Array): void {
    this.counters.framesReceived += 1;
    this.counters.bytesReceived += frame.length;
    try {
      const held = this.parts.receiver.onFrame(link.endpoint, frame);
      if (held !== undefined) void this.hold(link, held);
    } catch (error) {
      this.members.report(link.endpoint, error);
    }
  }

  private async hold(link: PeerLink, held: Promise<void>): Promise<void> {
    link.isHeld = true;
    try {
      await held;
    } catch (error) {
      this.members.report(link.endpoint, error);
    }
    link.isHeld = false;
    // A receiver that answers at once need not wait for the event loop after each frame.
    this.goneOn += 1;
    if (this.goneOn < AT_ONCE && this.leaving === undefined && !this.loop.isPaused) this.read(link);
    if (!link.isHeld) this.loop.kick();
  }

  private write(link: PeerLink, frame: Uint8Array): boolean {
    if (link.state !== 'up' || link.line.size > 0 || !link.writer.tryWrite(frame)) return false;
    this.wrote(link, frame);
    return true;
  }

  private wrote(link: PeerLink, frame: Uint8Array): void {
    this.counters.framesSent += 1;
    this.counters.bytesSent += frame.length;
    this.members.rouse(link);
  }

  /** Serves those that wait, as long as there is room. */
  private flush(link: PeerLink): number {
    let done = 0;
    for (let { first } = link.line; first !== undefined && link.state === 'up'; { first } = link.line) {
      if (!link.writer.tryWrite(first)) break;
      link.line.shift();
      this.wrote(link, first);
      done += 1;
    }
    if (link.line.size === 0) link.writer.wantRoom(false);
    return done;
  }

  private enter(name: string, about: string): void {
    this.assertOpen();
    const { segment, settings, place, ground } = this.parts;
    const held = segment.names.find(name);
    if (held !== undefined) {
      const holder = segment.endpoints.read(held.slot);
      if (holder !== undefined && (isOf(held, place) || ground.isAlive(held.slot, held.generation)))
        throw new NameTakenError(name, holder.name);
      segment.bury(held.slot, held.generation);
      segment.names.remove((record) => record.name === name);
    }
    if (!segment.names.add({ name, about, ...place }))
      throw new RegistryFullError('names', settings.maxNames, 'maxNames');
    segment.header.namesChanged();
  }

  /** Nothing where its holder is gone. */
  private entryOf({ name, about, slot, generation }: NameRecord): NamedEntry | undefined {
    if (isOf({ slot, generation }, this.parts.place)) return { name, about, endpoint: this.self };
    const holder = this.parts.segment.endpoints.read(slot);
    if (holder?.state !== 'live' || holder.generation !== generation) return undefined;
    return { name, about, endpoint: { name: holder.name, incarnation: holder.incarnation } };
  }

  /** @throws FrameTooLargeError, PeerLostError, TransportClosedError */
  private linkTo(to: Endpoint, frame: Uint8Array): PeerLink {
    this.assertOpen();
    if (frame.length > this.maxFrameBytes)
      throw new FrameTooLargeError(frame.length, this.maxFrameBytes, 'laneBytes');
    const link = this.members.find(to);
    if (link === undefined || link.state === 'lost') throw new PeerLostError(to.name);
    return link;
  }

  /** @throws TransportClosedError */
  private assertOpen(): void {
    const { cluster, endpoint } = this.parts.options;
    if (this.leaving !== undefined) throw new TransportClosedError(cluster, endpoint);
  }

  private scheduleBeat(): void {
    const { options, settings } = this.parts;
    this.heartbeat = options.clock.schedule(settings.heartbeatMs, () => {
      this.members.beat();
      // A bell that was not rung, since its ringer died on the way, costs no more than this.
      this.loop.kick();
      this.scheduleBeat();
    });
  }
}

const isOf = (record: OwnPlace, place: OwnPlace): boolean =>
  record.slot === place.slot && record.generation === place.generation;
