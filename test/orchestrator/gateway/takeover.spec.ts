import { gateway, OutcomeUnknownError, PeerLostError } from '@nestjs-orchestrator/core';
import { memoryTransport } from '@nestjs-orchestrator/core/memory';
import type { Transport } from '@nestjs-orchestrator/core/ports';
import { describe, expect, it } from 'vitest';
import { gate, nextRecord, recordsOf, rejection } from '../support.js';
import { entriesAt, ledger, turns } from '../transport/support.js';
import { companySelf, gatewayHeard, world } from './support.js';

const books = (cluster: string) => ({ cluster, group: 'ledgers', machine: 'books' });

/** `g1` is active, `g2` stands by; 'books' is in `plant-1` and in `company`. */
async function twoGateways() {
  const set = world();
  const g1 = await set.joinGateway('plant-1', 'g1');
  const g2 = await set.joinGateway('plant-1', 'g2');
  const [one, far] = [await set.join('plant-1', 'one'), await set.join('company', 'far')];
  await one.group.spawn(ledger, { id: 'books' });
  await far.group.spawn(ledger, { id: 'books' });
  const [out, into] = [one.group.ref(books('company')), far.group.ref(books('plant-1'))];
  await out.send({ type: 'ADD', entry: 'first' });
  await into.send({ type: 'ADD', entry: 'first' });
  const plant = set.networkOf('plant-1');
  const stateOf = ({ group }: typeof g1) => group.stats().cluster?.gateway?.state;
  return { ...set, g1, g2, one, far, out, into, plant, stateOf };
}

describe('two gateways of a cluster', () => {
  it('are one that is active and one that stands by', async () => {
    const { g1, g2, stateOf } = await twoGateways();
    expect([stateOf(g1), stateOf(g2)]).toEqual(['active', 'standby']);
    expect(g2.group.health().status).toBe('healthy');
  });

  it('follow each other when the active one dies; what was under way is unknown', async () => {
    const { g1, g2, one, far, out, into, plant, company, stateOf } = await twoGateways();
    const held = rejection(out.request({ type: 'HOLD' }));
    await far.hands.holding.opened;
    const undelivered = nextRecord(far.group, 'undelivered');
    const behind = rejection(into.request({ type: 'HOLD' }));
    await one.hands.holding.opened;
    await into.send({ type: 'ADD', entry: 'accepted' });
    const heard = [gatewayHeard(one), gatewayHeard(far)];
    company.lose(companySelf(far, g1));
    plant.lose(g1.self);
    for (const error of [await held, await behind]) expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect((await undelivered).error).toBeInstanceOf(OutcomeUnknownError);
    expect(await Promise.all(heard)).toMatchObject([{ epoch: 2, endpoint: 'g2' }, { epoch: 2 }]);
    expect(stateOf(g2)).toBe('active');
    one.hands.hold.open();
    far.hands.hold.open();
    await out.send({ type: 'ADD', entry: 'again' });
    await into.send({ type: 'ADD', entry: 'again' });
    expect(await entriesAt(far.group.ref('books'))).toEqual(['first', 'again']);
    expect(await entriesAt(one.group.ref('books'))).toEqual(['first', 'accepted', 'again']);
  });

  it('refuse what had not left, retryably, and can be reached again after the takeover', async () => {
    const set = world({ laneFrames: 1 });
    const g1 = await set.joinGateway('plant-1', 'g1');
    const [one, far] = [await set.join('plant-1', 'one'), await set.join('company', 'far')];
    await far.group.spawn(ledger, { id: 'books' });
    const out = one.group.ref(books('company'));
    await out.send({ type: 'ADD', entry: 'first' });
    const letGo = set.networkOf('plant-1').delay(one.self, g1.self);
    const sends: Promise<Error>[] = [];
    for (const entry of ['on the way', 'before the transport', 'kept']) {
      sends.push(rejection(out.send({ type: 'ADD', entry })));
      await Promise.resolve();
      await Promise.resolve();
    }
    set.networkOf('plant-1').lose(g1.self);
    letGo();
    expect(await sends[0]).toBeInstanceOf(OutcomeUnknownError);
    expect(await sends[2]).toBeInstanceOf(PeerLostError);
    const meanwhile = await rejection(out.send({ type: 'ADD', entry: 'meanwhile' }));
    expect(meanwhile).toMatchObject({ code: 'CLUSTER_UNREACHABLE', reason: 'no-gateway', retryable: true });
    set.company.lose(companySelf(far, g1));
    const heard = gatewayHeard(one);
    await set.joinGateway('plant-1', 'g2');
    expect(await heard).toMatchObject({ epoch: 2, endpoint: 'g2' });
    await out.send({ type: 'ADD', entry: 'again' });
    expect(await entriesAt(far.group.ref('books'))).toEqual(['first', 'again']);
  });

  it('never both carry: what a stopped one had in hand is dropped when it goes on', async () => {
    const { clock, g1, g2, one, far, into, plant, company, stateOf } = await twoGateways();
    // The first has event 1 in hand, on its way to `one`, and stops there; its lease runs out.
    const letGo = plant.delay(g1.self, one.self);
    const first = rejection(into.request({ type: 'ADD', entry: 1 }));
    await turns();
    plant.stall(g1.self);
    const heard = gatewayHeard(one);
    company.lose(companySelf(far, g1));
    expect(await first).toBeInstanceOf(OutcomeUnknownError);
    expect(await heard).toMatchObject({ epoch: 2, endpoint: 'g2' });
    await into.send({ type: 'ADD', entry: 2 });
    expect(await entriesAt(one.group.ref('books'))).toEqual(['first', 2]);
    plant.resume(g1.self);
    letGo();
    await turns();
    expect(await entriesAt(one.group.ref('books'))).toEqual(['first', 2]);
    // It finds out that its lease is over, and stands by from then on.
    expect([stateOf(g1), stateOf(g2)]).toEqual(['active', 'active']);
    await clock.advance(1_000);
    await turns();
    expect([stateOf(g1), stateOf(g2)]).toEqual(['standby', 'active']);
    await into.send({ type: 'ADD', entry: 3 });
    expect(await entriesAt(one.group.ref('books'))).toEqual(['first', 2, 3]);
  });

  it('hand over in peace when the active one is released', async () => {
    const { g1, g2, one, out, far, stateOf } = await twoGateways();
    const heard = gatewayHeard(one);
    await g1.group.release();
    expect(await heard).toMatchObject({ epoch: 2, endpoint: 'g2' });
    expect(stateOf(g2)).toBe('active');
    await out.send({ type: 'ADD', entry: 'again' });
    expect(await entriesAt(far.group.ref('books'))).toEqual(['first', 'again']);
  });
});

describe('a gateway that is released', () => {
  it('leaves nothing behind, also while it is joining again', async () => {
    const set = world();
    const far = await set.join('company', 'far');
    const [joining, mayJoin] = [gate(), gate()];
    let joins = 0;
    const company = memoryTransport(set.company);
    const distributed: Transport = {
      type: 'held',
      async join(options, receiver) {
        joins += 1;
        if (joins === 2) {
          joining.open();
          await mayJoin.opened;
        }
        return company.join(options, receiver);
      },
    };
    const local = memoryTransport(set.networkOf('plant-1'));
    const transports = { gateway: gateway({ local, distributed, joins: 'company' }) };
    const g1 = await set.join('plant-1', 'g1', { transports });
    set.company.lose(companySelf(far, g1));
    void set.clock.advance(1_000);
    await joining.opened;
    const released = g1.group.release();
    mayJoin.open();
    await released;
    await turns();
    expect(far.group.processes().map(({ endpoint }) => endpoint)).toEqual(['far']);
    // The place is free for the next one, which learns from `far` that there was an epoch before.
    const heard = gatewayHeard(far);
    await set.joinGateway('plant-1', 'g2');
    expect(await heard).toMatchObject({ epoch: 2, endpoint: 'plant-1.g2' });
  });
});

describe('a gateway that has lost its place in its own cluster', () => {
  it('gives its lease to the one that stands by, and stands by itself when it is back', async () => {
    const { g1, g2, one, far, out, into, plant, clock, stateOf } = await twoGateways();
    const heard = gatewayHeard(one);
    plant.expel(g1.self);
    expect(await heard).toMatchObject({ epoch: 2, endpoint: 'g2' });
    await clock.advance(1_000);
    await turns();
    expect([stateOf(g1), stateOf(g2)]).toEqual(['standby', 'active']);
    await out.send({ type: 'ADD', entry: 'again' });
    await into.send({ type: 'ADD', entry: 'again' });
    await g1.group.ref(books('company')).send({ type: 'ADD', entry: 'of its own' });
    expect(await entriesAt(far.group.ref('books'))).toEqual(['first', 'again', 'of its own']);
    expect(await entriesAt(one.group.ref('books'))).toEqual(['first', 'again']);
  });

  it('begins anew where it is the only one, for those who were there and for those who come', async () => {
    const set = world();
    const g1 = await set.joinGateway('plant-1', 'g1');
    const [one, far] = [await set.join('plant-1', 'one'), await set.join('company', 'far')];
    await one.group.spawn(ledger, { id: 'books' });
    await far.group.spawn(ledger, { id: 'books' });
    const [out, into] = [one.group.ref(books('company')), far.group.ref(books('plant-1'))];
    await out.send({ type: 'ADD', entry: 'first' });
    await into.send({ type: 'ADD', entry: 'first' });
    const heard = gatewayHeard(one);
    set.networkOf('plant-1').expel(g1.self);
    await turns();
    await set.clock.advance(1_000);
    expect(await heard).toMatchObject({ epoch: 2, endpoint: 'g1' });
    await turns();
    const two = await set.join('plant-1', 'two');
    for (const { group } of [one, two, g1])
      await group.ref(books('company')).send({ type: 'ADD', entry: 'again' });
    await into.send({ type: 'ADD', entry: 'again' });
    expect(await entriesAt(far.group.ref('books'))).toEqual(['first', 'again', 'again', 'again']);
    expect(await entriesAt(one.group.ref('books'))).toEqual(['first', 'again']);
  });
});

describe('the epoch of a gateway', () => {
  it('grows beyond what anybody has heard, also where the gateway has heard nothing', async () => {
    const { joinGateway, g1, g2, one, far, plant, company, out } = await twoGateways();
    for (const gone of [g1, g2]) {
      company.lose(companySelf(far, gone));
      plant.lose(gone.self);
      await turns();
    }
    const epochs = recordsOf(one.group, 'gateway');
    const heard = gatewayHeard(one);
    const g3 = await joinGateway('plant-1', 'g3');
    await heard;
    await turns(40);
    expect(epochs.filter(({ state }) => state === 'active').map(({ epoch }) => epoch)).toEqual([3]);
    expect(g3.group.stats().cluster?.gateway).toMatchObject({ state: 'active', epoch: 3 });
    await out.send({ type: 'ADD', entry: 'again' });
    expect(await entriesAt(far.group.ref('books'))).toEqual(['first', 'again']);
  });
});

describe('a gateway to another distributed cluster', () => {
  it('stands by and says so where a cluster has a way out already', async () => {
    const set = world();
    await set.joinGateway('plant-1', 'g1');
    const other = await set.joinGateway('plant-1', 'g2', 'elsewhere');
    expect(other.group.stats().cluster?.gateway?.state).toBe('standby');
    expect(other.group.health()).toMatchObject({ status: 'degraded' });
    expect(other.group.health().reasons[0]).toMatch(/'plant-1' has a gateway to 'company'/);
  });
});
