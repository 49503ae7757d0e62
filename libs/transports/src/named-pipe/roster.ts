import type { Endpoint, Peer as PeerView } from '@nestjs-orchestrator/core/ports';
import type { ClusterFolder } from './cluster-folder.js';
import { asHello, type Descriptor, type Hello } from './descriptor.js';
import type { Deliver } from './inbox.js';
import type { Admission, Gate, Incoming } from './incoming.js';
import type { PipeSettings } from './options.js';
import { Peer } from './peer.js';
import { kinds, record } from './records.js';
import type { Counters } from './statistics.js';

/** What the endpoint does with what its roster finds out. */
export interface RosterEvents {
  readonly deliver: Deliver;
  onPeer(peer: PeerView): void;
  /** An incarnation is dead, or has left. */
  onLost(endpoint: Endpoint): void;
  /** Bytes came in that no peer sends. */
  onCorrupt(why: string): void;
}

/** Acknowledgements come at least four times within what a sender may have under way. */
const CONFIRMS_PER_WINDOW = 4;
/** Incarnations that are remembered as lost: enough for one that is slow to notice. */
const LOST_REMEMBERED = 1_024;

/** The other endpoints of the cluster, as this one knows them, and who of them may come in. */
export class Roster implements Gate {
  readonly maxFrameBytes: number;
  private readonly peers = new Map<string, Peer>();
  private readonly lost = new Set<string>();
  private isHeld = true;

  constructor(
    private readonly self: Descriptor,
    private readonly folder: ClusterFolder,
    private readonly settings: PipeSettings,
    private readonly counters: Counters,
    private readonly events: RosterEvents,
  ) {
    this.maxFrameBytes = settings.maxFrameBytes;
  }

  /** Who can be sent to. */
  find(incarnation: string): Peer | undefined {
    return this.peers.get(incarnation);
  }

  all(): readonly Peer[] {
    return [...this.peers.values()];
  }

  views(): readonly PeerView[] {
    return this.all()
      .filter(({ state }) => state !== 'lost')
      .map(({ view }) => view);
  }

  /** What is known of an incarnation without asking: it is lost, or a connection to it stands. */
  knownToLive(incarnation: string): boolean | undefined {
    if (this.lost.has(incarnation)) return false;
    const state = this.peers.get(incarnation)?.state;
    return state === undefined ? undefined : state !== 'lost';
  }

  /** Takes up a peer and connects to it; the same one once. */
  meet(descriptor: Descriptor): Peer {
    const { incarnation } = descriptor;
    const known = this.peers.get(incarnation);
    if (known !== undefined) return known;
    const path = this.folder.socketOf(incarnation);
    const { sendBufferBytes, suspectAfterBeats } = this.settings;
    const { deliver } = this.events;
    const hello = record(kinds.hello, Buffer.from(JSON.stringify(this.helloTo(descriptor))));
    const peer = new Peer(
      descriptor,
      { path, hello, sendBufferBytes, suspectAfterBeats, deliver, isHeld: this.isHeld },
      {
        onState: (changed) => this.onState(changed),
        onLost: ({ endpoint }) => this.onLost(endpoint),
        onCorrupt: () => this.onCorrupt('an answer that is none'),
      },
    );
    this.peers.set(incarnation, peer);
    this.events.onPeer(peer.view);
    peer.outgoing.connect();
    return peer;
  }

  /** The endpoint has joined: frames that came meanwhile are handed over. */
  release(): void {
    if (!this.isHeld) return;
    this.isHeld = false;
    for (const peer of this.peers.values()) peer.inbox.release();
  }

  beat(): void {
    for (const peer of this.peers.values()) peer.beat();
  }

  admit(greeting: unknown, connection: Incoming): Admission | 'refused' | undefined {
    const hello = asHello(greeting);
    if (hello === undefined || hello.to !== this.self.incarnation || hello.token !== this.self.token)
      return undefined;
    const { incarnation } = hello.from;
    if (this.lost.has(incarnation)) return 'refused';
    const peer = this.meet(hello.from);
    peer.attach(connection);
    return {
      inbox: peer.inbox,
      confirmEvery: hello.confirmEvery,
      onBye: () => peer.onBye(),
      onEnd: (ended) => peer.detach(ended),
    };
  }

  onFrameRead(bytes: number): void {
    this.counters.received(bytes);
  }

  onCorrupt(why: string): void {
    this.counters.corrupt += 1;
    this.events.onCorrupt(why);
  }

  private helloTo(to: Descriptor): Hello {
    const confirmEvery = Math.floor(this.settings.sendBufferBytes / CONFIRMS_PER_WINDOW);
    return { from: this.self, to: to.incarnation, token: to.token, confirmEvery };
  }

  private onState(peer: Peer): void {
    if (peer.state === 'lost') this.peers.delete(peer.endpoint.incarnation);
    this.events.onPeer(peer.view);
  }

  private onLost(endpoint: Endpoint): void {
    this.lost.add(endpoint.incarnation);
    if (this.lost.size > LOST_REMEMBERED) {
      const [oldest] = this.lost;
      if (oldest !== undefined) this.lost.delete(oldest);
    }
    this.events.onLost(endpoint);
  }
}
