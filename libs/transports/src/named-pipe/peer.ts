import { PeerLostError } from '@nestjs-orchestrator/core';
import type { Endpoint, Peer as PeerView, PeerState } from '@nestjs-orchestrator/core/ports';
import type { Descriptor } from './descriptor.js';
import { Inbox, type Deliver } from './inbox.js';
import type { Incoming } from './incoming.js';
import { Outgoing } from './outgoing.js';
import { SendWindow } from './send-window.js';
import { WaitingSends } from './waiting-sends.js';

/** What a peer tells the endpoint that knows it. */
export interface PeerEvents {
  /** `up` or `suspect`: it changed. `lost`: the last of its frames was handed over. */
  onState(peer: Peer): void;
  /** It was found dead, or left; frames of it may still be waiting. */
  onLost(peer: Peer): void;
  onCorrupt(peer: Peer): void;
}

/** What it takes to talk to a peer. */
export interface PeerSettings {
  readonly path: string;
  readonly hello: Uint8Array;
  readonly sendBufferBytes: number;
  readonly suspectAfterBeats: number;
  readonly deliver: Deliver;
  /** Frames that come in wait until the endpoint has joined. */
  readonly isHeld: boolean;
}

/** Another endpoint: the connection to it, what it sends, and whether it lives. */
export class Peer {
  readonly endpoint: Endpoint;
  readonly inbox: Inbox;
  readonly waiting = new WaitingSends();
  readonly outgoing: Outgoing;
  /** Settles when it has answered for the first time, is suspect or lost. */
  readonly reached: Promise<void>;
  private readonly window: SendWindow;
  private connection: Incoming | undefined;
  private now: PeerState = 'up';
  private missed = 0;
  private wakers: (() => void)[] = [];

  constructor(
    private readonly descriptor: Descriptor,
    private readonly settings: PeerSettings,
    private readonly events: PeerEvents,
  ) {
    this.reached = this.changed();
    this.endpoint = { name: descriptor.name, incarnation: descriptor.incarnation };
    this.inbox = new Inbox(this.endpoint, settings.deliver, settings.isHeld);
    this.window = new SendWindow(settings.sendBufferBytes);
    this.outgoing = new Outgoing(settings.path, settings.hello, this.window, {
      onOpen: () => this.wake(),
      onSign: () => this.onSign(),
      onConfirm: () => this.onConfirm(),
      onGone: () => this.lose(),
      onCorrupt: () => this.events.onCorrupt(this),
    });
  }

  get state(): PeerState {
    return this.now;
  }

  get view(): PeerView {
    return { endpoint: this.endpoint, state: this.now, pid: this.descriptor.pid };
  }

  /** Whether everything that was sent is confirmed, or can't be any more. */
  get isSettled(): boolean {
    return this.now === 'lost' || this.window.isEmpty;
  }

  /** Takes a frame if there is room and nobody waits; else it will ask for room. */
  take(frame: Uint8Array): boolean {
    if (this.waiting.size > 0 || !this.window.fits(frame.length)) {
      this.outgoing.ask();
      return false;
    }
    this.outgoing.push(this.window.add(frame));
    return true;
  }

  wait(frame: Uint8Array, signal: AbortSignal | undefined): Promise<void> {
    const taken = this.waiting.wait(frame, signal);
    this.outgoing.ask();
    return taken;
  }

  /** Settles when the state changes, the connection opens, or frames are confirmed. */
  changed(): Promise<void> {
    return new Promise((resolve) => {
      this.wakers.push(resolve);
    });
  }

  /** It has connected, maybe again. */
  attach(connection: Incoming): void {
    this.connection?.destroy();
    this.connection = connection;
  }

  detach(connection: Incoming): void {
    if (this.connection !== connection) return;
    this.connection = undefined;
    if (this.now === 'lost') this.finish();
  }

  /** It said that no frame comes any more. */
  onBye(): void {
    const { connection } = this;
    this.connection = undefined;
    if (this.now !== 'lost') this.lose();
    // It was found gone before, since nobody listened there any more: this is the last of what it sent.
    else if (connection !== undefined) this.finish();
  }

  /** A heartbeat of ours: time to give a sign, and to miss those of the peer. */
  beat(): void {
    if (this.now === 'lost') {
      // Dead, and yet its connection stands: what it had sent was read long ago.
      if (this.inbox.isIdle) this.connection?.destroy();
      return;
    }
    this.connection?.beat();
    this.outgoing.connect();
    this.missed += 1;
    if (this.now === 'up' && this.missed > this.settings.suspectAfterBeats) this.become('suspect');
  }

  /** It is gone: nothing is sent any more, and what it sent is handed over. */
  lose(): void {
    if (this.now === 'lost') return;
    this.now = 'lost';
    this.outgoing.close();
    this.waiting.fail(new PeerLostError(this.endpoint.name));
    this.events.onLost(this);
    this.wake();
    if (this.connection === undefined) this.finish();
  }

  /** Ends everything without a word. */
  close(error: Error): void {
    this.waiting.fail(error);
    this.outgoing.close();
    this.connection?.destroy();
    this.wake();
  }

  private finish(): void {
    this.inbox.idle(() => this.events.onState(this));
  }

  private onSign(): void {
    this.missed = 0;
    if (this.now === 'suspect') this.become('up');
  }

  private onConfirm(): void {
    this.waiting.serve((frame) => {
      if (!this.window.fits(frame.length)) return false;
      this.outgoing.push(this.window.add(frame));
      return true;
    });
    if (this.waiting.size > 0) this.outgoing.ask();
    this.wake();
  }

  private become(state: 'up' | 'suspect'): void {
    this.now = state;
    this.events.onState(this);
    this.wake();
  }

  private wake(): void {
    if (this.wakers.length === 0) return;
    const wakers = this.wakers;
    this.wakers = [];
    for (const waker of wakers) waker();
  }
}
