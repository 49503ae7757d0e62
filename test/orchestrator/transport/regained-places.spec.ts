import { TransportUnavailableError } from '@nestjs-orchestrator/core';
import { memoryTransport, type MemoryNetwork } from '@nestjs-orchestrator/core/memory';
import type { Transport, TransportSeat } from '@nestjs-orchestrator/core/ports';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import { expect, it } from 'vitest';
import { gate, nextRecord, type Gate } from '../support.js';
import { entriesAt, ledger, type Member, stage, turns } from './support.js';

/** What the claims of a process, and its joins, do at present instead of what they should. */
interface Hindrances {
  claim: (name: string) => Promise<void> | undefined;
  join: Promise<void> | undefined;
}

/** A transport whose claims wait, or fail, as a test says. */
function hindered(network: MemoryNetwork, hindrances: Hindrances): Transport {
  const inner = memoryTransport(network);
  const claiming = (seat: TransportSeat): TransportSeat =>
    new Proxy(seat, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        const bound = value.bind(target) as (...args: unknown[]) => unknown;
        if (name !== 'claim') return bound;
        return async (claimed: string, about: string) => {
          await hindrances.claim(claimed);
          return bound(claimed, about);
        };
      },
    });
  return {
    type: inner.type,
    join: async (...args) => {
      await hindrances.join;
      return claiming(await inner.join(...args));
    },
  };
}

/** 'first' and 'second' are at process two, whose names are claimed as the test says; process one knows them. */
async function twoLedgers() {
  const { network, join } = stage();
  const hindrances: Hindrances = { claim: () => undefined, join: undefined };
  const clock = new VirtualClock();
  const one = await join('one');
  const two = await join('two', { transports: { memory: hindered(network, hindrances) }, clock });
  clock.whenIdle('machines', () => two.group.settled());
  for (const id of ['first', 'second']) await two.group.spawn(ledger, { id });
  const refs = { first: one.group.ref('first'), second: one.group.ref('second') };
  await refs.first.send({ type: 'ADD', entry: 'before' });
  await refs.second.send({ type: 'ADD', entry: 'before' });
  return { network, clock, one, two, hindrances, ...refs };
}

const placeOf = ({ group }: Member) => {
  const [self] = group.processes();
  return { name: self?.endpoint ?? '', incarnation: self?.incarnation ?? '' };
};

/** Process two is expelled, and back but for its second name, which waits for the gate. */
async function half(set: Awaited<ReturnType<typeof twoLedgers>>): Promise<Gate> {
  const letClaim = gate();
  const claiming = gate();
  set.hindrances.claim = (name) => {
    if (!name.endsWith('/second')) return undefined;
    claiming.open();
    return letClaim.opened;
  };
  set.network.expel(placeOf(set.two));
  await claiming.opened;
  await turns();
  return letClaim;
}

it('a process that can not claim its names again gives that place back, and claims all of them in the next one', async () => {
  const { network, clock, one, two, hindrances, first, second } = await twoLedgers();
  let failures = 1;
  hindrances.claim = (name) => {
    if (!name.endsWith('/second') || failures === 0) return undefined;
    failures -= 1;
    return Promise.reject(new TransportUnavailableError('memory', 'nobody answers.'));
  };
  network.expel(placeOf(two));
  await turns();
  expect(two.group.health().reasons.join()).toContain('nobody answers');
  expect(one.group.processes().map(({ endpoint }) => endpoint)).toEqual(['one']);
  await clock.advance(1_000);
  expect(two.group.health()).toMatchObject({ status: 'healthy' });
  for (const ref of [first, second]) await ref.send({ type: 'ADD', entry: 'after' });
  expect([await entriesAt(first), await entriesAt(second)]).toEqual([
    ['before', 'after'],
    ['before', 'after'],
  ]);
});

it('a machine whose id was taken by another process ends, also where the first try to come back failed behind it', async () => {
  const { network, clock, one, two, hindrances } = await twoLedgers();
  const door = gate();
  hindrances.join = door.opened;
  let failures = 1;
  hindrances.claim = (name) => {
    if (!name.endsWith('/second') || failures === 0) return undefined;
    failures -= 1;
    return turns().then(() => Promise.reject(new TransportUnavailableError('memory', 'nobody answers.')));
  };
  network.expel(placeOf(two));
  await one.group.spawn(ledger, { id: 'first' });
  door.open();
  await turns(20);
  const regained = nextRecord(two.group, 'membership');
  await clock.advance(1_000);
  expect(await regained).toMatchObject({ state: 'regained', displaced: ['first'] });
  expect((await two.group.locate('first'))?.id).toBe('first');
  await two.group.ref('first').send({ type: 'ADD', entry: 'to one' });
  expect(await entriesAt(one.group.ref('first'))).toEqual(['to one']);
});

it('a process answers whoever finds it while it claims the rest of its names', async () => {
  const set = await twoLedgers();
  const letClaim = await half(set);
  await set.first.send({ type: 'ADD', entry: 'meanwhile' });
  expect(await entriesAt(set.first)).toEqual(['before', 'meanwhile']);
  letClaim.open();
  await turns();
  await set.second.send({ type: 'ADD', entry: 'after' });
  expect(await entriesAt(set.second)).toEqual(['before', 'after']);
});

it('a machine that ends while its process claims other names gives its name back', async () => {
  const set = await twoLedgers();
  const letClaim = await half(set);
  await set.two.group.ref('first').stop();
  letClaim.open();
  await turns();
  await set.one.group.spawn(ledger, { id: 'first' });
  expect(await entriesAt(set.one.group.ref('first'))).toEqual([]);
});

it('a process that has no place counts what it has sent once', async () => {
  const { network, two, hindrances } = await twoLedgers();
  const before = two.group.stats().cluster?.frames;
  const door = gate();
  hindrances.join = door.opened;
  network.expel(placeOf(two));
  await turns();
  expect(two.group.stats().cluster?.frames).toEqual({ ...before, waiting: 0, peers: 0 });
  door.open();
  await turns();
  expect(two.group.stats().cluster?.frames.framesSent).toBeGreaterThanOrEqual(before?.framesSent ?? 0);
});
