import { type MachineRef, OrchestratorOptionError, OutcomeUnknownError } from '@nestjs-orchestrator/core';
import { memoryTransport } from '@nestjs-orchestrator/core/memory';
import type { Transport } from '@nestjs-orchestrator/core/ports';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import { describe, expect, it } from 'vitest';
import { nextRecord, rejection } from '../support.js';
import { entriesAt, ledger, type Member, stage, upTo } from './support.js';

/** 'books' is at process two; one and three send to it. */
async function books(options: Parameters<ReturnType<typeof stage>['join']>[1] = {}) {
  const set = stage();
  const two = await set.join('two', options);
  await two.group.spawn(ledger, { id: 'books' });
  const [one, three] = [await set.join('one'), await set.join('three')];
  return { ...set, one, two, three };
}

const add = (ref: MachineRef, entry: unknown, messageId: string): Promise<void> =>
  ref.send({ type: 'ADD', entry }, { messageId });
const repeatedAt = ({ group }: Member) => group.stats().repeated;

describe('a message that comes again under its id', () => {
  it('is handled once, whoever sends it and from where', async () => {
    const { one, two, three } = await books();
    await add(one.group.ref('books'), 'a', 'm-1');
    await add(three.group.ref('books'), 'again', 'm-1');
    await add(two.group.ref('books'), 'again', 'm-1');
    await add(three.group.ref('books'), 'b', 'm-2');
    expect(await entriesAt(one.group.ref('books'))).toEqual(['a', 'b']);
    expect(repeatedAt(two)).toBe(2);
  });

  it('is answered as a duplicate, where it was asked', async () => {
    const { one, two } = await books();
    for (const ref of [one.group.ref('books'), two.group.ref('books')]) {
      const first = await ref.request({ type: 'COUNT' }, { messageId: ref.scopedId });
      expect(first.reply).toBe(0);
      const again = await ref.request({ type: 'COUNT' }, { messageId: ref.scopedId });
      expect(again).toMatchObject({ changed: false, duplicate: true });
      expect(again.reply).toBeUndefined();
      expect(again.snapshot.context).toEqual({ entries: [] });
    }
  });

  it('is known where its receiver was declared dead in between, and its sender had heard that nobody knows', async () => {
    const { network, one, two } = await books();
    const ref = one.group.ref('books');
    const asked = rejection(ref.request({ type: 'HOLD' }, { messageId: 'm-1' }));
    await two.hands.holding.opened;
    const regained = nextRecord(two.group, 'membership').then(() => nextRecord(two.group, 'membership'));
    const [self] = two.group.processes();
    network.expel({ name: 'two', incarnation: self?.incarnation ?? '' });
    expect(await asked).toBeInstanceOf(OutcomeUnknownError);
    await regained;
    const again = ref.request({ type: 'HOLD' }, { messageId: 'm-1' });
    two.hands.hold.open();
    expect(await again).toMatchObject({ duplicate: true });
    expect(repeatedAt(two)).toBe(1);
  });

  it('is handled where its step had failed, or it was taken back', async () => {
    const { one, two } = await books();
    const ref = one.group.ref('books');
    await rejection(ref.request({ type: 'FAIL' }, { messageId: 'm-1' }));
    await rejection(ref.request({ type: 'FAIL' }, { messageId: 'm-1' }));
    expect(two.group.stats()).toMatchObject({ failed: 2, repeated: 0 });
    const giveUp = new AbortController();
    const held = ref.request({ type: 'HOLD' });
    await two.hands.holding.opened;
    const waiting = rejection(ref.request({ type: 'CLOSE' }, { messageId: 'm-2', signal: giveUp.signal }));
    await ref.send({ type: 'ADD', entry: 'behind' });
    giveUp.abort(new Error('enough'));
    expect((await waiting).message).toBe('enough');
    two.hands.hold.open();
    await held;
    await two.group.drain();
    expect(await ref.request({ type: 'CLOSE' }, { messageId: 'm-2' })).toMatchObject({ changed: true });
  });

  it('keeps the order of those that are none', async () => {
    const { one, two } = await books();
    const ref = one.group.ref('books');
    const sent = upTo(200).flatMap((n) => [
      add(ref, n, `m-${n}`),
      ref.send({ type: 'ADD', entry: `plain ${n}` }),
      add(ref, 'again', `m-${Math.floor(n / 2)}`),
    ]);
    await Promise.all(sent);
    expect(await entriesAt(ref)).toEqual(upTo(200).flatMap((n) => [n, `plain ${n}`]));
    expect(repeatedAt(two)).toBe(200);
  });

  it('is handled again where the window was too small, which is counted', async () => {
    const { one, two, three } = await books({ repeatWindow: 2 });
    for (const id of ['m-1', 'm-2', 'm-3']) await add(one.group.ref('books'), id, id);
    await add(three.group.ref('books'), 'again', 'm-1');
    await add(three.group.ref('books'), 'again', 'm-3');
    expect(await entriesAt(one.group.ref('books'))).toEqual(['m-1', 'm-2', 'm-3', 'again']);
    expect(two.group.stats()).toMatchObject({ repeated: 1, forgotten: 2 });
  });

  it('is handled again where its time is over', async () => {
    const clock = new VirtualClock();
    const { one, two } = await books({ clock, repeatWindowMs: 1_000 });
    const ref = one.group.ref('books');
    clock.whenIdle('machines', () => two.group.settled());
    await add(ref, 'a', 'm-1');
    await clock.advance(999);
    await add(ref, 'again', 'm-1');
    expect(await entriesAt(ref)).toEqual(['a']);
    await clock.advance(1);
    await add(ref, 'again', 'm-1');
    expect(await entriesAt(ref)).toEqual(['a', 'again']);
    expect(two.group.stats()).toMatchObject({ repeated: 1, forgotten: 0 });
  });

  it('is another message for another machine, and for the next one of that id', async () => {
    const { one, two } = await books();
    await two.group.spawn(ledger, { id: 'others' });
    await add(one.group.ref('books'), 'a', 'm-1');
    await add(one.group.ref('others'), 'b', 'm-1');
    expect(await entriesAt(one.group.ref('others'))).toEqual(['b']);
    await one.group.ref('books').stop();
    await two.group.spawn(ledger, { id: 'books' });
    await add(one.group.ref('books'), 'c', 'm-1');
    expect(await entriesAt(one.group.ref('books'))).toEqual(['c']);
  });
});

it('an id that is none is refused where it is given', async () => {
  const { one, two } = await books();
  for (const { group } of [one, two]) {
    for (const messageId of ['', 'x'.repeat(4_097)]) {
      const refused = await rejection(add(group.ref('books'), 'a', messageId));
      expect(refused).toBeInstanceOf(OrchestratorOptionError);
    }
  }
});

it('events without an id are not a byte longer', async () => {
  const { one } = await books();
  const ref = one.group.ref('books');
  await ref.request({ type: 'COUNT' });
  const lengthOf = async (send: () => Promise<unknown>): Promise<number> => {
    const before = one.frames.length;
    await send();
    return one.frames.slice(before).reduce((sum, frame) => sum + frame.length, 0);
  };
  const plain = await lengthOf(() => ref.send({ type: 'ADD', entry: 1 }));
  const named = await lengthOf(() => add(ref, 1, 'm-1'));
  expect(plain).toBe('[{"type":"ADD","entry":1}]'.length + 6);
  expect(named - plain).toBe('["m-1",]'.length);
});

it('a transport that hands each frame over twice is noticed by nobody: within a link numbers tell', async () => {
  const { network, join } = stage();
  const inner = memoryTransport(network);
  const stuttering: Transport = {
    type: inner.type,
    join: (options, receiver) =>
      inner.join(options, {
        onPeer: (peer) => receiver.onPeer(peer),
        onFrame: async (from, frame) => {
          await receiver.onFrame(from, frame);
          await receiver.onFrame(from, frame);
        },
      }),
  };
  const options = { transports: { memory: stuttering } };
  const [one, two] = [await join('one', options), await join('two', options)];
  await two.group.spawn(ledger, { id: 'books' });
  const ref = one.group.ref('books');
  await Promise.all(upTo(500).map((n) => ref.send({ type: 'ADD', entry: n })));
  expect((await ref.request({ type: 'COUNT' })).reply).toBe(500);
  expect(await entriesAt(ref)).toEqual(upTo(500));
  expect(one.group.stats().cluster).toMatchObject({ unaccepted: 0, unfinished: 0 });
});
