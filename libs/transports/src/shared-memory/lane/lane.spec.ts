import { array, assert, constant, constantFrom, nat, oneof, property, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { crc32 } from './crc32.js';
import { LANE_CONTROL_BYTES, laneWords, SharedLaneMemory } from './lane-memory.js';
import { LaneReader } from './lane-reader.js';
import { LaneWriter } from './lane-writer.js';
import { recordBytes } from './record.js';

interface Setup {
  readonly memory: SharedLaneMemory;
  readonly writer: LaneWriter;
  readonly reader: LaneReader;
  readonly buffer: ArrayBuffer;
  readonly corrupt: [frames: number, bytes: number][];
}

function open(capacity: number): Setup {
  const buffer = new ArrayBuffer(LANE_CONTROL_BYTES + capacity);
  const memory = new SharedLaneMemory(buffer, 0, LANE_CONTROL_BYTES, capacity);
  const writer = new LaneWriter(memory);
  writer.open(1, 1);
  const corrupt: [number, number][] = [];
  const reader = new LaneReader(memory, { onCorrupt: (frames, bytes) => void corrupt.push([frames, bytes]) });
  return { memory, writer, reader, buffer, corrupt };
}

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (frame: Uint8Array | undefined) => frame && new TextDecoder().decode(frame);

describe('a lane', () => {
  it('carries what a plain queue would, in order, over any number of rounds', () => {
    const action = oneof(
      uint8Array({ maxLength: 40 }).map((frame) => ({ write: frame })),
      constant({ read: true as const }),
    );
    assert(
      property(constantFrom(64, 128, 65_536), array(action, { maxLength: 200 }), (capacity, actions) => {
        const { writer, reader } = open(capacity);
        const queue: Uint8Array[] = [];
        const received: unknown[] = [];
        const expected: unknown[] = [];
        for (const action of actions) {
          if ('write' in action) {
            if (writer.tryWrite(action.write)) queue.push(action.write.slice());
          } else {
            received.push(reader.read());
            expected.push(queue.shift());
          }
        }
        for (let next = reader.read(); next !== undefined; next = reader.read()) received.push(next);
        expect(received).toEqual([...expected, ...queue]);
      }),
    );
  });

  it.each([0, 1, 7, 8, 56])('takes a frame of %i bytes in a ring of 64 wherever it stands', (length) => {
    const { writer, reader } = open(64);
    for (let round = 0; round < 20; round += 1) {
      const frame = new Uint8Array(length).fill(round + 1);
      expect(writer.tryWrite(frame)).toBe(true);
      expect(reader.read()).toEqual(frame);
      // Shifts the place at which the next one begins.
      writer.tryWrite(bytes('x'));
      reader.read();
    }
  });

  it('takes the largest frame, and one byte more never', () => {
    const { writer, reader } = open(64);
    expect(LaneWriter.maxPayload(64)).toBe(56);
    expect(writer.tryWrite(new Uint8Array(57))).toBe(false);
    expect(writer.tryWrite(new Uint8Array(56))).toBe(true);
    expect(reader.read()).toHaveLength(56);
  });

  it('says no when it is full, and yes again after a read', () => {
    const { writer, reader } = open(64);
    let taken = 0;
    while (writer.tryWrite(bytes('12345678'))) taken += 1;
    expect(taken).toBe(64 / recordBytes(8));
    reader.read();
    expect(writer.hasRoomFor(8)).toBe(true);
    expect(writer.tryWrite(bytes('12345678'))).toBe(true);
  });

  it('goes on when its counters go over 2^32', () => {
    const { writer, reader, memory } = open(64);
    const near = -16;
    memory.store(laneWords.tail, near);
    memory.store(laneWords.head, near);
    Object.assign(writer, { tail: near, head: near });
    Object.assign(reader, { head: near });
    for (let round = 0; round < 10; round += 1) {
      expect(writer.tryWrite(bytes(`round ${round}`))).toBe(true);
      expect(text(reader.read())).toBe(`round ${round}`);
    }
  });

  it('gives frames that are the reader’s own', () => {
    const { writer, reader } = open(64);
    writer.tryWrite(bytes('first'));
    const frame = reader.read();
    for (let n = 0; n < 8; n += 1) {
      writer.tryWrite(bytes('other'));
      reader.read();
    }
    expect(text(frame)).toBe('first');
  });

  it('leaves frames that are kept as they were, however many of whatever length come after them', () => {
    assert(
      property(array(nat({ max: 5_000 }), { minLength: 1, maxLength: 40 }), (lengths) => {
        const { writer, reader } = open(8_192);
        const kept = lengths.map((length, n) => {
          expect(writer.tryWrite(new Uint8Array(length).fill(n + 1))).toBe(true);
          return reader.read();
        });
        for (const [n, length] of lengths.entries())
          expect(kept[n]).toEqual(new Uint8Array(length).fill(n + 1));
      }),
    );
  });

  it.each([20_000, 60_000])('copies frames of %i bytes out once', (length) => {
    const { memory, writer } = open(131_072);
    let copied = 0;
    const counting = Object.create(memory, {
      copy: {
        value: (at: number, bytes: number) => {
          copied += bytes;
          return memory.copy(at, bytes);
        },
      },
    }) as SharedLaneMemory;
    const reader = new LaneReader(counting, { onCorrupt: () => undefined });
    for (let round = 1; round < 20; round += 1) {
      const frame = new Uint8Array(length).fill(round);
      writer.tryWrite(frame);
      // Many times as fast as to look at each number of them.
      expect(Buffer.compare(reader.read() as Uint8Array, frame)).toBe(0);
    }
    // What little there is before the ring's end is copied twice now and then.
    expect(copied).toBeLessThan(19 * recordBytes(length) * 1.1);
  });

  it('throws away a frame whose bytes were changed, and reads the next one', () => {
    const { writer, reader, buffer, corrupt } = open(64);
    writer.tryWrite(bytes('damaged'));
    writer.tryWrite(bytes('sound'));
    new Uint8Array(buffer, LANE_CONTROL_BYTES)[8] = 0;
    expect(text(reader.read())).toBe('sound');
    expect(corrupt).toEqual([[1, 16]]);
  });

  it.each([-1, 57, 2 ** 30])('goes on from the tail where a length was changed to %i', (length) => {
    const { writer, reader, buffer, corrupt } = open(64);
    writer.tryWrite(bytes('damaged'));
    writer.tryWrite(bytes('lost'));
    new Int32Array(buffer, LANE_CONTROL_BYTES)[0] = length;
    expect(reader.read()).toBeUndefined();
    expect(corrupt).toEqual([[0, 32]]);
    writer.tryWrite(bytes('later'));
    expect(text(reader.read())).toBe('later');
  });

  it('goes by one copy only where somebody writes over a record that goes over the end while it is read', () => {
    const { memory, writer, buffer, corrupt } = open(64);
    const overwriting = Object.create(memory, {
      copy: {
        value: (at: number, length: number) => {
          const copy = memory.copy(at, length);
          // The length, after it was looked at the first time.
          if (at === 48) new Int32Array(buffer, LANE_CONTROL_BYTES)[48 / 4] = 2 ** 20;
          return copy;
        },
      },
    }) as SharedLaneMemory;
    const reader = new LaneReader(overwriting, {
      onCorrupt: (frames, bytes) => void corrupt.push([frames, bytes]),
    });
    for (let n = 0; n < 3; n += 1) {
      writer.tryWrite(bytes('12345678'));
      reader.read();
    }
    expect(writer.tryWrite(new Uint8Array(24))).toBe(true);
    expect(reader.read()).toBeUndefined();
    expect(corrupt).toEqual([[0, 32]]);
    writer.tryWrite(bytes('later'));
    expect(text(reader.read())).toBe('later');
  });

  it('reports a tail that is no place of a record once, and rests until the sender has moved it', () => {
    const { writer, reader, memory, corrupt } = open(64);
    writer.tryWrite(bytes('earlier'));
    reader.read();
    memory.store(laneWords.tail, memory.load(laneWords.tail) + 3);
    expect(reader.read()).toBeUndefined();
    expect(reader.isReady).toBe(false);
    expect(reader.read()).toBeUndefined();
    expect(corrupt).toHaveLength(1);
    writer.tryWrite(bytes('later'));
    expect(reader.isReady).toBe(true);
    expect(text(reader.read())).toBe('later');
  });

  it('finds its way back after somebody wrote over the tail', () => {
    const { writer, reader, memory, corrupt } = open(64);
    memory.store(laneWords.tail, 0x1234_5671);
    expect(reader.read()).toBeUndefined();
    expect(corrupt).toHaveLength(1);
    const seen: (string | undefined)[] = [];
    for (let n = 0; n < 12; n += 1) {
      writer.tryWrite(bytes(`frame ${n}`));
      seen.push(text(reader.read()));
    }
    expect(seen.at(-1)).toBe('frame 11');
  });

  it('takes zeros for no frame', () => {
    const { reader, memory, corrupt } = open(64);
    memory.store(laneWords.tail, 8);
    expect(reader.read()).toBeUndefined();
    expect(corrupt).toEqual([[1, 8]]);
  });
});

describe('crc32', () => {
  it('is that of zlib', async () => {
    const zlib = await import('node:zlib');
    assert(
      property(uint8Array({ maxLength: 100 }), nat(), (data, value) => {
        expect(crc32(data, value) >>> 0).toBe(zlib.crc32(data, value));
      }),
    );
  });

  it('has the value that everybody publishes', () => {
    expect(crc32(bytes('123456789')) >>> 0).toBe(0xcbf43926);
  });
});
