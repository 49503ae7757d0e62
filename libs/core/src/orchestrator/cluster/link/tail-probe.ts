import type { Cancellable, Clock } from '../../../ports/clock.js';

/** Milliseconds after which it is first asked whether a frame was read, and the longest pause between two questions; each is twice the one before. */
export const FIRST_PROBE_MS = 2_000;
export const LONGEST_PROBE_MS = 60_000;

/** How a link asks whether its last frame was read. */
export interface Probing {
  readonly clock: Clock;
  /** That the other side is gone is a word that may be forgotten as well: it is asked also while anything is open there. */
  readonly whileOpen: boolean;
}

/** What a link knows of the other side. */
interface Knowledge {
  /** Number of the last frame that it has read, as far as it has said. */
  read(): number;
  /** Number of the last envelope that it has accepted. */
  accepted(): number;
  /** Whether it is not done with all of them. */
  isOpen(): boolean;
}

/**
 * A frame that is missing shows by the next one: this makes sure that there is a next one behind the last. While it is not known that the last frame that
 * matters was read, the other side is asked, again and again, since a question may be lost as well.
 */
export class TailProbe {
  /** Number of the last frame that matters. */
  private last = 0;
  /** Number of its last envelope; 0: it holds remarks alone. */
  private envelope = 0;
  private timer: Cancellable | undefined = undefined;
  private pauseMs = 0;
  /** What the other side had read at the last look. */
  private before = 0;
  private closed = false;

  constructor(
    private readonly probing: Probing,
    private readonly known: Knowledge,
    private readonly probe: () => void,
  ) {}

  /** A frame that matters has left. Its timer is not taken back when it was read: most links have sent another one by then. */
  sent(frame: number, envelope: number): void {
    this.last = frame;
    this.envelope = envelope;
    if (this.timer === undefined) this.wait(FIRST_PROBE_MS);
  }

  close(): void {
    this.closed = true;
    this.timer?.cancel();
    this.timer = undefined;
  }

  private get isRead(): boolean {
    // What was accepted was read before.
    const { known, last, envelope } = this;
    return known.read() >= last || (envelope > 0 && known.accepted() >= envelope);
  }

  private wait(pauseMs: number): void {
    if (this.closed) return;
    this.pauseMs = pauseMs;
    this.timer = this.probing.clock.schedule(pauseMs, () => this.look());
  }

  private look(): void {
    this.timer = undefined;
    const pauseMs = this.nextPause();
    if (pauseMs === undefined) return;
    this.wait(pauseMs);
    this.probe();
  }

  /** undefined: there is nothing to ask. */
  private nextPause(): number | undefined {
    const { probing, known, before } = this;
    if (this.isRead) return probing.whileOpen && known.isOpen() ? LONGEST_PROBE_MS : undefined;
    this.before = known.read();
    // While it goes on reading, what it has not read yet has only just left.
    return this.before > before ? FIRST_PROBE_MS : Math.min(this.pauseMs * 2, LONGEST_PROBE_MS);
  }
}
