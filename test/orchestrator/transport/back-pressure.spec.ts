import { VirtualClock } from '@nestjs-orchestrator/testing';
import { describe, expect, it } from 'vitest';
import { rejection } from '../support.js';
import { entriesAt, ledger, stage, turns, upTo } from './support.js';

describe('back-pressure between processes', () => {
  it('reaches the sender: trySend says no, send waits, and everything comes in in order', async () => {
    const { join } = stage();
    const one = await join('one', { maxUnaccepted: 32 });
    const two = await join('two');
    await two.group.spawn(ledger, { id: 'books' });
    const ref = one.group.ref('books');
    const held = ref.request({ type: 'HOLD' });
    await two.hands.holding.opened;
    let taken = 0;
    // The mailbox (512), then the window.
    for (let refused = 0; refused < 20; refused += 1) {
      while (ref.trySend({ type: 'ADD', entry: taken })) taken += 1;
      await turns();
    }
    expect(taken).toBe(512 + 32);
    expect(one.group.stats().cluster).toMatchObject({ unaccepted: 32, unfinished: 512 + 32 + 1 });
    const waiting = [0, 1, 2].map((later) => ref.send({ type: 'ADD', entry: taken + later }));
    expect(ref.trySend({ type: 'ADD', entry: 'overtakes' })).toBe(false);
    expect(one.group.health().reasons).toEqual(['3 sends to other processes wait for room']);
    two.hands.hold.open();
    await Promise.all([held, ...waiting]);
    expect(await entriesAt(ref)).toEqual(upTo(taken + 3));
  });

  it('never sends what was withdrawn while it waited for room', async () => {
    const { join } = stage();
    const one = await join('one', { maxUnfinished: 16 });
    const two = await join('two');
    await two.group.spawn(ledger, { id: 'books' });
    const ref = one.group.ref('books');
    const held = ref.request({ type: 'HOLD' });
    await two.hands.holding.opened;
    let taken = 0;
    while (ref.trySend({ type: 'ADD', entry: taken })) taken += 1;
    const wish = new AbortController();
    const withdrawn = rejection(ref.request({ type: 'ADD', entry: 'withdrawn' }, { signal: wish.signal }));
    const behind = ref.send({ type: 'ADD', entry: 'behind it' });
    await turns();
    wish.abort(new Error('no longer wanted'));
    expect(await withdrawn).toMatchObject({ message: 'no longer wanted' });
    two.hands.hold.open();
    await Promise.all([held, behind]);
    expect(await entriesAt(ref)).toEqual([...upTo(taken), 'behind it']);
  });

  it('lets answers through to a process whose own events find no room', async () => {
    const { join } = stage();
    const one = await join('one', { maxUnaccepted: 16 });
    const two = await join('two', { maxUnaccepted: 16 });
    await two.group.spawn(ledger, { id: 'books' });
    const bank = await one.group.spawn(ledger, { id: 'bank' });
    // Books asks bank in an action, which holds the mailbox of books; bank is not free to answer yet.
    const bankHeld = bank.request({ type: 'HOLD' });
    await one.hands.holding.opened;
    const ref = one.group.ref('books');
    await ref.send({ type: 'QUESTION', to: 'bank' });
    await turns();
    const flood = upTo(1_000).map((entry) => ref.send({ type: 'ADD', entry }));
    await turns();
    one.hands.hold.open();
    await bankHeld;
    await Promise.all(flood);
    expect(await entriesAt(ref)).toEqual(upTo(1_000));
  });

  it('counts characters as well as envelopes', async () => {
    const { join } = stage();
    const one = await join('one', { maxUnacceptedCharacters: 10_000 });
    const two = await join('two');
    await two.group.spawn(ledger, { id: 'books' });
    const ref = one.group.ref('books');
    const entry = 'x'.repeat(30_000);
    await ref.send({ type: 'ADD', entry });
    expect(ref.trySend({ type: 'ADD', entry })).toBe(true);
    expect(ref.trySend({ type: 'ADD', entry })).toBe(false);
    await ref.send({ type: 'ADD', entry });
    expect((await ref.request({ type: 'COUNT' })).reply).toBe(3);
  });

  it('lets a slow machine keep its own place only: others are done and their window is free', async () => {
    const { join } = stage();
    const one = await join('one', { maxUnfinished: 64 });
    const two = await join('two');
    await two.group.spawn(ledger, { id: 'slow' });
    await two.group.spawn(ledger, { id: 'quick' });
    const held = one.group.ref('slow').request({ type: 'HOLD' });
    await two.hands.holding.opened;
    const quick = one.group.ref('quick');
    for (const entry of upTo(2_000)) await quick.send({ type: 'ADD', entry });
    expect((await entriesAt(quick)).length).toBe(2_000);
    two.hands.hold.open();
    await held;
  });

  it.each(['its signal', 'its time'])(
    'is not stuck where a request is given up by %s while it waits for room there',
    async (how) => {
      const { join } = stage();
      const clock = new VirtualClock();
      const one = await join('one', { clock });
      const two = await join('two', { clock });
      await two.group.spawn(ledger, { id: 'books' });
      const ref = one.group.ref('books');
      const held = ref.request({ type: 'HOLD' }, { timeoutMs: Infinity });
      await two.hands.holding.opened;
      for (const entry of upTo(512)) await ref.send({ type: 'ADD', entry });
      const wish = new AbortController();
      const limits = how === 'its time' ? { timeoutMs: 100 } : { signal: wish.signal };
      const givenUp = upTo(3).map((late) =>
        rejection(ref.request({ type: 'ADD', entry: `late ${late}` }, limits)),
      );
      const behind = [0, 1].map((later) => ref.send({ type: 'ADD', entry: 512 + later }));
      await turns();
      wish.abort(new Error('no longer wanted'));
      await clock.advance(100);
      const code = how === 'its time' ? { code: 'REQUEST_TIMEOUT' } : { message: 'no longer wanted' };
      expect(await Promise.all(givenUp)).toMatchObject([code, code, code]);
      await turns();
      two.hands.hold.open();
      await Promise.all([held, ...behind]);
      expect(await entriesAt(ref)).toEqual(upTo(514));
      expect(one.group.stats().cluster).toMatchObject({ unaccepted: 0, unfinished: 0, waiting: 0 });
      expect(two.group.stats()).toMatchObject({ waitingSenders: 0, pendingRequests: 0 });
    },
  );
});
