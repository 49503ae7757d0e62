import { FrameTooLargeError, PeerLostError } from '@nestjs-orchestrator/core';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { entriesAt, ledger, stage, turns } from './support.js';

/** Smallest frames that anybody would have. */
const SMALL = { maxFrameBytes: 1_024 };

describe('messages larger than a frame of the transport', () => {
  it('come whole and in order, among small ones, as do the answers', async () => {
    const { join } = stage(SMALL);
    const one = await join('one');
    const two = await join('two');
    await two.group.spawn(ledger, { id: 'books' });
    const ref = one.group.ref('books');
    const sizes = [0, 10, 400, 1_000, 5_000, 100_000, 1, 50_000, 2];
    // Of one to four bytes each.
    const entries = sizes.map((size) => 'aé€😀'.repeat(size));
    const sent = entries.map((entry) => ref.send({ type: 'ADD', entry }));
    await Promise.all(sent);
    expect(await entriesAt(ref)).toEqual(entries);
    expect(one.frames.every(({ length }) => length <= SMALL.maxFrameBytes)).toBe(true);
    expect(two.frames.every(({ length }) => length <= SMALL.maxFrameBytes)).toBe(true);
  });

  it('keep the order of any sizes, whatever the frames are', async () => {
    const sizes = fc.array(fc.oneof(fc.nat(50), fc.nat(20_000)), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.integer({ min: 256, max: 8_192 }), async (lengths, maxFrameBytes) => {
        const { join } = stage({ maxFrameBytes });
        const one = await join('one');
        const two = await join('two');
        await two.group.spawn(ledger, { id: 'books' });
        const ref = one.group.ref('books');
        const entries = lengths.map((length, at) => `${at}${'x'.repeat(length)}`);
        await Promise.all(entries.map((entry) => ref.send({ type: 'ADD', entry })));
        expect(await entriesAt(ref)).toEqual(entries);
      }),
      { numRuns: 25 },
    );
  });

  it('are not begun with over frames that are too small for the protocol', async () => {
    const { join } = stage({ maxFrameBytes: 255 });
    const refused = { option: 'maxFrameBytes', value: 255 };
    await expect(join('one')).rejects.toMatchObject(refused);
    // Nothing is left behind: its name is free.
    await expect(join('one')).rejects.toMatchObject(refused);
  });

  it('above maxMessageBytes are refused where they are sent', async () => {
    const { join } = stage(SMALL);
    const one = await join('one', { maxMessageBytes: 10_000 });
    const two = await join('two', { maxMessageBytes: 10_000 });
    await two.group.spawn(ledger, { id: 'books' });
    const ref = one.group.ref('books');
    await expect(ref.send({ type: 'ADD', entry: '字'.repeat(3_400) })).rejects.toBeInstanceOf(
      FrameTooLargeError,
    );
    await expect(ref.send({ type: 'ADD', entry: 'x'.repeat(10_000) })).rejects.toMatchObject({
      code: 'FRAME_TOO_LARGE',
      maxBytes: 10_000,
      option: 'maxMessageBytes',
    });
    for (let at = 0; at < 2; at += 1) await ref.send({ type: 'ADD', entry: 'x'.repeat(6_000) });
    // Larger than that: the answer comes without it, and says so.
    const result = await ref.request({ type: 'COUNT' });
    expect(result.reply).toBe(2);
    expect(() => result.snapshot).toThrow(FrameTooLargeError);
    await expect(ref.currentSnapshot()).rejects.toBeInstanceOf(FrameTooLargeError);
  });

  it('that only the receiver finds too large fail alone: what goes with them is taken', async () => {
    const { join } = stage(SMALL);
    const one = await join('one');
    const two = await join('two', { maxMessageBytes: 10_000 });
    await two.group.spawn(ledger, { id: 'books' });
    const ref = one.group.ref('books');
    const before = ref.send({ type: 'ADD', entry: 'before' });
    const large = ref.send({ type: 'ADD', entry: 'x'.repeat(20_000) });
    const after = ref.send({ type: 'ADD', entry: 'after' });
    await expect(large).rejects.toMatchObject({ code: 'FRAME_TOO_LARGE', maxBytes: 10_000 });
    await Promise.all([before, after]);
    expect(await entriesAt(ref)).toEqual(['before', 'after']);
    await expect(ref.request({ type: 'ADD', entry: 'x'.repeat(20_000) })).rejects.toBeInstanceOf(
      FrameTooLargeError,
    );
  });

  it('that a process asked for and can’t take fail there', async () => {
    const { join } = stage(SMALL);
    const one = await join('one', { maxMessageBytes: 10_000 });
    const two = await join('two');
    const books = await two.group.spawn(ledger, { id: 'books' });
    await books.request({ type: 'ADD', entry: 'x'.repeat(20_000) });
    const ref = one.group.ref('books');
    await expect(ref.currentSnapshot()).rejects.toMatchObject({ code: 'FRAME_TOO_LARGE', maxBytes: 10_000 });
    await ref.send({ type: 'ADD', entry: 'small' });
    expect(await entriesAt(books)).toHaveLength(2);
  });

  it('that are under way when a process dies are not taken, and their sender may try again', async () => {
    const { join, network } = stage({ ...SMALL, laneBytes: 2_048 });
    const one = await join('one');
    const two = await join('two');
    await two.group.spawn(ledger, { id: 'books' });
    const ref = one.group.ref('books');
    await ref.send({ type: 'ADD', entry: 1 });
    network.stall(two.seat.self);
    const large = ref.send({ type: 'ADD', entry: 'x'.repeat(50_000) });
    await turns();
    network.lose(two.seat.self);
    await expect(large).rejects.toBeInstanceOf(PeerLostError);
  });
});
