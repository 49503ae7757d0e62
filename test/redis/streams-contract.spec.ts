import { TransportUnavailableError } from '@nestjs-orchestrator/core';
import type { Redis } from 'ioredis';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { Call } from '../../libs/redis/src/connection/script.js';
import { Connection } from '../../libs/redis/src/connection/connection.js';
import { ClusterKeys } from '../../libs/redis/src/streams/cluster-keys.js';
import {
  beatScript,
  giveScript,
  joinScript,
  lastIdScript,
  removeScript,
  takeScript,
} from '../../libs/redis/src/streams/scripts.js';
import { redisNamespace, type RedisNamespace } from '../support/redis.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { bytes, clientOf, joined, type Node } from './streams-support.js';

let place: RedisNamespace;
let redis: Redis;
let keys: ClusterKeys;

beforeEach(() => {
  place = redisNamespace();
  redis = clientOf(place.url);
  keys = new ClusterKeys(place.prefix, 'shop', 1);
});

const options = { partitions: 1, leaseMs: 60_000, retryMs: 10 };
const join = (name: string, client = redis): Promise<Node> =>
  joined(name, client, { ...options, prefix: place.prefix });

/** A node whose connections the test can break. */
async function behindProxy(name: string) {
  const proxy = await startTcpProxy(Number(new URL(place.url).port));
  onTestFinished(() => proxy.close());
  const url = new URL(place.url);
  url.port = String(proxy.port);
  return { proxy, node: await join(name, clientOf(url.href)) };
}

/** The server has done the next call about this key, and its answer is lost with the connection. */
async function answerLost(
  proxy: Awaited<ReturnType<typeof startTcpProxy>>,
  key: string,
  work: () => unknown,
): Promise<void> {
  const { held } = proxy.holdAnswerTo(key);
  work();
  await held;
  proxy.drop();
}

const upTo = (count: number): string[] => Array.from({ length: count }, (_, n) => `${n}`);

describe('what the server has taken, and its answer was lost', () => {
  it('is in the partition once, in order, with what comes behind it', async () => {
    const { proxy, node } = await behindProxy('a');
    const { stream, frames } = keys.partition(0);
    // The server learns the script with its first call; the next one is done when it is answered.
    await node.seat.publish('m', bytes('first'));
    let sent: Promise<unknown> = Promise.resolve();
    await answerLost(proxy, stream, () => {
      sent = Promise.all(upTo(5).map((text) => node.seat.publish('m', bytes(text))));
    });
    const behind = node.seat.publish('m', bytes('5'));
    await Promise.all([sent, behind]);
    expect(await redis.get(frames)).toBe('7');
    const reader = await join('b');
    await reader.serve();
    await reader.change.until(() => reader.handled.length >= 7);
    expect(reader.handled.map(({ text }) => text)).toEqual(['first', ...upTo(6)]);
  });

  it('comes to another endpoint once, in order', async () => {
    const b = await join('b');
    const { proxy, node } = await behindProxy('a');
    await b.change.until(() => b.peers.includes('a up'));
    const inbox = keys.inbox(b.seat.self.incarnation, node.seat.self.incarnation);
    await node.seat.send(b.seat.self, bytes('first'));
    await b.change.until(() => b.frames.length === 1);
    await answerLost(proxy, inbox, () => upTo(5).map((text) => node.seat.trySend(b.seat.self, bytes(text))));
    await node.seat.send(b.seat.self, bytes('5'));
    await b.change.until(() => b.frames.some(({ text }) => text === '5'));
    expect(b.frames.map(({ text }) => text)).toEqual(['first', ...upTo(6)]);
  });

  it('was done: it is freed once, and what is there is counted right', async () => {
    const { proxy, node } = await behindProxy('a');
    const { stream, frames, attempts } = keys.partition(0);
    const releases: (() => void)[] = [];
    await node.serve();
    const other = await join('b');
    await other.seat.publish('m', bytes('first'));
    await node.change.until(() => node.handled.length === 1);
    node.onPartition = () => new Promise((resolve) => releases.push(resolve));
    for (const text of upTo(3)) await other.seat.publish('m', bytes(text));
    await node.change.until(() => releases.length === 3);
    await answerLost(proxy, attempts, () => releases[0]?.());
    releases[1]?.();
    releases[2]?.();
    await node.seat.leave();
    expect(await redis.xlen(stream)).toBe(0);
    expect(await redis.get(frames)).toBe('0');
  });
});

describe('a partition', () => {
  let connection: Connection;
  beforeEach(async () => {
    connection = new Connection(redis, 10_000);
    await connection.open();
    onTestFinished(() => connection.close());
  });
  const run = (call: Omit<Call, 'args'>, ...args: (string | number)[]): Promise<unknown> =>
    connection.run({ ...call, args });

  it('is taken by one of those who saw it free, under an epoch above all before it', async () => {
    const { owner } = keys.partition(0);
    const take = { script: takeScript, keys: [owner] };
    const before = Number((await redis.time())[0]) * 1_000;
    const [first = 0, orphan] = (await run(take, 0, 'one')) as number[];
    expect([first >= before, orphan]).toEqual([true, 0]);
    expect(await run(take, 0, 'two')).toEqual([0, 0]);
    expect(await redis.hget(owner, 'node')).toBe('one');
    // Who was not let go in peace may have had frames in hand.
    const [second = 0, isOrphan] = (await run(take, first, 'two')) as number[];
    expect([second > first, isOrphan]).toEqual([true, 1]);
    expect(await run({ script: giveScript, keys: [owner] }, first)).toBe(0);
    expect(await run({ script: giveScript, keys: [owner] }, second)).toBe(1);
    // A server whose clock was set back gives no epoch a second time.
    const ahead = 9_000_000_000_000;
    await redis.hset(owner, 'epoch', ahead);
    expect(await run(take, ahead, 'one')).toEqual([ahead + 1, 0]);
  });
});

describe('the lease of an endpoint', () => {
  const now = (): number => Date.now();
  let connection: Connection;
  beforeEach(async () => {
    connection = new Connection(redis, 10_000);
    await connection.open();
    onTestFinished(() => connection.close());
  });
  const remove = (incarnation: string, leaving: 0 | 1): Promise<unknown> => {
    const { until, nodes, endpoints, names, pulse } = keys;
    const all = [until, nodes, endpoints, names, keys.heldBy(incarnation), pulse];
    return connection.run({ script: removeScript, keys: all, args: [incarnation, 'a', leaving] });
  };

  it('keeps it in the cluster as long as it is good, or those of all had a pause; it leaves by itself', async () => {
    await redis.zadd(keys.until, now() + 600_000, 'lives', now() - 10_000, 'late');
    expect(await remove('lives', 0)).toBe(0);
    expect(await remove('lives', 1)).toBe(1);
    await redis.hset(keys.pulse, 'grace', now() + 600_000);
    expect(await remove('late', 0)).toBe(0);
    await redis.hset(keys.pulse, 'grace', 0);
    expect([await remove('late', 0), await remove('late', 0)]).toEqual([1, 0]);
  });

  it('ends with all that it held, also where the only one who sees it takes its name', async () => {
    await redis
      .multi()
      .zadd(keys.until, now() - 10_000, 'dead')
      .hset(keys.nodes, 'dead', '["a",1,0]')
      .hset(keys.endpoints, 'a', 'dead')
      .hset(keys.names, 'books', '["dead","a",""]')
      .sadd(keys.heldBy('dead'), 'books')
      .exec();
    const { seat } = await join('a');
    expect(await redis.hgetall(keys.endpoints)).toEqual({ a: seat.self.incarnation });
    expect(await redis.hkeys(keys.nodes)).toEqual([seat.self.incarnation]);
    expect(await redis.exists(keys.names, keys.heldBy('dead'))).toBe(0);
  });

  it('keeps its name as long as nobody is taken for dead', async () => {
    const grace = now() + 600_000;
    const others = ['someone', 2_000, '["a",2,0]', '2/1'];
    const all = [keys.until, keys.nodes, keys.endpoints, keys.settings, keys.pulse];
    const take = (): Promise<unknown> =>
      connection.run({ script: joinScript, keys: all, args: ['a', ...others] });
    await redis
      .multi()
      .zadd(keys.until, now() - 10_000, 'late')
      .hset(keys.nodes, 'late', '["a",1,0]')
      .hset(keys.endpoints, 'a', 'late')
      .hset(keys.pulse, 'grace', grace)
      .exec();
    expect(await take()).toEqual(['taken', '["a",1,0]', `${grace}`]);
    await redis.hset(keys.pulse, 'grace', 0);
    expect(await take()).toEqual(['dead', 'late']);
    expect(await remove('late', 0)).toBe(1);
    expect(await take()).toEqual(['joined']);
  });

  it('is not renewed once others have declared it dead', async () => {
    const beat = (): Promise<unknown> =>
      connection.run({
        script: beatScript,
        keys: [keys.until, keys.nodes, keys.pulse],
        args: ['late', 1_000, '["late",1,0]'],
      });
    await redis.zadd(keys.until, now() - 10_000, 'late');
    await redis.hset(keys.pulse, 'last', now());
    expect(await beat()).toEqual(['late', '["late",1,0]', expect.any(Number)]);
    await redis.zrem(keys.until, 'late');
    expect([await beat(), await redis.zcard(keys.until)]).toEqual([0, 0]);
  });
});

it('what waits in a stream that would expire keeps it, and how many frames it has, as long as its reader looks', async () => {
  const connection = new Connection(redis, 10_000);
  await connection.open();
  onTestFinished(() => connection.close());
  const stream = keys.inbox('b', 'a');
  const frames = keys.inboxFrames(stream);
  const look = (): Promise<unknown> =>
    connection.run({ script: lastIdScript, keys: [stream, frames], args: [600_000] });
  const left = async (): Promise<boolean[]> =>
    Promise.all([stream, frames].map(async (key) => (await redis.pttl(key)) > 500_000));
  const id = await redis.xadd(stream, '*', 'c', 1, 'f', '');
  await redis.multi().set(frames, 1).pexpire(stream, 60_000).pexpire(frames, 60_000).exec();
  expect(await look()).toBe(id);
  expect(await left()).toEqual([true, true]);
  // Of one that is empty nobody needs anything.
  await redis.multi().xtrim(stream, 'MAXLEN', 0).pexpire(stream, 60_000).pexpire(frames, 60_000).exec();
  expect(await look()).toBe(id);
  expect(await left()).toEqual([false, false]);
});

it('what somebody else has written into streams keeps nothing else, and is a letter of its partition', async () => {
  const [a, b] = [await join('a'), await join('b')];
  await a.change.until(() => a.peers.includes('b up'));
  const { stream, owner } = keys.partition(0);
  const inbox = keys.inbox(a.seat.self.incarnation, b.seat.self.incarnation);
  for (const key of [stream, inbox]) {
    await redis.xadd(key, '*', 'foreign', 'entry');
    await redis.xadd(key, '*', 'c', 1, 'f', 'no frames at all');
    await redis.xadd(key, '*', 'c', 0, 'f', '');
  }
  // As if the owner before had died.
  await redis.hset(owner, 'epoch', 1);
  await a.serve();
  await b.seat.publish('m', bytes('behind'));
  await b.seat.send(a.seat.self, bytes('behind'));
  await a.change.until(() => a.handled.length > 0 && a.frames.length > 0);
  expect([a.handled.map(({ text }) => text), a.frames.map(({ text }) => text)]).toEqual([
    ['behind'],
    ['behind'],
  ]);
  await a.seat.leave();
  const letters = await b.seat.letters();
  expect(letters.map(({ bytes: held }) => Buffer.from(held).toString())).toEqual([
    'foreignentry',
    'c1fno frames at all',
    'c0f',
  ]);
  expect(await redis.xlen(stream)).toBe(0);
});

it('a cluster has the partitions that it began with', async () => {
  await join('a');
  const other = joined('b', redis, { ...options, prefix: place.prefix, partitions: 2 });
  await expect(other).rejects.toBeInstanceOf(TransportUnavailableError);
  expect(await redis.hexists(keys.endpoints, 'b')).toBe(0);
});
