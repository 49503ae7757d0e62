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

/** A seat whose looks end when the test says so, each with what is there then. */
function seatWithLooks() {
  const looks: (() => void)[] = [];
  let peers: readonly Peer[] = [];
  const names: TransportSeat['names'] = async () => {
    await new Promise<void>((resolve) => looks.push(resolve));
    return peers.map(({ endpoint }) => ({ name: `${SERVER_NAME}${endpoint.name}`, endpoint, about: 'shop' }));
  };
  const seat = { names, peers: () => peers } as TransportSeat;
  return { seat, looks, comes: () => void (peers = [up]) };
}

async function steps(count = 20): Promise<void> {
  for (let n = 0; n < count; n += 1) await Promise.resolve();
}

it('who asks while others look goes on after them, also where a server has come meanwhile', async () => {
  const servers = new Servers();
  const { seat, looks, comes } = seatWithLooks();
  const order: string[] = [];
  const ask = (who: string) => void servers.find(seat).then((found) => order.push(`${who} ${found?.name}`));
  ask('first');
  await steps();
  ask('second');
  comes();
  servers.add(till);
  ask('third');
  await steps();
  expect([looks.length, order]).toEqual([1, []]);
  looks[0]?.();
  await steps();
  ask('fourth');
  await steps();
  expect(order).toEqual(['first till', 'second till', 'third till', 'fourth till']);
  expect(looks).toHaveLength(1);
});

it('one look that finds nobody is enough for all who asked before it began', async () => {
  const servers = new Servers();
  const { seat, looks, comes } = seatWithLooks();
  const early = [1, 2, 3].map(() => servers.find(seat));
  await steps();
  const late = [4, 5].map(() => servers.find(seat));
  looks[0]?.();
  expect(await Promise.all(early)).toEqual([undefined, undefined, undefined]);
  await steps();
  comes();
  looks[1]?.();
  expect(await Promise.all(late)).toEqual([till, till]);
  expect(looks).toHaveLength(2);
});

it('a look that fails fails who looked, and the next one looks again', async () => {
  const servers = new Servers();
  const failing = { names: () => Promise.reject(new Error('gone')) } as unknown as TransportSeat;
  const { seat, looks, comes } = seatWithLooks();
  const [failed, found] = [servers.find(failing), servers.find(seat)];
  await expect(failed).rejects.toThrow('gone');
  await steps();
  comes();
  looks[0]?.();
  expect(await found).toEqual(till);
});
