import type { Cancellable, Clock } from '../../../ports/clock.js';

/** Milliseconds after which it is first asked whether a frame was read, and the longest pause between two questions; each is twice the one before. */
export const FIRST_PROBE_MS = 2_000;
export const LONGEST_PROBE_MS = 60_000;

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
    private readonly clock: Clock,
    /** Number of the last frame that the other side has read, as far as it has said. */
    private readonly read: () => number,
    /** Number of the last envelope that it has accepted. */
    private readonly accepted: () => number,
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
    return this.read() >= this.last || (this.envelope > 0 && this.accepted() >= this.envelope);
  }

  private wait(pauseMs: number): void {
    if (this.closed) return;
    this.pauseMs = pauseMs;
    this.timer = this.clock.schedule(pauseMs, () => this.look());
  }

  private look(): void {
    this.timer = undefined;
    if (this.isRead) return;
    const read = this.read();
    // While it goes on reading, what it has not read yet has only just left.
    this.wait(read > this.before ? FIRST_PROBE_MS : Math.min(this.pauseMs * 2, LONGEST_PROBE_MS));
    this.before = read;
    this.probe();
  }
}
