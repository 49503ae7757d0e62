import { inspectStreams } from '@nestjs-orchestrator/redis';
import { beforeEach, describe, expect, it } from 'vitest';
import { orchestrator } from '../support/command-line.js';
import { redisFolder, redisNamespace, type RedisNamespace } from '../support/redis.js';
import { freePort, startRedisServer } from '../support/redis-server.js';
import { bytes, clientOf, joined } from './streams-support.js';

let place: RedisNamespace;
beforeEach(() => {
  place = redisNamespace();
});

const OPTIONS = { partitions: 4, leaseMs: 60_000 };
const inspect = (...more: string[]) =>
  orchestrator(['inspect', 'shop', '--type', 'distributed', '--prefix', place.prefix, ...more], {
    REDIS_URL: place.url,
  });

describe('orchestrator inspect --type distributed', () => {
  it('shows who is there, who owns what, which names are held and what waits', async () => {
    const options = { ...OPTIONS, prefix: place.prefix };
    const one = await joined('one', clientOf(place.url), options);
    const two = await joined('two', clientOf(place.url), options);
    await one.change.until(() => one.peers.includes('two up'));
    await two.seat.claim('shop/till-1', 'till');
    let release = (): void => undefined;
    one.onPartition = () => new Promise<void>((resolve) => (release = resolve));
    await one.serve();
    await two.seat.publish('order-1', bytes('hello'));
    await one.change.until(() => one.handled.length === 1);
    const { code, out } = await inspect();
    expect(code).toBe(0);
    expect(out).toContain(`Cluster 'shop' under '${place.prefix}': 4 partitions, 4 of them owned.`);
    expect(out).toMatch(
      new RegExp(`Processes, 2:\n  one  pid ${process.pid}  up, lease \\d+ ms, owns 4 partitions\n  two  `),
    );
    expect(out).toContain('Names, 1:\n  shop/till-1  held by two: till\n');
    expect(out).toContain(
      `Queues:\n  partition ${two.seat.partitionOf('order-1')}  owned by one  1 frames\n`,
    );
    release();
  });

  it('prints the same as JSON, with dead letters, and changes nothing', async () => {
    const options = { ...OPTIONS, prefix: place.prefix };
    const redis = clientOf(place.url);
    const one = await joined('one', redis, options);
    one.onPartition = async () => ({ deadLetter: 'never' });
    await one.serve();
    await one.seat.publish('order-1', bytes('hello'));
    const partition = one.seat.partitionOf('order-1');
    // Dead letters have no event of their own: who leaves has written them.
    await one.seat.publish('order-1', bytes('again'));
    await one.change.until(() => one.handled.length === 2);
    await one.seat.leave();
    const keys = async () => (await redis.keys(`{${place.prefix}*`)).toSorted();
    const before = await keys();
    const { out } = await inspect('--json');
    expect(JSON.parse(out)).toMatchObject({
      type: 'distributed',
      cluster: 'shop',
      prefix: place.prefix,
      partitions: 4,
      processes: [],
      names: [],
      occupied: [{ partition, frames: 0, letters: 2 }],
      inboxes: [],
    });
    expect(await keys()).toEqual(before);
    expect((await inspect()).out).toContain('owned by nobody  0 frames, 2 given up (dead letters)');
  });

  it('lists the oldest dead letters when asked to, by the names that settle them, without what they say', async () => {
    const one = await joined('one', clientOf(place.url), { ...OPTIONS, prefix: place.prefix });
    one.onPartition = async (_owned, { bytes: frame }) => ({ deadLetter: `no \u001b[31m${frame.length}` });
    await one.serve();
    for (const text of ['secret', 'secrets', 'x']) await one.seat.publish('order-1', bytes(text));
    await one.change.until(() => one.letters === 3);
    const [first, second] = await one.seat.letters();
    const name = (letter = first): string => `${letter?.partition}:${letter?.letter}`;
    const { out } = await inspect('--letters', '2');
    const at = new Date(first?.at ?? 0).toISOString();
    expect(out).toContain(
      `\nDead letters, the 2 oldest:\n  ${name()}  for order-1  ${at}  1 attempt  6 bytes: no  [31m6\n  ${name(second)}  `,
    );
    expect(out).not.toContain('secret');
    expect(JSON.parse((await inspect('--letters', '1', '--json')).out)).toMatchObject({
      deadLetters: [{ letter: name(), name: 'order-1', attempts: 1, at: first?.at, size: 6 }],
    });
    expect(JSON.parse((await inspect('--json')).out)).toMatchObject({ deadLetters: [] });
    for (const count of ['0', '1.5', 'many', '1001'])
      expect((await inspect('--letters', count)).error).toContain(
        "'letters' must be a whole number of 1 to 1000",
      );
    expect((await orchestrator(['inspect', 'shop', '--letters', '1'])).error).toContain(
      '--letters is for distributed, and this is shared-memory',
    );
  });

  it('says that there is no such cluster, and makes none', async () => {
    const redis = clientOf(place.url);
    const { code, out, error } = await inspect();
    expect([code, out]).toEqual([2, '']);
    expect(error).toContain(`no cluster 'shop' in this Redis under the prefix '${place.prefix}'`);
    expect(await redis.keys(`*${place.prefix}*`)).toEqual([]);
    expect(await inspectStreams(redis, 'shop', { prefix: place.prefix })).toBeUndefined();
  });

  it('refuses keys of another layout, and keys that are none of ours', async () => {
    const one = await joined('one', clientOf(place.url), { ...OPTIONS, prefix: place.prefix });
    await one.seat.leave();
    const redis = clientOf(place.url);
    const [settings = ''] = await redis.keys(`*${place.prefix}*settings`);
    await redis.set(settings, '9/4');
    expect((await inspect()).error).toContain('streams of layout 9, and this build reads 2');
    await redis.set(settings, 'soup');
    expect((await inspect()).error).toContain('streams of layout 1');
    await redis.del(settings);
    await redis.hset(settings, 'a', 'b');
    expect((await inspect()).error).toContain('WRONGTYPE');
  });

  it('says that there is no Redis, that it does not let one in, or that none was named', async () => {
    const nowhere = `redis://127.0.0.1:${await freePort()}`;
    expect((await inspect('--redis', nowhere)).error).toContain('ECONNREFUSED');
    const server = await startRedisServer(redisFolder(), { requirepass: 'right' });
    const wrong = server.url.replace('redis://', 'redis://:wrong@');
    const refused = await inspect('--redis', wrong);
    expect([refused.code, refused.out]).toEqual([2, '']);
    expect(refused.error).toMatch(/WRONGPASS|password/);
    expect(refused.error).not.toContain(':wrong@');
    const right = await inspect('--redis', server.url.replace('redis://', 'redis://:right@'));
    expect(right.error).toContain("no cluster 'shop'");
    await server.stop('SIGKILL');
    const args = ['inspect', 'shop', '--type', 'distributed'];
    expect((await orchestrator(args)).error).toContain('--redis URL, or REDIS_URL');
    expect((await orchestrator([...args, '--directory', 'x'])).error).toContain(
      '--directory is for shared-memory and named-pipe',
    );
  });
});
