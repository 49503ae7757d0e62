import { crc32 as zlibCrc32 } from 'node:zlib';
import { PeerLostError } from '@nestjs-orchestrator/core';
import type { Endpoint, Peer, PeerState } from '@nestjs-orchestrator/core/ports';
import { crc32 } from '../lane/crc32.js';
import type { EndpointRecord } from '../segment/endpoint-table.js';
import type { FrameCounters } from './frame-counters.js';
import { PeerLink } from './peer-link.js';
import type { SeatParts } from './shared-seat.js';

/** From here on zlib is faster, although it has to be called. */
const LARGE = 192;

/** Beats that a tick of our own may be late until what peers missed in it counts for nothing. */
const OWN_PAUSE = 2;

/** The other endpoints as one of them sees them: who comes, who stands still, who is gone. */
export class Membership {
  /** Everybody who is not parted with, oneself included. */
  readonly links: PeerLink[] = [];
  private readonly byIncarnation = new Map<string, PeerLink>();
  /** What the receiver is to be told in the next turn. */
  private readonly news: Peer[] = [];
  /** Somebody could not be met, for example since no file can be opened any more. */
  private isBlind = false;
  private seen = -1;
  private lastBeatAt: number;

  /**
   * @param kick called when there is something to do
   * @param woke called when another endpoint was woken
   */
  constructor(
    private readonly parts: SeatParts,
    private readonly counters: FrameCounters,
    private readonly kick: () => void,
    private readonly woke: () => void,
  ) {
    this.lastBeatAt = parts.options.clock.monotonic();
  }

  /** Whether somebody came or went, or is to be told of. */
  get hasNews(): boolean {
    return this.news.length > 0 || this.parts.segment.header.membersVersion !== this.seen;
  }

  find(to: Endpoint): PeerLink | undefined {
    let link = this.byIncarnation.get(to.incarnation);
    if (link === undefined) {
      this.refresh();
      link = this.byIncarnation.get(to.incarnation);
    }
    return link?.endpoint.name === to.name ? link : undefined;
  }

  peers(): Peer[] {
    return this.links
      .filter((link) => link.state !== 'lost' && link.slot !== this.parts.place.slot)
      .map((link) => ({ endpoint: link.endpoint, state: link.state, pid: link.pid }));
  }

  /** Looks who is there, if anything has changed. */
  refresh(): void {
    const { segment } = this.parts;
    const version = segment.header.membersVersion;
    if (version === this.seen) return;
    this.seen = version;
    for (const record of segment.endpoints.records()) {
      try {
        this.meet(record);
      } catch (error) {
        this.isBlind = true;
        this.warn(`An endpoint can't be met yet, and is tried again with the next beat`, record.name, error);
      }
    }
  }

  rouse(link: PeerLink): void {
    if (link.ring !== undefined) link.flag.rouse(link.ring);
  }

  /** A lost endpoint has nothing more to say. */
  part(link: PeerLink): void {
    link.retire();
    this.links.splice(this.links.indexOf(link), 1);
    this.byIncarnation.delete(link.endpoint.incarnation);
    link.ring = undefined;
    this.parts.ground.forget(link.slot, link.generation);
    this.tell(link, 'lost');
  }

  /** A heartbeat: one's own, and a look at everybody else's. */
  beat(): void {
    const { segment, place, settings, options } = this.parts;
    segment.endpoints.beat(place.slot);
    const now = options.clock.monotonic();
    const stoodStill = now - this.lastBeatAt > OWN_PAUSE * settings.heartbeatMs;
    this.lastBeatAt = now;
    if (this.isBlind) this.seen = -1;
    this.isBlind = false;
    this.refresh();
    for (const link of [...this.links]) {
      if (link.slot === place.slot) continue;
      if (stoodStill) link.forgive();
      if (this.lives(link)) this.judge(link);
    }
  }

  /** Tells the receiver what is to be told. Apart from the finding, so that it is never called from within its own calls. */
  announce(): void {
    for (let peer = this.news.shift(); peer !== undefined; peer = this.news.shift()) {
      try {
        this.parts.receiver.onPeer(peer);
      } catch (error) {
        this.report(peer.endpoint, error);
      }
    }
  }

  report(from: Endpoint, error: unknown): void {
    const { logger, cluster, endpoint } = this.parts.options;
    logger.error(`The receiver of frames failed: ${error instanceof Error ? error.message : String(error)}`, {
      cluster,
      endpoint,
      from: from.name,
    });
  }

  private meet(record: EndpointRecord): void {
    const known = this.byIncarnation.get(record.incarnation);
    if (known !== undefined) {
      if (record.state === 'gone') this.lose(known, true);
      return;
    }
    const link = this.linkTo(record);
    if (record.state === 'gone') {
      // It came and went unseen; what it has sent in between counts.
      if (!link.isUnread) return;
      this.enter(link);
      this.lose(link, true);
      return;
    }
    this.loseFormerHolder(link);
    this.watch(link);
    link.writer.open(this.parts.place.generation, record.generation);
    this.enter(link);
  }

  /** A slot is given away as soon as its holder is dead and nobody has to read it, which may be before its end was told here. */
  private loseFormerHolder({ slot }: PeerLink): void {
    for (const former of this.links) if (former.slot === slot) this.lose(former, true);
  }

  private enter(link: PeerLink): void {
    const { ground, place } = this.parts;
    this.links.push(link);
    this.byIncarnation.set(link.endpoint.incarnation, link);
    link.ring = () => {
      ground.ring(link.slot, link.generation);
      this.woke();
    };
    if (link.slot !== place.slot) this.tell(link, 'up');
  }

  private linkTo(record: EndpointRecord): PeerLink {
    const onCorrupt = (frames: number, bytes: number): void => {
      this.counters.corrupt += Math.max(1, frames);
      const { logger, cluster, endpoint } = this.parts.options;
      logger.error('Frames were thrown away, since their check sum or length is wrong.', {
        cluster,
        endpoint,
        from: record.name,
        bytes,
      });
    };
    const { segment, place } = this.parts;
    return new PeerLink(segment, place, record, { onCorrupt }, checkSumOf);
  }

  private watch(link: PeerLink): void {
    const { ground, place } = this.parts;
    if (link.slot === place.slot) return;
    ground.watch(link.slot, link.generation, () => void this.lives(link));
  }

  /** Whether it lives; what is to be done where it does not is begun. */
  private lives(link: PeerLink): boolean {
    const { ground } = this.parts;
    if (link.isBuried) return false;
    if (link.state !== 'lost' && ground.isAlive(link.slot, link.generation)) return true;
    this.lose(link, false);
    void this.bury(link);
    return false;
  }

  private judge(link: PeerLink): void {
    const state = link.countBeats() >= this.parts.settings.suspectAfterBeats ? 'suspect' : 'up';
    if (state === link.state) return;
    link.state = state;
    this.tell(link, state);
    this.kick();
  }

  /** Says in the registries that an endpoint is gone. Where that fails, the next beat tries it again. */
  private async bury(link: PeerLink): Promise<void> {
    const { ground, segment } = this.parts;
    const { slot, generation } = link;
    try {
      await ground.exclusively(() => {
        if (segment.bury(slot, generation)) ground.remove(slot, generation);
      });
      for (const other of segment.live()) ground.ring(other.slot, other.generation);
      link.isBuried = true;
    } catch (error) {
      this.warn('An endpoint that is gone could not be removed', link.endpoint.name, error);
    }
    this.kick();
  }

  /** From now on nothing is sent to it. What it has sent is read first, then it is parted with. */
  private lose(link: PeerLink, isBuried: boolean): void {
    link.isBuried ||= isBuried;
    if (link.state === 'lost') return;
    link.state = 'lost';
    link.line.refuseAll(new PeerLostError(link.endpoint.name));
    this.kick();
  }

  private warn(problem: string, about: string, error: unknown): void {
    const { cluster, endpoint, logger } = this.parts.options;
    logger.warn(`${problem}: ${error instanceof Error ? error.message : String(error)}`, {
      cluster,
      endpoint,
      about,
    });
  }

  private tell({ endpoint, pid }: PeerLink, state: PeerState): void {
    this.news.push({ endpoint, state, pid });
  }
}

const checkSumOf = (bytes: Uint8Array, value: number): number =>
  bytes.length < LARGE ? crc32(bytes, value) : zlibCrc32(bytes, value);
