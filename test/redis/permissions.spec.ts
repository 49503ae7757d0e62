import { TransportUnavailableError } from '@nestjs-orchestrator/core';
import { redisStore, StoreServerError } from '@nestjs-orchestrator/redis';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import type { RedisServer } from '../support/redis-server.js';
import { startRedisServer } from '../support/redis-server.js';
import { redisFolder } from '../support/redis.js';
import { counted, insistently, ledger, ledgerNode } from './durable-support.js';
import { clientOf, joined, Node } from './streams-support.js';

let server: RedisServer;
let admin: Redis;

beforeAll(async () => {
  server = await startRedisServer(redisFolder());
  admin = new Redis(server.url);
});

afterAll(async () => {
  admin.disconnect();
  await server.stop('SIGKILL');
});

/** A client of a user with these rights. */
async function user(name: string, ...rules: readonly string[]): Promise<Redis> {
  await admin.call('ACL', 'SETUSER', name, 'reset', 'on', '>secret', ...rules);
  return clientOf(server.url.replace('//', `//${name}:secret@`));
}

const all = ['~*', '&*', '+@all'];

it.each([
  ['xread', '+xread'],
  ['client|id', '+client|id'],
  ['hdel', '+hdel'],
  ['eval', 'eval'],
  ['info', '+info'],
])('streams are not joined by a user without %s, who is told so', async (command, words) => {
  const redis = await user('stranger', ...all, `-${command}`);
  const joining = new Node('a').join(redis, { prefix: 'refused' });
  await expect(joining).rejects.toBeInstanceOf(TransportUnavailableError);
  await expect(joining).rejects.toThrow(/ACL SETUSER/);
  await expect(joining).rejects.toThrow(words);
  await expect(joining).rejects.not.toThrow('secret');
  expect(await admin.keys('*refused*')).toEqual([]);
});

it.each([
  [['-zadd', '-lrange'], '`ACL SETUSER stranger +lrange +zadd`'],
  [['resetkeys', '~other*'], '`ACL SETUSER stranger ~{refused*`'],
  [['resetchannels', '&other*'], '`ACL SETUSER stranger &refused*`'],
])('a store does not start for a user with %s, who is told what is missing', async (rules, words) => {
  const store = redisStore(await user('stranger', ...all, ...rules), { prefix: 'refused' });
  onTestFinished(() => store.close());
  const starting = store.start();
  await expect(starting).rejects.toBeInstanceOf(StoreServerError);
  await expect(starting).rejects.toThrow(words);
  expect(await admin.keys('*refused*')).toEqual([]);
});

it('a user with the rights that the guide names has all that store and streams need', async () => {
  const rights = ['~{shop*', '&{shop*', '&shop*', '+@all', '-@dangerous', '+info', '+client|unblock'];
  const redis = await user('shop', ...rights);
  const options = { prefix: 'shop', partitions: 2 };
  const [one, two] = [await joined('one', redis, options), await joined('two', redis, options)];
  await two.serve();
  await one.change.until(() => one.peers.includes('two up'));
  await one.seat.publish('books', Buffer.from('kept'));
  one.seat.trySend(two.seat.self, Buffer.from('sent'));
  await two.change.until(() => two.handled.length === 1 && two.frames.length === 1);
  const machines = await ledgerNode(redis, { name: 'three', prefix: 'shop-machines' });
  onTestFinished(() => machines.close());
  await machines.spawn(ledger, { id: 'l-1' });
  await insistently(machines.ref(ledger, 'l-1'), 'a', 1);
  expect(await counted(machines, 'l-1')).toMatchObject({ count: 1 });
});

it('what may not be read any more while it is in use is told once, and goes on when it is allowed', async () => {
  const redis = await user('later', ...all);
  const told: string[] = [];
  let hear: () => void = () => undefined;
  const heard = new Promise<void>((resolve) => (hear = resolve));
  const quiet = (): void => undefined;
  const error = (text: string): void => {
    told.push(text);
    hear();
  };
  const options = { prefix: 'later', leaseMs: 60_000 };
  const one = await joined('one', redis, options);
  const two = await new Node('two').join(redis, options, { debug: quiet, info: quiet, warn: quiet, error });
  onTestFinished(() => two.seat.leave());
  await one.change.until(() => one.peers.includes('two up'));
  one.seat.trySend(two.seat.self, Buffer.from('before'));
  await two.change.until(() => two.frames.length === 1);
  await admin.call('ACL', 'SETUSER', 'later', '-xread');
  await heard;
  one.seat.trySend(two.seat.self, Buffer.from('after'));
  await admin.call('ACL', 'SETUSER', 'later', '+xread');
  await two.change.until(() => two.frames.length === 2);
  expect(told).toEqual([expect.stringMatching(/nothing be read.*NOPERM.*xread/)]);
});
