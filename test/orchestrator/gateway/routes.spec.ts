import { OutcomeUnknownError, PeerLostError } from '@nestjs-orchestrator/core';
import { memoryTransport } from '@nestjs-orchestrator/core/memory';
import type { Endpoint, Transport } from '@nestjs-orchestrator/core/ports';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readGatewayFrame } from '../../../libs/core/src/orchestrator/cluster/gateway/words.js';
import { rejection } from '../support.js';
import { entriesAt, ledger, turns } from '../transport/support.js';
import { world } from './support.js';

const books = (machine = 'books') => ({ cluster: 'plant-1', group: 'ledgers', machine });

type Hand = (to: Endpoint, frame: Uint8Array) => boolean;

/** A transport of which frames of routes are handed over as the test says. */
function handing(transport: Transport, hand: (frame: Uint8Array, goOn: () => boolean) => boolean): Transport {
  return {
    type: transport.type,
    async join(options, receiver) {
      const seat = await transport.join(options, receiver);
      const trySend: Hand = (to, frame) => {
        const goOn = (): boolean => seat.trySend(to, frame);
        return readGatewayFrame(frame)?.kind === 'data' ? hand(frame, goOn) : goOn();
      };
      return new Proxy(seat, {
        get(target, name) {
          if (name === 'trySend') return trySend;
          const value: unknown = Reflect.get(target, name);
          return typeof value === 'function' ? (value.bind(target) as unknown) : value;
        },
      });
    },
  };
}

describe('a route that a process can send nothing over any more', () => {
  it('ends at both ends: who has asked is told, and what has not begun is taken back', async () => {
    const set = world();
    await set.joinGateway('plant-1', 'g1');
    const way = { isBroken: false };
    const plant = handing(memoryTransport(set.networkOf('plant-1')), (_frame, goOn) => {
      if (!way.isBroken) return goOn();
      way.isBroken = false;
      throw new PeerLostError('g1');
    });
    const one = await set.join('plant-1', 'one', { transports: { memory: plant } });
    onTestFinished(() => one.hands.hold.open());
    const far = await set.join('company', 'far');
    for (const id of ['books', 'other']) await one.group.spawn(ledger, { id });
    const ref = far.group.ref(books());
    const begun = rejection(ref.request({ type: 'HOLD' }));
    await one.hands.holding.opened;
    const behind = rejection(ref.request({ type: 'ADD', entry: 'behind' }));
    const waits = rejection(far.group.ref(books('other')).waitFor('closed'));
    await turns();
    expect(one.group.stats().pendingRequests).toBe(2);
    way.isBroken = true;
    // Its answer is what can't be sent.
    const asked = rejection(far.group.ref(books('other')).request({ type: 'COUNT' }));
    for (const error of await Promise.all([begun, behind, waits, asked]))
      expect(error).toBeInstanceOf(OutcomeUnknownError);
    await turns();
    expect([one.group.stats().pendingRequests, far.group.stats().pendingRequests]).toEqual([0, 0]);
    one.hands.hold.open();
    await ref.send({ type: 'ADD', entry: 'again' });
    expect(await entriesAt(ref)).toEqual(['again']);
  });
});

describe('a gap in a route', () => {
  it('ends it, and both ends go on over another one', async () => {
    const set = world();
    const g1 = await set.joinGateway('plant-1', 'g1');
    const server = { forgets: false };
    const company = handing(memoryTransport(set.company), (_frame, goOn) => server.forgets || goOn());
    const one = await set.join('plant-1', 'one');
    const far = await set.join('company', 'far', { transports: { memory: company } });
    await one.group.spawn(ledger, { id: 'books' });
    await far.group.spawn(ledger, { id: 'books' });
    const ref = far.group.ref(books());
    const back = one.group.ref({ cluster: 'company', group: 'ledgers', machine: 'books' });
    await ref.send({ type: 'ADD', entry: 'before' });
    await back.send({ type: 'ADD', entry: 'before' });
    server.forgets = true;
    const lost = rejection(ref.request({ type: 'ADD', entry: 'lost' }));
    await turns();
    server.forgets = false;
    const next = rejection(ref.request({ type: 'ADD', entry: 'behind the gap' }));
    expect([await lost, await next]).toEqual([
      expect.any(OutcomeUnknownError),
      expect.any(OutcomeUnknownError),
    ]);
    await ref.send({ type: 'ADD', entry: 'after' });
    await back.send({ type: 'ADD', entry: 'after' });
    expect(await entriesAt(ref)).toEqual(['before', 'after']);
    expect(await entriesAt(back)).toEqual(['before', 'after']);
    expect(g1.group.stats().cluster?.gateway?.routes).toBe(2);
  });
});
