import { TransportUnavailableError } from '@nestjs-orchestrator/core';
import type { Redis } from 'ioredis';
import { beforeEach, expect, it } from 'vitest';
import { redisNamespace } from '../support/redis.js';
import { bytes, clientOf, joined, type Node } from './streams-support.js';

let prefix: string;
let redis: Redis;

beforeEach(() => {
  const namespace = redisNamespace();
  ({ prefix } = namespace);
  redis = clientOf(namespace.url);
});

const join = (name: string, options = {}): Promise<Node> =>
  joined(name, redis, { prefix, partitions: 1, leaseMs: 60_000, retryMs: 10, ...options });
const key = (kind: string, partition = 0): string =>
  `{${encodeURIComponent(prefix)}/shop/p${partition}}:${kind}:${partition}`;

it('of frames that were sent together, those that are done do not come again at the next owner', async () => {
  const a = await join('a');
  a.onPartition = async (_owned, { name }) => (name === 'later' ? { retryInMs: 600_000 } : undefined);
  await a.serve();
  await Promise.all(['before', 'later', 'after'].map((name) => a.seat.publish(name, bytes(name))));
  await a.change.until(() => a.handled.length === 3);
  expect(await redis.xlen(key('stream'))).toBe(1);
  await a.seat.leave();
  const b = await join('b');
  await b.serve();
  await b.seat.publish('last', bytes('last'));
  await b.change.until(() => b.handled.some(({ name }) => name === 'last'));
  expect(b.handled.map(({ name }) => name)).toEqual(['later', 'last']);
  await b.seat.leave();
  expect(await redis.xlen(key('stream'))).toBe(0);
  expect(await redis.hlen(key('attempts'))).toBe(0);
  expect(await redis.get(key('frames'))).toBe('0');
});

it('large and empty frames come in whole and in order among small ones', async () => {
  const a = await join('a');
  await a.serve();
  const sizes = Array.from({ length: 400 }, (_, n) => (n % 7 === 0 ? 100_000 : n % 5));
  await Promise.all(sizes.map((size, n) => a.seat.publish('m', bytes(`${n} `.padEnd(size, 'x')))));
  await a.change.until(() => a.handled.length === sizes.length);
  expect(a.handled.map(({ text }) => text)).toEqual(sizes.map((size, n) => `${n} `.padEnd(size, 'x')));
});

it('a count of frames that is wrong is so until the partition is empty', async () => {
  const a = await join('a', { maxPartitionFrames: 10 });
  await redis.set(key('frames'), '1000');
  await a.seat.publish('m', bytes('x'));
  expect(await redis.get(key('frames'))).toBe('1');
});

it('a partition whose stream is something else refuses alone, though its call goes with others', async () => {
  const a = await join('a', { partitions: 2 });
  const names = ['m-0', 'm-1', 'm-2', 'm-3', 'm-4', 'm-5', 'm-6', 'm-7'];
  await redis.set(key('stream', 1), 'of somebody else');
  const results = await Promise.allSettled(names.map((name) => a.seat.publish(name, bytes(name))));
  const expected = names.map((name) => (a.seat.partitionOf(name) === 1 ? 'rejected' : 'fulfilled'));
  expect(results.map(({ status }) => status)).toEqual(expected);
  expect(new Set(expected).size).toBe(2);
  const refused = results.find((result) => result.status === 'rejected');
  expect(String(refused?.reason)).toContain('WRONGTYPE');
});

it('a cluster whose streams have another layout is not joined, and the error says what to do', async () => {
  await redis.set(`{${encodeURIComponent(prefix)}/shop}:settings`, '1');
  const refused = join('a');
  await expect(refused).rejects.toBeInstanceOf(TransportUnavailableError);
  await expect(refused).rejects.toThrow('has streams of layout 1, and this build reads and writes 2');
  await redis.del(`{${encodeURIComponent(prefix)}/shop}:settings`);
  expect((await join('a')).seat.peers()).toEqual([]);
});
