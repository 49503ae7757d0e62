import type { Endpoint, Peer, TransportSeat } from '@nestjs-orchestrator/core/ports';
import { expect, it } from 'vitest';
import { Servers } from './servers.js';
import { SERVER_NAME } from './transport-options.js';

const till: Endpoint = { name: 'till', incarnation: 'i-1' };

/** A seat whose directory holds one server, of which it hears, or hears the last, while it reads. */
function seatOf({ before, after }: { before: readonly Peer[]; after: readonly Peer[] }): TransportSeat {
  let peers = before;
  const names: TransportSeat['names'] = async () => {
    await Promise.resolve();
    peers = after;
    return [{ name: `${SERVER_NAME}till`, endpoint: till, about: 'shop' }];
  };
  return { names, peers: () => peers } as TransportSeat;
}

const up: Peer = { endpoint: till, state: 'up' };

it('a server of which the seat hears first by its name is there at once', async () => {
  const servers = new Servers();
  await servers.look(seatOf({ before: [], after: [up] }));
  expect(servers.next()).toEqual(till);
});

it('a server that was lost while the names were read is not taken', async () => {
  const servers = new Servers();
  await servers.look(seatOf({ before: [up], after: [] }));
  expect(servers.next()).toBeUndefined();
});
