import { StoreUnavailableError } from '@nestjs-orchestrator/core';
import type { InstanceStore } from '@nestjs-orchestrator/core/ports';
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { startRedisServer, type RedisServer } from '../support/redis-server.js';
import { redisFolder } from '../support/redis.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import { AT, by, entry, inbox, key, outcomes, SAGA, TENANT, work } from '../typeorm/support.js';
import { hint, insist, twoNodes, type TwoNodes } from './support.js';

let server: RedisServer;
let nodes: TwoNodes;

beforeEach(async () => {
  server = await startRedisServer(redisFolder());
  nodes = await twoNodes({}, server.url);
});
afterEach(async () => {
  await nodes.close();
  await server.stop('SIGKILL');
});

it('a store without its server says so at once, and serves by itself when it is back', async () => {
  const [store] = nodes.stores;
  await store.commit([entry('i-1', 0, { keys: [key('k')] })], by());
  await server.stop('SIGKILL');
  const refused = store.commit([entry('i-1', 1)], by());
  await expect(refused).rejects.toMatchObject({ name: 'StoreUnavailableError', retryable: true });
  await expect(store.ping()).rejects.toBeInstanceOf(StoreUnavailableError);
  await expect(store.transaction((tx) => tx.enqueue([work('w')]), AT)).rejects.toBeInstanceOf(
    StoreUnavailableError,
  );
  const back = hint(store);
  await server.start();
  await back;
  const results = await insist(() => store.commit([entry('i-1', 1)], by()));
  expect(outcomes(results)).toEqual(['committed']);
});

it('a node hears of the work of others again when its server is back', async () => {
  const [store, other] = nodes.stores;
  const backs = [hint(store), hint(other)];
  await server.stop('SIGKILL');
  await server.start();
  await Promise.all(backs);
  await insist(() => other.ping());
  const heard = hint(store);
  await insist(() => other.transaction((tx) => tx.enqueue([work('w')]), AT));
  await expect(heard).resolves.toBeUndefined();
});

it('a connection that is lost while it subscribes again ends nothing, and hints are heard when it is back', async () => {
  const proxy = await startTcpProxy(server.port);
  const distant = await twoNodes({}, `redis://127.0.0.1:${proxy.port}`);
  const unhandled: unknown[] = [];
  const note = (error: unknown): void => void unhandled.push(error);
  process.on('unhandledRejection', note);
  onTestFinished(async () => {
    process.off('unhandledRejection', note);
    await distant.close();
    await proxy.close();
  });
  const [store, other] = distant.stores;
  const backs = distant.stores.map(hint);
  proxy.closeAt('subscribe', 4);
  proxy.drop();
  await Promise.all(backs);
  const heard = hint(store);
  await insist(() => other.transaction((tx) => tx.enqueue([work('w')]), AT));
  await heard;
  expect(unhandled).toEqual([]);
});

it('a server that hangs counts as away, and its connection is given up once, however many calls wait', async () => {
  const warnings: Error[] = [];
  // What a cluster's client of an earlier file has to say is not meant.
  const note = (warning: Error): void =>
    void (warning.stack?.includes('ClusterSubscriber') === true || warnings.push(warning));
  process.on('warning', note);
  onTestFinished(() => void process.off('warning', note));
  // Long enough for a busy machine to start it.
  const impatient = await twoNodes({ timeoutMs: 5_000 }, server.url);
  await impatient.rival.call('CLIENT', 'PAUSE', '60000', 'ALL');
  const calls = Array.from({ length: 20 }, () => impatient.stores[0].ping());
  const reasons = (await Promise.allSettled(calls)).map((call): unknown => 'reason' in call && call.reason);
  expect(String(reasons[0])).toContain('did not answer within 5000 ms');
  expect(reasons.filter((reason) => !(reason instanceof StoreUnavailableError))).toEqual([]);
  await impatient.close();
  // Node warns of an eleventh listener on one socket.
  expect(warnings).toEqual([]);
});

it('work is found though the server has lost which tenants there are', async () => {
  const [store, other] = nodes.stores;
  await store.enqueue([work('before')], by());
  // What a fail-over may leave: another server, without what was acknowledged last.
  await nodes.rival.flushall();
  const backs = [hint(store), hint(other)];
  await nodes.rival.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  await nodes.rival.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
  await Promise.all(backs);
  await insist(() => store.transaction((tx) => tx.enqueue([work('after')]), AT));
  const request = { ...by('node-b'), destinations: ['handler:Pay'], limit: 9 };
  const { items } = await insist(() => other.claimWork(request));
  expect(items.map(({ id }) => id)).toEqual(['after']);
});

it('a server whose memory is full counts as away, and nothing of a commit is written', async () => {
  const { rival, stores } = nodes;
  const created = entry('i-1', 0, { keys: [key('k')], inbox: inbox('m-1'), work: [work('w')] });
  await stores[0].commit([entry('i-0', 0)], by());
  await rival.config('SET', 'maxmemory', '1');
  await expect(stores[0].commit([created], by())).rejects.toBeInstanceOf(StoreUnavailableError);
  await rival.config('SET', 'maxmemory', '0');
  expect(await rival.keys('*instance:order/i-1')).toEqual([]);
  expect(outcomes(await stores[0].commit([created], by()))).toEqual(['committed']);
});

/**
 * Commits versions of one instance as fast as it can; what was acknowledged, and how often it was told that the server is away. Ends when it knows of the last one
 * whether it was written: one that was, and its answer was lost, is only told of by the next try.
 */
async function writeUntil(store: InstanceStore, id: string, ended: () => boolean) {
  const acknowledged: string[] = [];
  let version = 0;
  let away = 0;
  let isUnknown = false;
  while (!ended() || isUnknown) {
    const message = `m-${version + 1}`;
    try {
      const next = entry(id, version, { inbox: inbox(message), work: [work(`${id} ${message}`)] });
      const [result] = await store.commit([next], by());
      if (result instanceof Error) throw result;
      if (result?.outcome === 'committed') acknowledged.push(message);
      // Lost: it was written, and its answer was not heard.
      version += 1;
      isUnknown = false;
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      away += 1;
      isUnknown = true;
      await new Promise((resolve) => void setImmediate(resolve));
    }
  }
  return { id, acknowledged, away, version };
}

it('nothing that was acknowledged is lost when the server is killed under load', async () => {
  let ended = false;
  const writers = Array.from({ length: 8 }, (_, n) =>
    writeUntil(nodes.stores[n % 2 === 0 ? 0 : 1], `i-${n}`, () => ended),
  );
  const counter = `{${nodes.prefix}/${TENANT}}:sequence`;
  for (let kill = 0; kill < 3; kill += 1) {
    // Work has been written since the last death: each row takes a number of the sequence.
    const before = Number(await insist(() => sequence(counter)));
    while (Number(await insist(() => sequence(counter))) < before + 200);
    const backs = nodes.stores.map(hint);
    await server.stop('SIGKILL');
    await server.start();
    await Promise.all(backs);
  }
  const after = Number(await insist(() => sequence(counter)));
  while (Number(await insist(() => sequence(counter))) < after + 200);
  ended = true;
  const all = await Promise.all(writers);
  expect(all.reduce((sum, { away }) => sum + away, 0)).toBeGreaterThan(0);
  for (const { id, acknowledged, version } of all) {
    const requests = acknowledged.map((messageId) => ({
      tenant: TENANT,
      saga: SAGA,
      by: { id },
      messageId,
    }));
    // That work goes on does not say that both nodes are connected again.
    const found = await insist(() => nodes.stores[0].load(requests, AT));
    expect(found.filter(({ seen }) => seen?.outcome !== 'applied')).toEqual([]);
    expect(found[0]?.instance?.version).toBe(version);
    const rows = (await nodes.rival.hkeys(`{${nodes.prefix}/${TENANT}}:work:row`)).filter((row) =>
      decodeURIComponent(row).includes(`/${id} `),
    );
    expect(rows).toHaveLength(version);
  }
});

/** A client of its own would wait for the server instead of saying that it is away. */
async function sequence(name: string): Promise<string | null> {
  try {
    return await nodes.rival.get(name);
  } catch (cause) {
    throw new StoreUnavailableError('away', { cause });
  }
}
