import {
  defineMachine,
  emit,
  OutcomeUnknownError,
  PeerLostError,
  UnknownMachineError,
} from '@nestjs-orchestrator/core';
import { memoryTransport } from '@nestjs-orchestrator/core/memory';
import type { Transport, TransportSeat } from '@nestjs-orchestrator/core/ports';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import { describe, expect, it } from 'vitest';
import { nextRecord, recordsOf, rejection } from '../support.js';
import { entriesAt, ledger, stage, turns, upTo } from './support.js';

/** 'books' is at process two, and known to process one. */
async function books(network: Parameters<typeof stage>[0] = {}) {
  const set = stage(network);
  const clock = new VirtualClock();
  const [one, two] = [await set.join('one', { clock }), await set.join('two', { clock })];
  await two.group.spawn(ledger, { id: 'books' });
  const ref = one.group.ref('books');
  await ref.send({ type: 'ADD', entry: 'first' });
  return { ...set, clock, one, two, ref };
}

/** A transport as it is, but with some verbs of its seats replaced. */
function replaced(transport: Transport, verbs: (seat: TransportSeat) => Partial<TransportSeat>): Transport {
  return {
    type: transport.type,
    async join(options, receiver) {
      const seat = await transport.join(options, receiver);
      const own = verbs(seat);
      return new Proxy(seat, {
        get(target, name) {
          const value: unknown = Reflect.get(own, name) ?? Reflect.get(target, name);
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      });
    },
  };
}

describe('what is sent to a process that is lost', () => {
  it('was not taken: it is refused, and may be sent again to whoever has the machine then', async () => {
    const { network, one, two, ref, join } = await books({ laneFrames: 1 });
    const letGo = network.delay(one.seat.self, two.seat.self);
    // One frame is on the way, one stands before the transport, the rest waits for the batch to leave.
    const taken = rejection(ref.send({ type: 'ADD', entry: 'on the way' }));
    await Promise.resolve();
    await Promise.resolve();
    const offered = rejection(ref.send({ type: 'ADD', entry: 'before the transport' }));
    await Promise.resolve();
    await Promise.resolve();
    const kept = rejection(ref.send({ type: 'ADD', entry: 'kept' }));
    network.lose(two.seat.self);
    letGo();
    expect(await taken).toBeInstanceOf(OutcomeUnknownError);
    expect((await offered).name).toMatch(/^(OutcomeUnknownError|PeerLostError)$/);
    expect(await kept).toBeInstanceOf(PeerLostError);
    expect(await kept).toMatchObject({ retryable: true });
    const again = await join('two');
    await again.group.spawn(ledger, { id: 'books' });
    await ref.send({ type: 'ADD', entry: 'again' });
    expect(await entriesAt(ref)).toEqual(['again']);
  });

  it('may have been taken, as long as the transport has not said so: its outcome is unknown', async () => {
    const { network, join } = stage();
    const two = await join('two');
    await two.group.spawn(ledger, { id: 'books' });
    let isFull = false;
    const one = await join('one', {
      transports: {
        memory: replaced(memoryTransport(network), (seat) => ({
          trySend: (to, frame) => !isFull && seat.trySend(to, frame),
          send: () => new Promise(() => {}),
        })),
      },
    });
    const ref = one.group.ref('books');
    await ref.send({ type: 'ADD', entry: 'first' });
    isFull = true;
    const offered = rejection(ref.send({ type: 'ADD', entry: 'before the transport' }));
    await turns();
    const kept = rejection(ref.send({ type: 'ADD', entry: 'kept' }));
    network.lose(two.seat.self);
    expect(await offered).toBeInstanceOf(OutcomeUnknownError);
    expect(await kept).toBeInstanceOf(PeerLostError);
  });

  it('was accepted and is not done: its outcome is unknown, and that is reported', async () => {
    const { network, one, two, ref } = await books();
    const undelivered = nextRecord(one.group, 'undelivered');
    const held = rejection(ref.request({ type: 'HOLD' }));
    await two.hands.holding.opened;
    await ref.send({ type: 'ADD', entry: 'accepted' });
    network.lose(two.seat.self);
    expect(await held).toBeInstanceOf(OutcomeUnknownError);
    expect(await held).toMatchObject({ machine: 'test/ledgers/books', event: 'HOLD', endpoint: 'two' });
    expect(await undelivered).toMatchObject({ to: 'test/ledgers/books', event: { entry: 'accepted' } });
    expect((await undelivered).error).toBeInstanceOf(OutcomeUnknownError);
    two.hands.hold.open();
  });

  it('was done: nothing is said about it', async () => {
    const { network, one, two, ref } = await books();
    const undelivered = recordsOf(one.group, 'undelivered');
    await ref.send({ type: 'ADD', entry: 'done' });
    await ref.request({ type: 'COUNT' });
    const lost = nextRecord(one.group, 'peer');
    expect(one.group.stats().cluster).toMatchObject({ unaccepted: 0, unfinished: 0 });
    network.lose(two.seat.self);
    expect(await lost).toMatchObject({ endpoint: 'two', state: 'lost' });
    expect(undelivered).toEqual([]);
  });

  it('was answered, but the answer was on the way: it still comes in', async () => {
    const { network, one, two, ref } = await books();
    const letGo = network.delay(two.seat.self, one.seat.self);
    const answer = ref.request({ type: 'COUNT' });
    await two.group.ref('books').request({ type: 'COUNT' });
    await turns();
    network.lose(two.seat.self);
    letGo();
    expect((await answer).reply).toBe(1);
  });

  it('waited for its machine to be found: nobody has it any more', async () => {
    const { one, two } = await books();
    await two.group.release();
    expect(await rejection(one.group.ref('books').send({ type: 'COUNT' }))).toBeInstanceOf(
      UnknownMachineError,
    );
  });
});

describe('a process that is lost', () => {
  it('leaves its questions behind: those that have not begun are taken back', async () => {
    const { network, one, two, ref } = await books();
    const held = rejection(ref.request({ type: 'HOLD' }));
    await two.hands.holding.opened;
    const queued = rejection(ref.request({ type: 'ADD', entry: 'nobody waits for it' }));
    await ref.send({ type: 'ADD', entry: 'an event stays' });
    network.lose(one.seat.self);
    two.hands.hold.open();
    expect(await entriesAt(two.group.ref('books'))).toEqual(['first', 'an event stays']);
    await one.group.release();
    expect((await held).name).toMatch(/Error$/);
    expect((await queued).name).toMatch(/Error$/);
  });

  it('leaves none behind that waited for room either, and what it had sent behind them comes in', async () => {
    const { network, one, two, ref } = await books();
    const held = rejection(ref.request({ type: 'HOLD' }));
    await two.hands.holding.opened;
    for (const entry of upTo(512)) await ref.send({ type: 'ADD', entry });
    const asked = [1, 2].map(() => rejection(ref.request({ type: 'ADD', entry: 'nobody waits for it' })));
    const sent = rejection(ref.send({ type: 'ADD', entry: 'an event' }));
    const askedLast = rejection(ref.request({ type: 'ADD', entry: 'nobody waits for that either' }));
    await turns();
    network.lose(one.seat.self);
    await turns();
    two.hands.hold.open();
    expect(await entriesAt(two.group.ref('books'))).toEqual(['first', ...upTo(512), 'an event']);
    expect(two.group.stats()).toMatchObject({ waitingSenders: 0, pendingRequests: 0 });
    await one.group.release();
    for (const work of [held, ...asked, sent, askedLast]) expect((await work).name).toMatch(/Error$/);
  });

  it('may come again under its name, and gets nothing that was meant for the one before', async () => {
    const { network, one, two, ref, join } = await books();
    const letGo = network.delay(one.seat.self, two.seat.self);
    const unknown = rejection(ref.send({ type: 'ADD', entry: 'for the first' }));
    await Promise.resolve();
    network.lose(two.seat.self);
    const second = await join('two');
    await second.group.spawn(ledger, { id: 'books' });
    letGo();
    expect((await unknown).name).toMatch(/^(OutcomeUnknownError|PeerLostError)$/);
    await ref.send({ type: 'ADD', entry: 'for the second' });
    expect(await entriesAt(ref)).toEqual(['for the second']);
  });

  it('is told of, like one that comes, stands still, and goes on', async () => {
    const { network, one, two, join } = await books();
    const peers = recordsOf(one.group, 'peer');
    const three = await join('three');
    network.stall(two.seat.self);
    await one.group.locate('books');
    expect(one.group.health()).toMatchObject({
      status: 'degraded',
      reasons: ["process 'two' of cluster 'test' does not move"],
    });
    expect(one.group.processes().map(({ endpoint, state }) => `${endpoint} ${state}`)).toEqual([
      'one up',
      'two suspect',
      'three up',
    ]);
    network.resume(two.seat.self);
    const lost = nextRecord(one.group, 'peer');
    await three.group.release();
    await lost;
    await one.group.locate('books');
    expect(peers.map(({ endpoint, state }) => `${endpoint} ${state}`)).toEqual([
      'three up',
      'two suspect',
      'two up',
      'three lost',
    ]);
  });
});

const answerer = defineMachine({
  id: 'answerer',
  initial: 'open',
  states: { open: { on: { ASK: { actions: ['ask', emit({ type: 'ASKED' })] }, NOTE: { actions: 'note' } } } },
});

/** A step at process two answers one, and sends events of so many characters to 'books' there; one dies while its action runs. */
async function lostInAStep(lengths: readonly number[]) {
  const { network, join } = stage();
  const [one, two] = [await join('one'), await join('two')];
  await one.group.spawn(ledger, { id: 'books' });
  await two.group.ref('books').send({ type: 'COUNT' });
  const notes: string[] = [];
  two.group.register(answerer, {
    actions: {
      ask: (ctx) => {
        network.lose(one.seat.self);
        ctx.send('other', { type: 'NOTE' });
        for (const length of lengths) ctx.send('books', { type: 'ADD', entry: 'x'.repeat(length) });
        ctx.reply('told');
      },
      note: (ctx) => void notes.push(`${ctx.machine.id} takes a note`),
    },
  });
  two.group.subscribe(({ type }) => void notes.push(type), { only: ['failure', 'emitted'] });
  const failures = recordsOf(two.group, 'failure');
  await two.group.spawn(answerer, { id: 'answerer' });
  await two.group.spawn(answerer, { id: 'other' });
  const asked = rejection(one.group.ref('answerer').request({ type: 'ASK' }));
  return { one, two, notes, failures, asked };
}

describe('a process that is found to be lost while a step is adopted that answers it', () => {
  it.each([
    { when: 'with the last send of a full frame', lengths: [10_000, 10_000, 10_000] },
    { when: 'where a send needs another frame', lengths: [15_000, 15_000, 10] },
    { when: 'with the answer', lengths: [10, 16_000] },
  ])('$when: every send is reported, and no other step begins in between', async ({ lengths }) => {
    const { one, two, notes, failures, asked } = await lostInAStep(lengths);
    const lost = nextRecord(two.group, 'peer');
    expect(await lost).toMatchObject({ endpoint: 'one', state: 'lost' });
    await two.group.settled();
    await turns();
    expect(failures.map(({ kind, event }) => [kind, (event as unknown as Entry).entry.length])).toEqual(
      lengths.map((length) => ['undeliverable', length]),
    );
    expect(notes.filter((note) => note !== 'failure')).toEqual(['emitted', 'other takes a note']);
    expect(two.group.stats().cluster).toMatchObject({ unaccepted: 0, unfinished: 0 });
    await one.group.release();
    expect((await asked).name).toMatch(/Error$/);
  });

  it('leaves its questions behind: those that have not begun are taken back', async () => {
    const { network, one, two, ref } = await books();
    await one.group.spawn(ledger, { id: 'others' });
    await two.group.ref('others').send({ type: 'COUNT' });
    await two.group.spawn(ledger, { id: 'teller' });
    const held = rejection(ref.request({ type: 'HOLD' }));
    await two.hands.holding.opened;
    const queued = rejection(ref.request({ type: 'ADD', entry: 'nobody waits for it' }));
    await turns();
    network.lose(one.seat.self);
    // The link closes with what is sent there, before anybody is told of the loss.
    two.group.ref('others').trySend({ type: 'ADD', entry: 'x'.repeat(20_000) });
    await turns();
    two.hands.hold.open();
    expect(await entriesAt(two.group.ref('books'))).toEqual(['first']);
    await one.group.release();
    expect((await held).name).toMatch(/Error$/);
    expect((await queued).name).toMatch(/Error$/);
  });
});

interface Entry {
  readonly entry: string;
}

describe('a process that stands still', () => {
  it('gets what was sent to it when it goes on; nobody gives up but by time', async () => {
    const { network, clock, two, ref } = await books();
    network.stall(two.seat.self);
    const sent = upTo(50).map((entry) => ref.send({ type: 'ADD', entry }));
    const late = rejection(ref.request({ type: 'COUNT' }, { timeoutMs: 1_000 }));
    await clock.advance(1_000);
    expect(await late).toMatchObject({ code: 'REQUEST_TIMEOUT' });
    network.resume(two.seat.self);
    await Promise.all(sent);
    expect(await entriesAt(ref)).toEqual(['first', ...upTo(50)]);
  });
});
