import { createOrchestrator, OutcomeUnknownError } from '@nestjs-orchestrator/core';
import type { Endpoint, Transport } from '@nestjs-orchestrator/core/ports';
import { redisStreams } from '@nestjs-orchestrator/redis';
import type { Redis } from 'ioredis';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { gate, nextRecord, rejection } from '../orchestrator/support.js';
import { entriesAt, ledger, registerLedger } from '../orchestrator/transport/support.js';
import { redisNamespace, type RedisNamespace } from '../support/redis.js';
import { bytes, clientOf, joined, type Node } from './streams-support.js';

let place: RedisNamespace;
let redis: Redis;

beforeEach(() => {
  place = redisNamespace();
  redis = clientOf(place.url);
});

/** Ids are those of a server whose clock is far ahead of that of the next one. */
const AHEAD = '9999999999999-0';

/** The group of a process; `forget`: what it sends is taken by the server, which forgets it. */
async function process(endpoint: string) {
  const inner = redisStreams(redis, { prefix: place.prefix, partitions: 1, leaseMs: 60_000 });
  const server = { forgets: false, forgot: gate() };
  const transport: Transport = {
    type: inner.type,
    join: async (options, receiver) => {
      const seat = await inner.join(options, receiver);
      const trySend = seat.trySend.bind(seat);
      return Object.assign(seat, {
        trySend: (to: Endpoint, frame: Uint8Array) => {
          if (!server.forgets) return trySend(to, frame);
          server.forgot.open();
          return true;
        },
      });
    },
  };
  const group = await createOrchestrator({
    name: 'ledgers',
    cluster: 'shop',
    endpoint,
    transports: { distributed: transport },
    type: 'distributed',
  });
  onTestFinished(() => group.release());
  registerLedger(group);
  return { group, server };
}

type Process = Awaited<ReturnType<typeof process>>;

/** 'books' is at process two; process one knows it. */
async function books() {
  const [one, two] = [await process('one'), await process('two')];
  await two.group.spawn(ledger, { id: 'books' });
  const ref = one.group.ref('books');
  await ref.send({ type: 'ADD', entry: 'before' });
  return { one, two, ref };
}

async function regained({ group }: Process): Promise<void> {
  expect(await nextRecord(group, 'membership')).toMatchObject({ state: 'lost' });
  expect(await nextRecord(group, 'membership')).toMatchObject({ state: 'regained', displaced: [] });
}

/** Settles when it knows that this incarnation is gone, and has met another one. */
function meetsAnew({ group }: Process, former: string): Promise<void> {
  const left = new Set(['gone', 'met']);
  return new Promise((resolve) => {
    const stop = group.subscribe(
      (record) => {
        if (record.type !== 'peer') return;
        if (record.incarnation === former && record.state === 'lost') left.delete('gone');
        if (record.incarnation !== former && record.state === 'up') left.delete('met');
        if (left.size > 0) return;
        stop();
        resolve();
      },
      { only: ['peer'] },
    );
  });
}

function incarnationOf({ group }: Process): string {
  return group.processes()[0]?.incarnation ?? '';
}

function keyOf(about: string, kind: string): string {
  return `{${encodeURIComponent(place.prefix)}/shop${about}}:${kind}`;
}

/** What a replica has of keys, to be put back as that of a master that has failed. */
async function replica(names: readonly string[]): Promise<() => Promise<void>> {
  const had = await Promise.all(names.map((name) => redis.dumpBuffer(name)));
  return async () => {
    const multi = redis.multi();
    names.forEach((name, n) => {
      const dump = had[n];
      if (dump === null || dump === undefined) multi.del(name);
      else multi.restore(name, 0, dump, 'REPLACE');
    });
    await multi.exec();
  };
}

async function handled(node: Node, text: string): Promise<void> {
  await node.change.until(() => node.handled.some((frame) => frame.text === text));
}

it('an owner whose stream has gone back gives its place up, and reads what comes then as another one', async () => {
  const stream = keyOf('/p0', 'stream:0');
  const options = { prefix: place.prefix, partitions: 1, leaseMs: 600 };
  // Alone, so that nobody declares it dead however slow this process is.
  const a = await joined('a', redis, options);
  await a.serve();
  await a.seat.publish('m', bytes('1'));
  await handled(a, '1');
  const failOver = await replica([stream, keyOf('/p0', 'frames:0')]);
  await redis.xadd(stream, AHEAD, 'c', 1, 'f', packed('m', '2'));
  await handled(a, '2');
  await failOver();
  // Not by its own place, which it may have given up by now.
  await redis.xadd(stream, '*', 'c', 1, 'f', packed('m', '3'));
  await a.seat.closed;
  expect(a.losses).toEqual(['fenced']);
  expect(a.handled.map(({ text }) => text)).toEqual(['1', '2']);
  const again = await joined('a', redis, options);
  await again.serve();
  await handled(again, '3');
});

/** One frame as an entry has it. */
function packed(name: string, text: string): Buffer {
  const head = Buffer.alloc(6);
  head.writeUInt16LE(name.length, 0);
  head.writeUInt32LE(text.length, 2);
  return Buffer.concat([head, Buffer.from(name), Buffer.from(text)]);
}

it('a process whose inbox has gone back is another one then, and hears its peers again', async () => {
  const { one, two, ref } = await books();
  const inbox = keyOf(`/${incarnationOf(two)}`, `from:${incarnationOf(one)}`);
  const failOver = await replica([inbox, `${inbox}:frames`, `${inbox}:seen:${incarnationOf(one)}`]);
  await redis.xsetid(inbox, AHEAD);
  await ref.send({ type: 'ADD', entry: 'ahead' });
  await failOver();
  const back = { isThere: false };
  const coming = Promise.all([regained(two), meetsAnew(one, incarnationOf(two))]).finally(
    () => (back.isThere = true),
  );
  // A hint makes each process look at once, not at its next sign of life.
  while (!back.isThere) await redis.publish(keyOf('', 'hints'), '1');
  await coming;
  await ref.send({ type: 'ADD', entry: 'after' });
  expect(await entriesAt(ref)).toEqual(['before', 'ahead', 'after']);
});

it('frames that the server has forgotten end what was open, and both processes go on', async () => {
  const { one, two, ref } = await books();
  const back = regained(two);
  one.server.forgets = true;
  const lost = rejection(ref.send({ type: 'ADD', entry: 'lost' }));
  await one.server.forgot.opened;
  one.server.forgets = false;
  const next = rejection(ref.send({ type: 'ADD', entry: 'behind the gap' }));
  await back;
  expect(await lost).toBeInstanceOf(OutcomeUnknownError);
  expect(await next).toBeInstanceOf(OutcomeUnknownError);
  await ref.send({ type: 'ADD', entry: 'after' });
  expect(await entriesAt(ref)).toEqual(['before', 'after']);
  expect(two.group.health().status).toBe('healthy');
});

it('a last frame that the server has forgotten is missed, though nothing comes behind it', async () => {
  const { one, two, ref } = await books();
  const [backOne, backTwo] = [regained(one), regained(two)];
  one.server.forgets = true;
  const lost = rejection(ref.request({ type: 'COUNT' }, { timeoutMs: Number.POSITIVE_INFINITY }));
  await one.server.forgot.opened;
  one.server.forgets = false;
  await backTwo;
  expect(await lost).toBeInstanceOf(OutcomeUnknownError);
  await ref.send({ type: 'ADD', entry: 'after' });
  two.server.forgets = true;
  const unanswered = rejection(ref.waitFor('open'));
  await two.server.forgot.opened;
  two.server.forgets = false;
  await backOne;
  expect(await unanswered).toBeInstanceOf(OutcomeUnknownError);
  expect(await entriesAt(ref)).toEqual(['before', 'after']);
});
