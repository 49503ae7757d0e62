import { connect, type Socket } from 'node:net';
import { RecordReader } from './record-reader.js';
import { countIn, kinds, record } from './records.js';
import type { SendWindow } from './send-window.js';

/** What the side that sends is told of its connection. */
export interface OutgoingEvents {
  /** The peer has let us in. */
  onOpen(): void;
  /** The peer gave a sign of life. */
  onSign(): void;
  /** The peer has confirmed frames. */
  onConfirm(): void;
  /** Nobody listens there any more, or the peer won't have this incarnation. */
  onGone(): void;
  /** What the peer answered can't be understood. */
  onCorrupt(): void;
}

const ANSWER_BYTES = 4_096;
const GONE: ReadonlySet<string | undefined> = new Set(['ECONNREFUSED', 'ENOENT', 'ENOTSOCK']);
const ASK = record(kinds.ask);
const BYE = record(kinds.bye);
/** Batches that may be with the socket before it says that it is full. */
const SOCKET_BUFFER_BYTES = 262_144;

/** The connection on which frames go to one peer: made again when it breaks, until nobody listens there any more. */
export class Outgoing {
  private socket: Socket | undefined;
  private state: 'waiting' | 'connecting' | 'open' | 'closed' = 'waiting';
  private isFull = false;
  private isScheduled = false;
  private asking: 'no' | 'wanted' | 'asked' = 'no';
  private bye: 'no' | 'wanted' | 'said' = 'no';

  constructor(
    private readonly path: string,
    private readonly hello: Uint8Array,
    private readonly window: SendWindow,
    private readonly events: OutgoingEvents,
  ) {}

  /** Connects where no connection is under way. */
  connect(): void {
    if (this.state !== 'waiting') return;
    this.state = 'connecting';
    const options = { path: this.path, writableHighWaterMark: SOCKET_BUFFER_BYTES };
    const socket = connect(options);
    const reader = new RecordReader(ANSWER_BYTES, (kind, _number, body) => this.onRecord(kind, body));
    let failure: NodeJS.ErrnoException | undefined;
    this.socket = socket;
    socket.on('connect', () => socket.write(this.hello));
    socket.on('data', (chunk: Buffer) => {
      if (socket !== this.socket || reader.read(chunk)) return;
      this.events.onCorrupt();
      socket.destroy();
    });
    socket.on('drain', () => {
      if (socket !== this.socket) return;
      this.isFull = false;
      this.flush();
    });
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('close', () => {
      if (socket === this.socket) this.onClose(failure);
    });
  }

  /** A frame was added to the window. `now`: so much lies there that it need not wait for the end of this turn. */
  push(now: boolean): void {
    if (now) this.flush();
    else if (!this.isScheduled && this.state === 'open') {
      this.isScheduled = true;
      setImmediate(this.flushLater);
    }
  }

  /** Wants to hear at once how far frames came, since somebody waits for room. */
  ask(): void {
    if (this.asking !== 'no') return;
    this.asking = 'wanted';
    this.flush();
  }

  /** Says that no frame comes any more, after those that wait. */
  sayBye(): void {
    if (this.bye !== 'no') return;
    this.bye = 'wanted';
    this.flush();
  }

  close(): void {
    this.state = 'closed';
    this.socket?.destroy();
    this.socket = undefined;
  }

  private readonly flushLater = (): void => {
    this.isScheduled = false;
    this.flush();
  };

  private flush(): void {
    const { socket } = this;
    if (this.state !== 'open' || this.isFull || socket === undefined) return;
    for (let batch = this.window.next(); batch !== undefined; batch = this.window.next()) {
      if (socket.write(batch)) continue;
      this.isFull = true;
      return;
    }
    if (this.asking === 'wanted') {
      this.asking = 'asked';
      socket.write(ASK);
    }
    if (this.bye === 'wanted') {
      this.bye = 'said';
      socket.write(BYE);
    }
  }

  private onRecord(kind: number, body: Uint8Array): boolean {
    this.events.onSign();
    if (kind === kinds.refuse) {
      this.events.onGone();
      return true;
    }
    const count = countIn(body);
    if (count === undefined) return false;
    if (kind === kinds.welcome) return this.onWelcome(count);
    if (kind !== kinds.acknowledge || !this.window.confirm(count)) return false;
    if (count === this.window.last || this.asking === 'asked') this.asking = 'no';
    this.events.onConfirm();
    return true;
  }

  private onWelcome(count: number): boolean {
    if (this.state !== 'connecting' || !this.window.rewind(count)) return false;
    this.state = 'open';
    this.isFull = false;
    if (this.asking === 'asked') this.asking = 'wanted';
    if (this.bye === 'said') this.bye = 'wanted';
    this.events.onOpen();
    this.events.onConfirm();
    this.flush();
    return true;
  }

  private onClose(failure: NodeJS.ErrnoException | undefined): void {
    if (this.state === 'closed') return;
    const wasOpen = this.state === 'open';
    this.state = 'waiting';
    this.socket = undefined;
    if (GONE.has(failure?.code)) this.events.onGone();
    // A connection that broke is made again at once; one that never stood, with the next heartbeat.
    else if (wasOpen) this.connect();
  }
}
