import {
  EndpointTakenError,
  FrameTooLargeError,
  NameTakenError,
  PartitionFullError,
  PeerLostError,
  TransportClosedError,
  TransportUnavailableError,
} from '@nestjs-orchestrator/core';
import { type Clock, silentLogger, systemClock } from '@nestjs-orchestrator/core/ports';
import { redisStreams } from '@nestjs-orchestrator/redis';
import type { Redis } from 'ioredis';
import { beforeEach, describe, expect, it } from 'vitest';
import { redisNamespace } from '../support/redis.js';
import { freePort } from '../support/redis-server.js';
import { bytes, clientOf, joined, type Node } from './streams-support.js';

// Nothing here waits for a lease to end; hints tell of whatever changes.
const OPTIONS = { partitions: 8, leaseMs: 60_000, retryMs: 10 };
let prefix: string;
let redis: Redis;

beforeEach(() => {
  const namespace = redisNamespace();
  there = [];
  ({ prefix } = namespace);
  redis = clientOf(namespace.url);
});

let there: Node[] = [];

/** A node that all others know, and that knows them. */
const join = async (name: string, options = {}): Promise<Node> => {
  const node = await joined(name, redis, { ...OPTIONS, prefix, ...options });
  const others = there;
  there = [...there, node];
  void node.seat.closed.then(() => (there = there.filter((each) => each !== node)));
  for (const other of others) await other.change.until(() => other.peers.includes(`${name} up`));
  return node;
};

describe('endpoints on Redis', () => {
  it('frames come in whole and in order, and a held frame holds back its sender alone', async () => {
    const [a, b, c] = [await join('a'), await join('b'), await join('c')];
    let release = (): void => undefined;
    c.onFrame = (from, text) =>
      from.name === 'a' && text === '0' ? new Promise((resolve) => (release = resolve)) : undefined;
    for (let n = 0; n < 50; n += 1) expect(a.seat.trySend(c.seat.self, bytes(`${n}`))).toBe(true);
    await c.change.until(() => c.frames.length === 1);
    await b.seat.send(c.seat.self, bytes('from b'));
    await c.change.until(() => c.frames.length === 2);
    expect(c.frames).toEqual([
      { from: 'a', text: '0' },
      { from: 'b', text: 'from b' },
    ]);
    release();
    await c.change.until(() => c.frames.length === 51);
    const fromA = c.frames.filter(({ from }) => from === 'a').map(({ text }) => text);
    expect(fromA).toEqual(Array.from({ length: 50 }, (_, n) => `${n}`));
    expect(c.seat.statistics()).toMatchObject({ framesReceived: 51, peers: 2 });
  });

  it('a sender waits where the inbox of its receiver is full, and goes on when there is room', async () => {
    const [a, b] = [await join('a', { maxInboxFrames: 4, maxPending: 4 }), await join('b')];
    const releases: (() => void)[] = [];
    b.onFrame = () => new Promise((resolve) => releases.push(resolve));
    let sent = 0;
    while (a.seat.trySend(b.seat.self, bytes(`${sent}`))) {
      sent += 1;
      await new Promise((resolve) => void setImmediate(resolve));
      if (sent > 5_000) throw new Error('Nobody pushes back.');
    }
    const late = a.seat.send(b.seat.self, bytes('late'));
    expect(a.seat.statistics().waiting).toBe(1);
    await b.change.until(() => releases.length > 0);
    b.onFrame = () => undefined;
    releases[0]?.();
    await late;
    await b.change.until(() => b.frames.at(-1)?.text === 'late');
    expect(b.frames.map(({ text }) => text)).toEqual([
      ...Array.from({ length: sent }, (_, n) => `${n}`),
      'late',
    ]);
  });

  it('who leaves is lost for the others after the last of its frames, and frames to it are refused', async () => {
    const [a, b] = [await join('a'), await join('b')];
    for (let n = 0; n < 500; n += 1) a.seat.trySend(b.seat.self, bytes(`${n}`));
    await a.seat.leave();
    await b.change.until(() => b.peers.includes('a lost'));
    expect(b.frames).toHaveLength(500);
    expect(() => b.seat.trySend(a.seat.self, bytes('x'))).toThrow(PeerLostError);
    expect(() => a.seat.trySend(b.seat.self, bytes('x'))).toThrow(TransportClosedError);
    await expect(a.seat.publish('m', bytes('x'))).rejects.toBeInstanceOf(TransportClosedError);
  });

  it('a name has one holder, and is free when that one leaves', async () => {
    const [a, b] = [await join('a'), await join('b')];
    await a.seat.claim('orders/1', 'about it');
    await expect(b.seat.claim('orders/1', '')).rejects.toBeInstanceOf(NameTakenError);
    expect(await b.seat.locate('orders/1')).toEqual({
      name: 'orders/1',
      endpoint: a.seat.self,
      about: 'about it',
    });
    await b.seat.unclaim('orders/1');
    expect(await b.seat.names()).toHaveLength(1);
    await a.seat.leave();
    await b.seat.claim('orders/1', 'mine');
    expect((await b.seat.locate('orders/1'))?.endpoint).toEqual(b.seat.self);
    expect(await b.seat.locate('orders/2')).toBeUndefined();
  });

  it('the name of an endpoint that lives is taken', async () => {
    const options = { ...OPTIONS, prefix };
    const a = await join('a');
    let tell: (look: () => void) => void = () => undefined;
    const waiting = new Promise<() => void>((resolve) => (tell = resolve));
    // It looks a second time half a lease later; whatever else it schedules is about calls of the server.
    const schedule: Clock['schedule'] = (delayMs, run) => {
      if (delayMs !== 30_000) return systemClock.schedule(delayMs, run);
      tell(run);
      return { cancel: () => undefined };
    };
    const joining = redisStreams(redis, options).join(
      { cluster: 'shop', endpoint: 'a', clock: { ...systemClock, schedule }, logger: silentLogger },
      { onFrame: () => undefined, onPeer: () => undefined },
    );
    const refused = expect(joining).rejects.toBeInstanceOf(EndpointTakenError);
    const look = await waiting;
    // All give a sign of life when somebody comes.
    await join('b');
    await a.change.until(() => a.peers.includes('b up'));
    look();
    await refused;
  });

  it('nobody is declared dead who gave no sign of life while nobody did', async () => {
    const a = await join('a');
    const tag = `{${encodeURIComponent(prefix)}/shop}`;
    const now = (seconds: number): number => Date.now() + seconds * 1_000;
    // As after a pause: its last sign was 60 s ago, and that of anybody 50 s. At once, since a sign of life of `a` may come in between.
    await redis
      .multi()
      .zadd(`${tag}:until`, now(-1), 'late')
      .hset(`${tag}:nodes`, 'late', JSON.stringify(['late', 1, 0]))
      .hset(`${tag}:pulse`, 'last', now(-50))
      .exec();
    await redis.publish(`${tag}:hints`, '1');
    await a.change.until(() => a.peers.includes('late up'));
    expect(a.peers).toEqual(['late up']);
    // Where others gave signs of life meanwhile, it is dead.
    await redis.hset(`${tag}:pulse`, 'last', now(-20), 'grace', 0);
    await redis.publish(`${tag}:hints`, '1');
    await a.change.until(() => a.peers.includes('late lost'));
  });

  it('bad input is a typed error, and nothing stays behind', async () => {
    const a = await join('a', { maxFrameBytes: 100 });
    expect(() => a.seat.trySend(a.seat.self, new Uint8Array(101))).toThrow(FrameTooLargeError);
    await expect(a.seat.publish('m', new Uint8Array(101))).rejects.toBeInstanceOf(FrameTooLargeError);
    await expect(a.seat.publish('', bytes('x'))).rejects.toMatchObject({ code: 'NAME_INVALID' });
    await expect(a.seat.claim('x'.repeat(600), '')).rejects.toMatchObject({ code: 'NAME_INVALID' });
    await expect(join('b', { partitions: 9 })).rejects.toThrow(
      'has 8 partitions, and this process asks for 9',
    );
    expect(() => redisStreams(redis, { leaseMs: 0 })).toThrow("Option 'leaseMs' must be a whole number");
    const next = await join('b');
    expect(next.seat.peers().map(({ endpoint }) => endpoint.name)).toEqual(['a']);
  });

  it('without a server, or with a wrong password, joining is a typed error that says so', async () => {
    const receiver = { onFrame: () => undefined, onPeer: () => undefined };
    const options = { cluster: 'shop', endpoint: 'a', clock: systemClock, logger: silentLogger };
    const nobody = redisStreams(clientOf(`redis://127.0.0.1:${await freePort()}`));
    await expect(nobody.join(options, receiver)).rejects.toBeInstanceOf(TransportUnavailableError);
    const url = redisNamespace().url.replace('redis://', 'redis://nobody:wrong@');
    const refused = redisStreams(clientOf(url)).join(options, receiver);
    await expect(refused).rejects.toThrow(/WRONGPASS.*password/s);
  });
});

describe('partitions on Redis', () => {
  it('one endpoint that serves owns all; two share them, and frames go to the owner', async () => {
    const a = await join('a');
    await a.serve();
    expect(a.seat.owned()).toHaveLength(8);
    const b = await join('b');
    await b.serve();
    await b.change.until(() => b.seat.owned().length === 4);
    expect(a.seat.owned()).toHaveLength(4);
    expect(a.losses).toEqual(Array.from({ length: 4 }, () => 'handed-over'));
    await Promise.all(Array.from({ length: 100 }, (_, n) => a.seat.publish(`machine-${n}`, bytes(`${n}`))));
    await a.change.until(() => a.handled.length + b.handled.length === 100);
    for (const [node, other] of [[a, b] as const, [b, a] as const]) {
      expect(node.handled.length).toBeGreaterThan(20);
      for (const { name } of node.handled) expect(await other.seat.ownerOf(name)).toEqual(node.seat.self);
    }
  });

  it('frames that were published before anybody serves are kept, in order', async () => {
    const a = await join('a');
    for (let n = 0; n < 20; n += 1) void a.seat.publish('m', bytes(`${n}`));
    await a.seat.publish('m', bytes('20'));
    await a.serve();
    await a.change.until(() => a.handled.length === 21);
    expect(a.handled.map(({ text }) => text)).toEqual(Array.from({ length: 21 }, (_, n) => `${n}`));
  });

  it('what failed comes again with those of its name behind it, in order; other names go on', async () => {
    const a = await join('a', { partitions: 1 });
    a.onPartition = async (_owned, { name, attempts }) => {
      if (name === 'bad' && attempts < 3) throw new Error('not now');
    };
    await a.serve();
    for (const text of ['0', '1', '2']) void a.seat.publish('bad', bytes(text));
    await a.seat.publish('good', bytes('g'));
    await a.change.until(() => a.handled.filter(({ text }) => text === '2').length === 3);
    const of = (wanted: string) => a.handled.filter(({ name }) => name === wanted).map(({ text }) => text);
    expect(of('bad')).toEqual(['0', '1', '2', '0', '1', '2', '0', '1', '2']);
    expect(of('good')).toEqual(['g']);
    expect(a.handled.at(-1)?.attempts).toBe(3);
  });

  it('what is given back waits and counts as no failure', async () => {
    const a = await join('a', { maxAttempts: 1 });
    let times = 0;
    a.onPartition = async () => ((times += 1) < 4 ? { retryInMs: 1 } : undefined);
    await a.serve();
    await a.seat.publish('m', bytes('x'));
    await a.change.until(() => a.handled.length === 4);
    expect(a.handled.map(({ attempts }) => attempts)).toEqual([1, 1, 1, 1]);
    expect(await a.seat.letters()).toEqual([]);
  });

  it('what keeps failing becomes a letter that can be put back or forgotten, and its name goes on', async () => {
    const a = await join('a', { maxAttempts: 2, retryMs: 1 });
    let tries = 0;
    a.onPartition = async (_owned, { bytes: frame }) => {
      const poison = Buffer.from(frame).toString() === 'poison';
      if (poison) tries += 1;
      // Whatever comes behind a frame that failed is to fail as well.
      if (poison || tries < 2) throw new Error('can not');
    };
    await a.serve();
    void a.seat.publish('m', bytes('poison'));
    await a.seat.publish('m', bytes('next'));
    await a.change.until(() => a.handled.filter(({ text }) => text === 'next').length === 2);
    // It leaves when what is under way is done: the poison is a letter then.
    await a.seat.leave();
    const b = await join('b');
    const [letter] = await b.seat.letters();
    expect(letter).toMatchObject({ name: 'm', reason: 'can not', attempts: 2 });
    expect(Buffer.from(letter?.bytes ?? []).toString()).toBe('poison');
    if (letter === undefined) throw new Error('There is no letter.');
    expect(await b.seat.settleLetter(letter, 'replay')).toBe(true);
    expect(await b.seat.settleLetter(letter, 'discard')).toBe(false);
    await b.serve();
    await b.change.until(() => b.handled.length > 0);
    expect(b.handled).toEqual([{ name: 'm', text: 'poison', attempts: 1 }]);
    expect(await b.seat.letters()).toEqual([]);
  });

  it('a full partition refuses its publishers, and takes again when frames are done', async () => {
    const a = await join('a', { maxPartitionFrames: 10 });
    const all = Array.from({ length: 12 }, (_, n) => a.seat.publish('m', bytes(`${n}`)));
    const results = await Promise.allSettled(all);
    const refused = results
      .filter((result) => result.status === 'rejected')
      .map(({ reason }) => reason as Error);
    expect(refused).toHaveLength(2);
    expect(refused[0]).toBeInstanceOf(PartitionFullError);
    expect(refused[0]).toMatchObject({ retryable: true, option: 'maxPartitionFrames' });
    await a.serve();
    await a.change.until(() => a.handled.length === 10);
    await a.seat.leave();
    const b = await join('b', { maxPartitionFrames: 10 });
    await b.seat.publish('m', bytes('again'));
  });

  it('nothing is left of what was done, also where it was done out of order', async () => {
    const a = await join('a', { partitions: 1 });
    let release = (): void => undefined;
    a.onPartition = (_owned, { name }) =>
      name === 'slow' ? new Promise((resolve) => (release = resolve)) : undefined;
    await a.serve();
    for (let n = 0; n < 10; n += 1) void a.seat.publish(n === 3 ? 'slow' : `m-${n}`, bytes(`${n}`));
    await a.change.until(() => a.handled.length === 10);
    const stream = `{${encodeURIComponent(prefix)}/shop/p0}:stream:0`;
    await a.seat.publish('m', bytes('last'));
    await a.change.until(() => a.handled.length === 11);
    release();
    await a.seat.leave();
    expect(await redis.xlen(stream)).toBe(0);
    expect(await redis.exists(stream.replace('stream', 'owner'))).toBe(1);
  });

  it('what is not done stays for the next owner, though later frames are done and freed', async () => {
    const a = await join('a', { partitions: 1 });
    const stream = `{${encodeURIComponent(prefix)}/shop/p0}:stream:0`;
    a.onPartition = async (_owned, { name }) => (name === 'first' ? { retryInMs: 600_000 } : undefined);
    await a.serve();
    for (const name of ['first', 'second', 'third']) await a.seat.publish(name, bytes(name));
    await a.change.until(() => a.handled.length === 3);
    await a.seat.leave();
    expect(await redis.xlen(stream)).toBe(1);
    const b = await join('b', { partitions: 1 });
    await b.serve();
    await b.change.until(() => b.handled.length > 0);
    expect(b.handled.map(({ text }) => text)).toEqual(['first']);
  });

  it('a former owner frees nothing, and hears that it is fenced', async () => {
    const a = await join('a', { partitions: 1 });
    const tag = `{${encodeURIComponent(prefix)}/shop/p0}`;
    let release = (): void => undefined;
    a.onPartition = () =>
      a.handled.length === 1
        ? new Promise((resolve) => (release = resolve))
        : Promise.resolve({ retryInMs: 600_000 });
    await a.serve();
    await a.seat.publish('m', bytes('x'));
    await a.change.until(() => a.handled.length === 1);
    // As if another one had taken the partition.
    await redis.hincrby(`${tag}:owner:0`, 'epoch', 1);
    release();
    await a.change.until(() => a.losses.length > 0);
    expect(a.losses).toEqual(['fenced']);
    expect(await redis.xlen(`${tag}:stream:0`)).toBe(1);
  });

  it('who leaves does not wait to free what another one has taken meanwhile', async () => {
    const a = await join('a', { partitions: 1, handOverMs: 600_000 });
    let release = (): void => undefined;
    a.onPartition = () => new Promise((resolve) => (release = resolve));
    await a.serve();
    await a.seat.publish('m', bytes('x'));
    await a.change.until(() => a.handled.length === 1);
    const left = a.seat.leave();
    await redis.hincrby(`{${encodeURIComponent(prefix)}/shop/p0}:owner:0`, 'epoch', 1);
    release();
    await left;
    expect(a.losses).toEqual(['handed-over']);
  });

  it('who leaves waits for what is under way before it gives its partitions away', async () => {
    const [a, b] = [await join('a'), await join('b')];
    let release = (): void => undefined;
    a.onPartition = () => new Promise((resolve) => (release = resolve));
    await a.serve();
    await a.seat.publish('m', bytes('slow'));
    await a.change.until(() => a.handled.length === 1);
    await b.serve();
    const left = a.seat.leave();
    release();
    await left;
    await b.change.until(() => b.seat.owned().length === 8);
    await b.seat.publish('m', bytes('after'));
    await b.change.until(() => b.handled.length === 1);
    expect(b.handled).toEqual([{ name: 'm', text: 'after', attempts: 1 }]);
  });
});
