import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { RecordReader } from './record-reader.js';
import { SendWindow } from './send-window.js';

const LIMIT = 4_096;

/** The frame with that number: bytes that tell it from all others. */
const frameOf = (number: number, bytes: number): Uint8Array => new Uint8Array(bytes).fill(number);

/** A peer that reads what it is given and drops its connection now and then. */
class Receiver {
  readonly bodies: Uint8Array[] = [];
  private reader = this.fresh();

  /** The window may use its bytes again once they are confirmed; a socket has copied them by then. */
  read(batch: Uint8Array): boolean {
    return this.reader.read(new Uint8Array(batch));
  }

  /** What was read of an unfinished frame is lost with the connection. */
  reconnect(): number {
    this.reader = this.fresh();
    return this.bodies.length;
  }

  private fresh(): RecordReader {
    return new RecordReader(LIMIT * 4, (_kind, number, body) => {
      if (number !== this.bodies.length + 1) return false;
      this.bodies.push(body);
      return true;
    });
  }
}

type Step = { readonly add: number } | { readonly write: number } | 'confirm' | 'break';

/** `false` where window or receiver refuse what must be possible. */
function play(window: SendWindow, receiver: Receiver, sent: Uint8Array[], step: Step): boolean {
  if (step === 'confirm') return window.confirm(receiver.bodies.length);
  if (step === 'break') return window.rewind(receiver.reconnect());
  if ('add' in step) {
    if (!window.fits(step.add)) return true;
    const frame = frameOf(sent.length, step.add);
    window.add(frame);
    sent.push(frame.slice());
    // The bytes may be used again at once.
    frame.fill(0xff);
    return true;
  }
  const batch = window.next();
  if (batch === undefined) return true;
  const arrived = batch.subarray(0, step.write);
  // Where not all of it arrives, the rest is lost with the connection.
  return receiver.read(arrived) && (arrived.length === batch.length || window.rewind(receiver.reconnect()));
}

describe('a send window', () => {
  it('brings every frame over once and in order, whatever breaks, and holds no more than its limit', () => {
    const step: fc.Arbitrary<Step> = fc.oneof(
      { weight: 4, arbitrary: fc.record({ add: fc.integer({ min: 0, max: 1_500 }) }) },
      { weight: 3, arbitrary: fc.record({ write: fc.integer({ min: 0, max: 3_000 }) }) },
      { weight: 2, arbitrary: fc.constant('confirm' as const) },
      { weight: 1, arbitrary: fc.constant('break' as const) },
    );
    fc.assert(
      fc.property(fc.array(step, { size: 'max', maxLength: 150 }), (steps) => {
        const window = new SendWindow(LIMIT);
        const receiver = new Receiver();
        const sent: Uint8Array[] = [];
        const answers = steps.map((each) => play(window, receiver, sent, each));
        expect(answers).not.toContain(false);
        for (let batch = window.next(); batch !== undefined; batch = window.next()) receiver.read(batch);
        expect(receiver.bodies.map((body) => [...body])).toEqual(sent.map((frame) => [...frame]));
        expect(window.confirm(receiver.bodies.length)).toBe(true);
        expect(window.isEmpty).toBe(true);
      }),
    );
  });

  it('has room for one frame of any size, and for no second one above its limit', () => {
    const window = new SendWindow(LIMIT);
    expect(window.fits(LIMIT * 3)).toBe(true);
    window.add(new Uint8Array(LIMIT * 3));
    expect(window.fits(1)).toBe(false);
    window.next();
    window.confirm(1);
    expect(window.fits(1)).toBe(true);
  });

  it('refuses to be told of frames that it never sent', () => {
    const window = new SendWindow(LIMIT);
    window.add(new Uint8Array(1));
    expect([window.confirm(2), window.rewind(2), window.confirm(1)]).toEqual([false, false, true]);
  });

  it('uses memory again that was confirmed, a quarter of the window at a time', () => {
    const window = new SendWindow(16 * 1_024);
    const made = vi.spyOn(Buffer, 'allocUnsafeSlow');
    onTestFinished(() => made.mockRestore());
    for (let round = 0; round < 20; round += 1) {
      for (let frame = 0; frame < 4; frame += 1) window.add(new Uint8Array(2_000));
      while (window.next() !== undefined);
      expect(window.confirm(window.last)).toBe(true);
    }
    expect(made).toHaveBeenCalledTimes(4);
  });
});
