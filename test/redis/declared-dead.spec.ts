import { type ChannelGroup, createOrchestrator, OutcomeUnknownError } from '@nestjs-orchestrator/core';
import { redisStreams } from '@nestjs-orchestrator/redis';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { nextRecord, rejection } from '../orchestrator/support.js';
import { entriesAt, ledger, registerLedger } from '../orchestrator/transport/support.js';
import { redisNamespace, type RedisNamespace } from '../support/redis.js';
import { clientOf } from './streams-support.js';

let place: RedisNamespace;

beforeEach(() => {
  place = redisNamespace();
});

async function joined(endpoint: string) {
  const redis = clientOf(place.url);
  // Nothing here waits for a lease to end: the test ends one.
  const transport = redisStreams(redis, { prefix: place.prefix, partitions: 1, leaseMs: 60_000 });
  const group = await createOrchestrator({
    name: 'ledgers',
    endpoint,
    transports: { distributed: transport },
    type: 'distributed',
  });
  onTestFinished(() => group.release());
  return { group, hands: registerLedger(group) };
}

/** As the others do with one that gave no sign of life in time. */
async function declareDead(group: ChannelGroup): Promise<void> {
  const redis = clientOf(place.url);
  const tag = `{${encodeURIComponent(place.prefix)}/default}`;
  const [self] = group.processes();
  await redis
    .multi()
    .zrem(`${tag}:until`, self?.incarnation ?? '')
    .hdel(`${tag}:nodes`, self?.incarnation ?? '')
    .hdel(`${tag}:endpoints`, self?.endpoint ?? '')
    .publish(`${tag}:hints`, '1')
    .exec();
}

it('a process whose lease has ended is back at once, with its machines, and what was open is unknown', async () => {
  const [one, two] = [await joined('one'), await joined('two')];
  await two.group.spawn(ledger, { id: 'books' });
  const ref = one.group.ref('books');
  await ref.send({ type: 'ADD', entry: 'before' });
  const asked = rejection(ref.request({ type: 'HOLD' }, { timeoutMs: 60_000 }));
  await two.hands.holding.opened;
  const regained = nextRecord(two.group, 'membership').then(() => nextRecord(two.group, 'membership'));
  await declareDead(two.group);
  expect(await regained).toMatchObject({ state: 'regained', endpoint: 'two', displaced: [] });
  expect(await asked).toBeInstanceOf(OutcomeUnknownError);
  two.hands.hold.open();
  await ref.send({ type: 'ADD', entry: 'after' });
  expect(await entriesAt(ref)).toEqual(['before', 'after']);
  await one.group.spawn(ledger, { id: 'others' });
  await two.group.ref('others').send({ type: 'ADD', entry: 'from two' });
  expect(await entriesAt(one.group.ref('others'))).toEqual(['from two']);
  expect(two.group.stats().cluster).toMatchObject({ rejoins: 1 });
  expect(two.group.health().status).toBe('healthy');
});
