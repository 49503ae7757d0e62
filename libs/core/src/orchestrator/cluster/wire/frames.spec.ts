import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MachineStoppedError, StepError } from '../../errors.js';
import { RemoteFailureError } from '../cluster-errors.js';
import { Batch, utf8Bytes } from './batch.js';
import { failureFrom, failureText } from './failure-text.js';
import { frameKind, FrameReader } from './frame-reader.js';

/** Keys of that name are left out; see below. */
const isSafe = (value: unknown): boolean => !JSON.stringify(value).includes('__proto__');

function frameOf(payloads: readonly unknown[], heads: readonly number[], number: number): Uint8Array {
  const batch = new Batch();
  for (const head of heads) batch.heads.number(head);
  for (const payload of payloads) batch.payload(JSON.stringify(payload));
  return written(batch, number);
}

/** In as little memory as it may fit into; where it does not, in as much as it needs whatever its letters are. */
function written(batch: Batch, number = 1): Uint8Array {
  return (batch.writeTo(new Uint8Array(batch.leastBytes), number) ??
    batch.writeTo(new Uint8Array(batch.mostBytes), number)) as Uint8Array;
}

/** Reads everything; what it ends in. */
function readWhole(bytes: Uint8Array): string {
  try {
    const reader = new FrameReader(bytes);
    while (!reader.isAtEnd) reader.number();
    reader.payload();
    return 'read';
  } catch (error) {
    return (error as Error).name;
  }
}

describe('a frame', () => {
  it('is read as it was written', () => {
    const numbers = fc.array(fc.maxSafeNat());
    fc.assert(
      fc.property(
        fc.array(fc.jsonValue().filter(isSafe)),
        numbers,
        fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
        (payloads, heads, number) => {
          const bytes = frameOf(payloads, heads, number);
          expect(frameKind(bytes)).toEqual({ kind: 'frame' });
          const reader = new FrameReader(bytes);
          expect(reader.frame).toBe(number);
          expect(heads.map(() => reader.number())).toEqual(heads);
          expect(reader.isAtEnd).toBe(true);
          const read = payloads.map(() => reader.payload());
          expect(read).toEqual(JSON.parse(JSON.stringify(payloads)));
        },
      ),
    );
  });

  it.each(['x', 'é', '€', '🙂'])(
    'of a text of %s is whole, whether or not it fits where frames are written',
    (letter) => {
      for (let length = 1; length < 80; length += 1) {
        const payloads = [letter.repeat(length)];
        expect(new FrameReader(frameOf(payloads, [1], 1)).frame).toBe(1);
        const reader = new FrameReader(frameOf(payloads, [], 1));
        expect(reader.payload()).toBe(payloads[0]);
      }
    },
  );

  it('is refused, and nothing else happens, whatever its bytes are', () => {
    const some = frameOf([{ a: 1 }, 'text'], [16, 3, 7], 9);
    const changes = fc.array(fc.tuple(fc.nat(some.length - 1), fc.nat(255)), { maxLength: 4 });
    fc.assert(
      fc.property(changes, fc.nat(some.length), (bytes, length) => {
        const changed = some.slice();
        for (const [at, byte] of bytes) changed[at] = byte;
        expect(readWhole(changed.subarray(0, length))).toMatch(/^(read|MalformedFrame)$/);
      }),
    );
  });

  it('can not reach a prototype by its payloads', () => {
    const batch = new Batch();
    batch.first = 1;
    batch.payload('{"__proto__":{"polluted":true},"kept":1}');
    const payload = new FrameReader(written(batch)).payload() as Record<string, unknown>;
    expect(Object.keys(payload)).toEqual(['kept']);
    expect(payload['polluted']).toBeUndefined();
  });

  it('gives back the texts among its heads, with what stands around them', () => {
    const text = fc.string({ unit: 'binary', maxLength: 700 });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), text), { maxLength: 4 }), (heads) => {
        const batch = new Batch();
        batch.first = 1;
        for (const [number, some] of heads) {
          batch.heads.number(number);
          batch.heads.text(some);
        }
        batch.payload('"behind"');
        const reader = new FrameReader(written(batch));
        expect(heads.map(() => [reader.number(), reader.text()])).toEqual(heads);
        expect([reader.isAtEnd, reader.payload()]).toEqual([true, 'behind']);
      }),
    );
    expect(() => new Batch().heads.text('x'.repeat(5_500))).toThrow(RangeError);
  });

  it('counts the bytes of its texts', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(utf8Bytes(text)).toBe(new TextEncoder().encode(text).length);
      }),
    );
  });
});

describe('a failure', () => {
  it('comes back as the class that it was thrown as, with its fields', () => {
    const thrown = new StepError('books', 'ADD', 'add', { cause: new TypeError('no number') });
    const back = failureFrom(JSON.parse(failureText(thrown)));
    expect(back).toBeInstanceOf(StepError);
    expect(back).toMatchObject({
      name: 'StepError',
      code: 'STEP_FAILED',
      message: thrown.message,
      machine: 'books',
      event: 'ADD',
      action: 'add',
      cause: { name: 'TypeError', message: 'no number' },
    });
    expect(failureFrom(JSON.parse(failureText(new MachineStoppedError('books', 'done'))))).toBeInstanceOf(
      MachineStoppedError,
    );
  });

  it('keeps code and name where its class is not known here', () => {
    const thrown = Object.assign(new Error('out of ink'), { name: 'PrinterError', code: 'INK' });
    const back = failureFrom(JSON.parse(failureText(thrown)));
    expect(back).toBeInstanceOf(RemoteFailureError);
    expect(back).toMatchObject({
      name: 'PrinterError',
      code: 'INK',
      message: 'out of ink',
      retryable: false,
    });
  });

  it('is an error whatever comes in, and never changes what an error is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (payload) => {
        expect(failureFrom(payload)).toBeInstanceOf(RemoteFailureError);
      }),
    );
    const back = failureFrom({
      name: 'StepError',
      fields: { stack: 'forged', constructor: 'x', machine: { deep: true }, event: 'ADD' },
    });
    expect(back).toMatchObject({ event: 'ADD' });
    expect([back.stack === 'forged', 'machine' in back]).toEqual([false, false]);
  });
});
