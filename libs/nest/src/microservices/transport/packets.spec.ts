import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Endpoint, TransportSeat } from '@nestjs-orchestrator/core/ports';
import { acknowledgementFrames, type Acknowledged } from './acknowledgements.js';
import { Inbox } from './inbox.js';
import { Outbox } from './outbox.js';
import { decodeWire, encodeWire, PIECE_HEAD, wire, type WireHead } from './wire.js';

const MAX_FRAME = 64;
const from: Endpoint = { name: 'asker', incarnation: 'a1' };
const to: Endpoint = { name: 'server', incarnation: 's1' };

/** What an outbox needs of a seat: frames are taken at once or after a while, as the numbers say. */
function seatOf(room: readonly boolean[], onFrame: (frame: Uint8Array) => void): TransportSeat {
  let at = 0;
  let waiting = 0;
  let line = Promise.resolve();
  const seat: Pick<TransportSeat, 'maxFrameBytes' | 'trySend' | 'send'> = {
    maxFrameBytes: MAX_FRAME,
    trySend(_to, frame) {
      at += 1;
      if (waiting > 0 || room[at % room.length] !== true) return false;
      onFrame(frame);
      return true;
    },
    send(_to, frame) {
      waiting += 1;
      line = line.then(() => {
        waiting -= 1;
        onFrame(frame);
      });
      return line;
    },
  };
  return seat as TransportSeat;
}

/** An inbox, and what it has told. */
function inboxOf(maxPacketBytes: number) {
  const tooLarge: [WireHead, number][] = [];
  const broken: [string, WireHead | undefined][] = [];
  const inbox = new Inbox(maxPacketBytes, {
    tooLarge: (_from, head, bytes) => tooLarge.push([head, bytes]),
    broken: (_from, problem, _isGap, head) => broken.push([problem, head]),
  });
  return { inbox, tooLarge, broken };
}

describe('packets of any size', () => {
  it('come whole and in their order, however much room there is', async () => {
    const sizes = fc.array(fc.nat(300), { maxLength: 12 });
    const room = fc.array(fc.boolean(), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(sizes, room, async (lengths, taken) => {
        const { inbox, broken } = inboxOf(1_000);
        const came: [number, unknown][] = [];
        const seat = seatOf(taken, (frame) => {
          expect(frame.length).toBeLessThanOrEqual(MAX_FRAME);
          const whole = inbox.take(from, frame);
          const packet = whole && decodeWire(whole);
          if (packet !== undefined) came.push([packet.number, packet.body]);
        });
        const outbox = new Outbox(seat);
        const bodies = lengths.map((length) => 'x'.repeat(length));
        await Promise.all(
          bodies.map((body, number) => outbox.send(to, encodeWire(wire.event, body, number))),
        );
        expect(came).toEqual(bodies.map((body, number) => [number, body]));
        expect([inbox.heldBytes, broken]).toEqual([0, []]);
      }),
    );
  });

  it('of which some are not wanted any more leave the others whole', async () => {
    const packets = fc.array(fc.record({ length: fc.nat(300), stopAfter: fc.nat(8) }), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(packets, async (given) => {
        const { inbox, broken } = inboxOf(1_000);
        const came: number[] = [];
        const outbox = new Outbox(
          seatOf([true, false], (frame) => {
            const whole = inbox.take(from, frame);
            const packet = whole && decodeWire(whole);
            if (packet !== undefined) came.push(packet.number);
          }),
        );
        const went = await Promise.all(
          given.map(({ length, stopAfter }, number) => {
            let looks = 0;
            const isWanted = (): boolean => (looks += 1) <= stopAfter;
            return outbox.send(to, encodeWire(wire.event, 'x'.repeat(length), number), isWanted);
          }),
        );
        expect(came).toEqual([...went.keys()].filter((number) => went[number]));
        expect([inbox.heldBytes, broken]).toEqual([0, []]);
      }),
    );
  });

  it('and frames of anything are taken or thrown away, within the memory that is allowed', () => {
    const tail = fc.uint8Array({ maxLength: 80 });
    const frames = fc.array(fc.tuple(fc.constantFrom(...Object.values(wire)), tail), { maxLength: 20 });
    fc.assert(
      fc.property(frames, (given) => {
        const { inbox } = inboxOf(100);
        for (const [kind, bytes] of given) {
          const whole = inbox.take(from, Uint8Array.of(kind, ...bytes));
          expect(whole?.length ?? 0).toBeLessThanOrEqual(105);
          expect(inbox.heldBytes).toBeLessThanOrEqual(105);
        }
      }),
    );
  });

  it('that do not fit together are told once, with what is known of them', () => {
    const { inbox, broken } = inboxOf(1_000);
    const frame = encodeWire(wire.request, 'x'.repeat(500), 9);
    const piece = (before: number) =>
      Uint8Array.of(...PIECE_HEAD, 0xff, 0x03, before, ...frame.subarray(before, before + 20));
    for (const before of [0, 40, 60, 80]) expect(inbox.take(from, piece(before))).toBeUndefined();
    expect(broken).toEqual([['a piece of a frame is missing', { kind: wire.request, number: 9 }]]);
  });

  it('above the limit are told with their head and size, in one frame and in pieces', () => {
    const { inbox, tooLarge } = inboxOf(100);
    const frame = encodeWire(wire.request, 'x'.repeat(200), 9);
    expect(inbox.take(from, frame)).toBeUndefined();
    expect(tooLarge).toEqual([[{ kind: wire.request, number: 9 }, 202]]);
  });
});

it('acknowledgements fit into frames, all of them, and what is too long to be told is said to be', () => {
  const fault = fc.option(fc.string({ maxLength: 40 }), { nil: undefined });
  const entry = fc
    .tuple(fc.nat(9), fault)
    .map(([number, why]): Acknowledged => (why === undefined ? [number] : [number, why]));
  fc.assert(
    fc.property(fc.array(entry, { minLength: 1, maxLength: 30 }), (entries) => {
      const frames = acknowledgementFrames(entries, 100);
      expect(frames.every(({ length }) => length <= 100)).toBe(true);
      const told = frames.flatMap((frame) => decodeWire(frame)?.body as Acknowledged[]);
      expect(told.map(([number]) => number)).toEqual(entries.map(([number]) => number));
      expect(told.map(({ length }) => length)).toEqual(entries.map(({ length }) => length));
    }),
  );
  const [frame] = acknowledgementFrames([[1, 'x'.repeat(200)]], 100);
  expect(frame && decodeWire(frame)?.body).toEqual([[1, expect.stringMatching(/too long/)]]);
});
