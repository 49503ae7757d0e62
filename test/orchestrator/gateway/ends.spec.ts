import { OutcomeUnknownError } from '@nestjs-orchestrator/core';
import { memoryTransport } from '@nestjs-orchestrator/core/memory';
import { silentLogger, systemClock } from '@nestjs-orchestrator/core/ports';
import { describe, expect, it } from 'vitest';
import { GATEWAY_MAGIC, GATEWAY_VERSION } from '../../../libs/core/src/orchestrator/cluster/gateway/words.js';
import { gate, rejection } from '../support.js';
import { entriesAt, ledger, turns, upTo } from '../transport/support.js';
import { companySelf, world } from './support.js';

const books = (cluster: string, machine = 'books') => ({ cluster, group: 'ledgers', machine });

describe('what is lost behind a gateway', () => {
  it('is told as where no gateway is: the process of the machine', async () => {
    const { networkOf, join, joinGateway } = world();
    await joinGateway('plant-1', 'g1');
    await joinGateway('plant-2', 'g2');
    const [one, two] = [await join('plant-1', 'one'), await join('plant-2', 'two')];
    await two.group.spawn(ledger, { id: 'books' });
    const ref = one.group.ref(books('plant-2'));
    const held = rejection(ref.request({ type: 'HOLD' }));
    await two.hands.holding.opened;
    networkOf('plant-2').lose(two.self);
    expect(await held).toBeInstanceOf(OutcomeUnknownError);
    expect(await held).toMatchObject({ machine: 'plant-2/ledgers/books', endpoint: 'plant-2/two' });
    two.hands.hold.open();
    const again = await join('plant-2', 'two');
    await again.group.spawn(ledger, { id: 'books' });
    await ref.send({ type: 'ADD', entry: 'again' });
    expect(await entriesAt(again.group.ref('books'))).toEqual(['again']);
  });

  it('is told to the other side as well: the process that asked', async () => {
    const { networkOf, join, joinGateway } = world();
    await joinGateway('plant-1', 'g1');
    const [one, far] = [await join('plant-1', 'one'), await join('company', 'far')];
    await far.group.spawn(ledger, { id: 'books' });
    void rejection(one.group.ref(books('company')).request({ type: 'HOLD' }));
    await far.hands.holding.opened;
    expect(far.group.stats().pendingRequests).toBe(1);
    networkOf('plant-1').lose(one.self);
    await turns();
    expect(far.group.stats().pendingRequests).toBe(0);
    far.hands.hold.open();
  });

  it('has no route left', async () => {
    const { networkOf, join, joinGateway } = world();
    const g1 = await joinGateway('plant-1', 'g1');
    const [one, far] = [await join('plant-1', 'one'), await join('company', 'far')];
    await far.group.spawn(ledger, { id: 'books' });
    await one.group.ref(books('company')).send({ type: 'ADD', entry: 1 });
    expect(g1.group.stats().cluster?.gateway).toMatchObject({ routes: 1, queuedBytes: 0 });
    networkOf('plant-1').lose(one.self);
    await turns();
    expect(g1.group.stats().cluster?.gateway).toMatchObject({ routes: 0 });
  });
});

describe('back-pressure through a gateway', () => {
  it('reaches the sender, and a slow machine holds nobody else', async () => {
    const { join, joinGateway } = world();
    await joinGateway('plant-1', 'g1');
    const [one, far] = [await join('plant-1', 'one'), await join('company', 'far', { maxUnaccepted: 64 })];
    await one.group.spawn(ledger, { id: 'books' });
    await one.group.spawn(ledger, { id: 'other' });
    const ref = far.group.ref(books('plant-1'));
    const held = ref.request({ type: 'HOLD' });
    await one.hands.holding.opened;
    let taken = 0;
    while (taken < 10_000 && ref.trySend({ type: 'ADD', entry: taken })) {
      taken += 1;
      if (taken % 32 === 0) await turns(2);
    }
    expect(taken).toBeLessThan(10_000);
    const waits = ref.send({ type: 'ADD', entry: taken });
    const second = await join('company', 'second');
    await second.group.ref(books('plant-1', 'other')).send({ type: 'ADD', entry: 'passes' });
    expect(await entriesAt(second.group.ref(books('plant-1', 'other')))).toEqual(['passes']);
    one.hands.hold.open();
    await held;
    await waits;
    expect(await entriesAt(one.group.ref('books'))).toEqual(upTo(taken + 1));
  });

  it('keeps what is for a process that stands still apart from what is for others, and bounds it', async () => {
    const { networkOf, join, joinGateway } = world({ laneFrames: 2 });
    const g1 = await joinGateway('plant-1', 'g1');
    const [still, one] = [await join('plant-1', 'still'), await join('plant-1', 'one')];
    const far = await join('company', 'far', { maxUnaccepted: 16 });
    await still.group.spawn(ledger, { id: 'books' });
    await one.group.spawn(ledger, { id: 'other' });
    const stuck = far.group.ref(books('plant-1'));
    const other = far.group.ref(books('plant-1', 'other'));
    await stuck.send({ type: 'ADD', entry: 'first' });
    await other.send({ type: 'ADD', entry: 'first' });
    networkOf('plant-1').stall(still.self);
    const sends = upTo(40).map((entry) => {
      const sent = stuck.send({ type: 'ADD', entry });
      return { entry, sent };
    });
    for (const { entry } of sends) {
      await other.send({ type: 'ADD', entry });
      await turns(1);
    }
    expect(await entriesAt(one.group.ref('other'))).toEqual(['first', ...upTo(40)]);
    expect(far.group.stats().cluster?.waiting).toBe(40 - 16);
    networkOf('plant-1').resume(still.self);
    await Promise.all(sends.map(({ sent }) => sent));
    expect(await entriesAt(still.group.ref('books'))).toEqual(['first', ...upTo(40)]);
    expect(g1.group.stats().cluster?.gateway?.queuedBytes).toBe(0);
  });
});

describe('what came through a gateway', () => {
  it('never leaves through one, however the clusters are joined', async () => {
    const { join, joinGateway } = world();
    // a and b are joined by two gateways, one in each direction.
    const gateways = [await joinGateway('a', 'g1', 'b'), await joinGateway('b', 'g2', 'a')];
    const [inA, inB] = [await join('a', 'one'), await join('b', 'two')];
    await inA.group.spawn(ledger, { id: 'books' });
    await inB.group.spawn(ledger, { id: 'books' });
    await inA.group.ref(books('b')).send({ type: 'ADD', entry: 'to b' });
    await inB.group.ref(books('a')).send({ type: 'ADD', entry: 'to a' });
    expect(await entriesAt(inA.group.ref('books'))).toEqual(['to a']);
    expect(await entriesAt(inB.group.ref('books'))).toEqual(['to b']);
    const framesOf = (): number[] =>
      gateways.map(({ group }) => group.stats().cluster?.frames.framesSent ?? 0);
    for (const from of [inA, inB]) {
      const error = await rejection(from.group.ref(books('c')).send({ type: 'ADD', entry: 'nowhere' }));
      expect(error).toMatchObject({ code: 'CLUSTER_UNREACHABLE', cluster: 'c' });
    }
    await turns();
    const before = framesOf();
    await turns(50);
    expect(framesOf()).toEqual(before);
  });

  it('is refused by its hops where somebody sends it on', async () => {
    const { company, join, joinGateway } = world();
    const g1 = await joinGateway('plant-1', 'g1');
    const far = await join('company', 'far');
    const answered = gate();
    const words: unknown[] = [];
    const seat = await memoryTransport(company).join(
      { cluster: 'company', endpoint: 'forger', clock: systemClock, logger: silentLogger },
      {
        onFrame: (_from, frame) => {
          const text = new TextDecoder().decode(frame.subarray(3));
          const word = JSON.parse(text) as { kind: string };
          if (word.kind === 'greeting') return;
          words.push(word);
          if (words.length === 3) answered.open();
        },
        onPeer: () => {},
      },
    );
    const tell = (word: object): boolean =>
      seat.trySend(
        companySelf(far, g1),
        Uint8Array.of(GATEWAY_MAGIC, GATEWAY_VERSION, 0, ...new TextEncoder().encode(JSON.stringify(word))),
      );
    const ask = { kind: 'ask', about: 'machine', group: 'ledgers', machine: 'books' };
    tell({ ...ask, number: 1, cluster: 'plant-1', hops: 2 });
    tell({ ...ask, number: 2, cluster: 'elsewhere', hops: 0 });
    const origin = { route: 'forged.1', cluster: 'x', endpoint: 'y', limit: 1_000 };
    tell({ kind: 'open', ...origin, toCluster: 'plant-1', to: g1.self.incarnation, hops: 2 });
    tell({ kind: 'constructor' });
    tell({ kind: 'open', to: 7 });
    await answered.opened;
    expect(words).toMatchObject([
      { kind: 'close', route: 'forged.1' },
      {
        kind: 'failure',
        number: 1,
        failure: { name: 'ClusterUnreachableError', fields: { reason: 'loop' } },
      },
      {
        kind: 'failure',
        number: 2,
        failure: { name: 'ClusterUnreachableError', fields: { reason: 'loop' } },
      },
    ]);
    await seat.leave();
  });
});
