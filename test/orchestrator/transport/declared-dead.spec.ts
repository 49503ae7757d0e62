import { MachineStoppedError, OutcomeUnknownError } from '@nestjs-orchestrator/core';
import { memoryTransport } from '@nestjs-orchestrator/core/memory';
import type { Transport } from '@nestjs-orchestrator/core/ports';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import { expect, it } from 'vitest';
import { nextRecord, recordsOf, rejection } from '../support.js';
import { entriesAt, ledger, type Member, stage } from './support.js';

/** 'books' is at process two, which others may declare dead; process one knows it. */
async function books() {
  const set = stage();
  const [one, two] = [await set.join('one'), await set.join('two')];
  await two.group.spawn(ledger, { id: 'books' });
  const ref = one.group.ref('books');
  await ref.send({ type: 'ADD', entry: 'before' });
  return { ...set, one, two, ref };
}

const placeOf = ({ group }: Member) => {
  const [self] = group.processes();
  return { name: self?.endpoint ?? '', incarnation: self?.incarnation ?? '' };
};

it('a process that others have declared dead joins again as another incarnation, with its machines', async () => {
  const { network, one, two, ref } = await books();
  const former = placeOf(two);
  const records = recordsOf(two.group, 'membership');
  const regained = nextRecord(two.group, 'membership').then(() => nextRecord(two.group, 'membership'));
  network.expel(former);
  await regained;
  const present = placeOf(two);
  expect(present).toMatchObject({ name: 'two' });
  expect(present.incarnation).not.toBe(former.incarnation);
  expect(records).toEqual([
    { type: 'membership', state: 'lost', endpoint: 'two', incarnation: former.incarnation },
    {
      type: 'membership',
      state: 'regained',
      endpoint: 'two',
      incarnation: present.incarnation,
      displaced: [],
    },
  ]);
  await ref.send({ type: 'ADD', entry: 'after' });
  expect(await entriesAt(ref)).toEqual(['before', 'after']);
  // And the other way round.
  await one.group.spawn(ledger, { id: 'others' });
  await two.group.ref('others').send({ type: 'ADD', entry: 'from two' });
  expect(await entriesAt(one.group.ref('others'))).toEqual(['from two']);
  expect(two.group.stats().cluster).toMatchObject({ rejoins: 1 });
  expect(two.group.health()).toMatchObject({ status: 'healthy' });
});

it('what was open on both sides ends: unknown where it had been taken', async () => {
  const { network, one, two, ref } = await books();
  const asked = rejection(ref.request({ type: 'HOLD' }));
  await two.hands.holding.opened;
  await one.group.spawn(ledger, { id: 'others' });
  const asking = rejection(two.group.ref('others').request({ type: 'HOLD' }));
  await one.hands.holding.opened;
  const regained = nextRecord(two.group, 'membership').then(() => nextRecord(two.group, 'membership'));
  network.expel(placeOf(two));
  expect(await asked).toBeInstanceOf(OutcomeUnknownError);
  expect(await asking).toBeInstanceOf(OutcomeUnknownError);
  await regained;
  one.hands.hold.open();
  two.hands.hold.open();
  expect(await entriesAt(ref)).toEqual(['before']);
});

it('a machine whose id another process has taken meanwhile ends, and is reported', async () => {
  const network = stage();
  const one = await network.join('one');
  // It finds its way back only when it is let in.
  let letIn = (): void => undefined;
  let closed = Promise.resolve();
  const inner = memoryTransport(network.network);
  const slow: Transport = {
    type: inner.type,
    join: async (...options) => {
      await closed;
      return inner.join(...options);
    },
  };
  const two = await network.join('two', { transports: { memory: slow } });
  await two.group.spawn(ledger, { id: 'books' });
  const own = two.group.ref('books');
  closed = new Promise((resolve) => (letIn = resolve));
  const lost = nextRecord(two.group, 'membership');
  network.network.expel(placeOf(two));
  await lost;
  expect(two.group.health()).toMatchObject({ status: 'degraded' });
  expect(two.group.health().reasons.join()).toContain('lost its place in cluster');
  await one.group.spawn(ledger, { id: 'books' });
  const [regained, stopped] = [nextRecord(two.group, 'membership'), nextRecord(two.group, 'stopped')];
  letIn();
  expect(await regained).toMatchObject({ state: 'regained', displaced: ['books'] });
  expect(await stopped).toMatchObject({ reason: 'displaced', machine: { id: 'books' } });
  expect(await rejection(own.send({ type: 'ADD', entry: 'too late' }))).toBeInstanceOf(MachineStoppedError);
  await two.group.ref('books').send({ type: 'ADD', entry: 'to one' });
  expect(await entriesAt(one.group.ref('books'))).toEqual(['to one']);
});

it('who can not come back tries again, says why, and can be released meanwhile', async () => {
  const { network, join } = stage();
  const one = await join('one');
  const inner = memoryTransport(network);
  let refusals = 0;
  const closed: Transport = {
    type: inner.type,
    join: (...options) => {
      if (refusals > 0) {
        refusals -= 1;
        return Promise.reject(new Error('the door is shut'));
      }
      return inner.join(...options);
    },
  };
  const clock = new VirtualClock();
  const two = await join('two', { transports: { memory: closed }, clock });
  await two.group.spawn(ledger, { id: 'books' });
  clock.whenIdle('machines', () => two.group.settled());
  const lost = nextRecord(two.group, 'membership');
  refusals = 2;
  network.expel(placeOf(two));
  await lost;
  const ahead = one.group.ref('books').send({ type: 'ADD', entry: 'x' });
  await rejection(ahead);
  const sent = two.group.spawn(ledger, { id: 'more' });
  await clock.advance(1_000);
  expect(two.group.health().reasons.join()).toContain('the door is shut');
  await clock.advance(1_000);
  await sent;
  expect((await one.group.locate('more'))?.id).toBe('more');
  refusals = Infinity;
  const again = nextRecord(two.group, 'membership');
  network.expel(placeOf(two));
  await again;
  await two.group.release();
  expect(one.group.processes().map(({ endpoint }) => endpoint)).toEqual(['one']);
});
