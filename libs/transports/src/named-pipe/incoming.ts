import type { Socket } from 'node:net';
import type { Inbox } from './inbox.js';
import { RecordReader } from './record-reader.js';
import { countBody, HEAD_BYTES, kinds, record } from './records.js';

/** Who decides about connections that come in. */
export interface Gate {
  readonly maxFrameBytes: number;
  /** The inbox of who says so, `refused` for an incarnation that is taken for lost, `undefined` for what is no peer of ours. */
  admit(hello: unknown, connection: Incoming): Admission | 'refused' | undefined;
  onFrameRead(bytes: number): void;
  onCorrupt(why: string): void;
}

/** A sender that was let in. */
export interface Admission {
  readonly inbox: Inbox;
  /** Bytes after which it wants to hear how far they came. */
  readonly confirmEvery: number;
  onBye(): void;
  onEnd(connection: Incoming): void;
}

/** Bytes of a `hello`; there is nothing else that somebody unknown may send. */
const HELLO_BYTES = 8_192;
const REFUSE = record(kinds.refuse);

/** A connection that another endpoint has made, to send frames. */
export class Incoming {
  private readonly reader: RecordReader;
  private admission: Admission | undefined;
  private unconfirmed = 0;
  private isOver = false;

  constructor(
    private readonly socket: Socket,
    private readonly gate: Gate,
  ) {
    this.reader = new RecordReader(HELLO_BYTES, (kind, number, body) =>
      this.admission === undefined ? this.onHello(kind, body) : this.onRecord(kind, number, body),
    );
    socket.on('data', (chunk: Buffer) => this.onData(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.isOver = true;
      this.admission?.onEnd(this);
    });
  }

  get isKnown(): boolean {
    return this.admission !== undefined;
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** Says how far frames came; nothing where what was said before has not been read yet. */
  beat(): void {
    if (this.admission !== undefined && this.socket.writableLength === 0) this.confirm();
  }

  destroy(): void {
    this.isOver = true;
    this.socket.destroy();
  }

  private onData(chunk: Buffer): void {
    if (this.isOver || this.reader.read(chunk)) return;
    this.gate.onCorrupt(this.admission === undefined ? 'not the greeting of a peer' : 'broken framing');
    this.destroy();
  }

  private onHello(kind: number, body: Uint8Array): boolean {
    if (kind !== kinds.hello) return false;
    const admission = this.gate.admit(jsonIn(body), this);
    if (admission === undefined) return false;
    if (admission === 'refused') {
      this.isOver = true;
      this.socket.end(REFUSE);
      return true;
    }
    this.admission = admission;
    this.reader.limit = this.gate.maxFrameBytes;
    this.socket.write(record(kinds.welcome, countBody(admission.inbox.received)));
    admission.inbox.attach(this);
    return true;
  }

  private onRecord(kind: number, number: number, body: Uint8Array): boolean {
    // Another connection of this sender may have taken over.
    if (this.isOver) return true;
    if (kind === kinds.frame) return this.onFrame(number, body);
    if (body.length > 0) return false;
    if (kind !== kinds.ask && kind !== kinds.bye) return false;
    this.confirm();
    if (kind === kinds.bye) this.admission?.onBye();
    return true;
  }

  private onFrame(number: number, body: Uint8Array): boolean {
    const { inbox, confirmEvery } = this.admission as Admission;
    if (number !== (inbox.received + 1) >>> 0) return false;
    this.gate.onFrameRead(body.length);
    inbox.take(body);
    this.unconfirmed += HEAD_BYTES + body.length;
    if (this.unconfirmed >= confirmEvery) this.confirm();
    return true;
  }

  private confirm(): void {
    const { inbox } = this.admission as Admission;
    this.unconfirmed = 0;
    if (this.socket.writable) this.socket.write(record(kinds.acknowledge, countBody(inbox.received)));
  }
}

function jsonIn(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body)) as unknown;
  } catch {
    return undefined;
  }
}
