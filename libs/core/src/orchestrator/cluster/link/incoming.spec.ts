import { describe, expect, it } from 'vitest';
import { clusterLimits } from '../cluster-options.js';
import { Batch } from '../wire/batch.js';
import { DONE, EVENT, HELLO, MAGIC, PROBE, TARGET, VERSION } from '../wire/format.js';
import { FrameMemory } from './frame-memory.js';
import { Incoming } from './incoming.js';
import { Outgoing } from './outgoing.js';

const HERE = { group: 'here' };
const ONE = ['here', 'one'];
const NEXT = { type: 'NEXT' };

type Head = readonly [kind: number, numbers?: readonly number[], payload?: unknown];

function frame(number: number, ...heads: readonly Head[]): Uint8Array {
  const batch = new Batch();
  for (const [kind, numbers = [], payload] of heads) {
    batch.heads.byte(kind);
    for (const each of numbers) batch.heads.number(each);
    if (payload !== undefined) batch.payload(JSON.stringify(payload));
  }
  return batch.writeTo(new Uint8Array(batch.mostBytes), number) as Uint8Array;
}

/** A piece of one byte of a frame of nine. */
const piece = (number: number, before: number): Uint8Array =>
  Uint8Array.of(MAGIC, VERSION, 0, number, 9, before, 7);

/** Reads frames that come over a server that may forget. */
function read(frames: readonly Uint8Array[]) {
  const seen = { events: 0, losses: 0, refusals: 0 };
  const out = new Outgoing(
    {
      seat: { maxFrameBytes: 1_000, trySend: () => true, send: () => Promise.resolve() },
      scheduler: { soon() {}, nextTurn() {} },
      limits: clusterLimits({}),
      group: 'there',
      memory: new FrameMemory(),
      probes: undefined,
      waiting: 0,
      assertFits() {},
      linkClosed() {},
    },
    { name: 'a', incarnation: 'a' },
  );
  const dispatch = {
    event: () => (seen.events += 1) > 0,
    question: () => true,
  };
  const limits = { mostParked: 10, maxMessageBytes: 1_000 };
  const refused = (): void => void (seen.refusals += 1);
  const lost = (): void => void (seen.losses += 1);
  const link = new Incoming(out, dispatch, limits, refused, undefined, lost);
  for (const each of frames) void link.frame(each);
  return seen;
}

const hello: Head = [HELLO, [], HERE];
const named: Head = [TARGET, [0], ONE];
const event: Head = [EVENT, [0], NEXT];

describe('frames over a server that may forget', () => {
  it('are read in order, each once, with events or without', () => {
    const first = frame(1, hello, named, event);
    const second = frame(2, [PROBE]);
    const seen = read([first, first, second, first, second, frame(3, event, event)]);
    expect(seen).toEqual({ events: 3, losses: 0, refusals: 0 });
  });

  it.each([
    ['the first one', [frame(2, hello, named, event)]],
    ['one before an event', [frame(1, hello, named), frame(3, event)]],
    ['one before a remark', [frame(1, hello), frame(3, [PROBE])]],
    ['one that would be seen only by its remarks', [frame(1, hello, named), frame(3, hello)]],
    ['the one before the first piece', [frame(1, hello), piece(3, 0)]],
    ['the first piece', [frame(1, hello), piece(2, 1)]],
    ['a piece in the middle', [frame(1, hello), piece(2, 0), piece(2, 2)]],
    ['the last piece', [frame(1, hello), piece(2, 0), frame(3, [PROBE])]],
    ['the last pieces and the first ones of the next frame', [piece(1, 0), piece(2, 1)]],
  ])('are missing where %s is; nothing is read any more', (_what, frames) => {
    expect(read([...frames, frame(4, event)])).toEqual({ events: 0, losses: 1, refusals: 0 });
  });

  it.each([
    ['holds a remark of no kind', frame(1, hello, [99])],
    ['does not say whose it is', frame(1, named, event)],
    ['means a machine that was not named', frame(1, hello, [EVENT, [5], NEXT])],
    ['is done with what it did not accept', frame(1, hello, [DONE, [1, 1]])],
  ])('are refused where none is missing, and one %s', (_what, bytes) => {
    expect(read([bytes, frame(2, event)])).toEqual({ events: 0, losses: 0, refusals: 1 });
  });
});
