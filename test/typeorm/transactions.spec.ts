import { StoreTransactionError } from '@nestjs-orchestrator/core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AT, by, twoNodes, work, type TwoNodes } from './support.js';

let nodes: TwoNodes;
const stops: (() => void)[] = [];

// Each on a database of its own: hints of what another test has written may come late.
beforeEach(async () => {
  nodes = await twoNodes();
});

afterEach(async () => {
  for (const stop of stops.splice(0)) stop();
  await nodes.close();
});

/** Resolves with the next hint that a node gets. */
function nextHint(node: 0 | 1): Promise<void> {
  return new Promise((resolve) => stops.push(nodes.stores[node].onWork(resolve)));
}

async function claimed(destination: string): Promise<readonly string[]> {
  const request = { ...by('claimer'), destinations: [destination], limit: 10 };
  return (await nodes.stores[1].claimWork(request)).items.map(({ id }) => id);
}

const message = (destination: string, id = 'm-1') => ({ tenant: 'acme', destination, id });

it('what is enqueued and consumed in a joined transaction is gone with its rollback', async () => {
  const [source] = nodes.sources;
  await expect(
    source.transaction(async (manager) => {
      const tx = nodes.stores[0].within(manager, AT);
      await tx.enqueue([work('w-1', { destination: 'rolled-back' })]);
      expect(await tx.consume(message('rolled-back'), 'handled')).toBe(true);
      throw new Error('changed my mind');
    }),
  ).rejects.toThrow('changed my mind');
  expect(await claimed('rolled-back')).toEqual([]);
  await source.transaction(async (manager) => {
    expect(await nodes.stores[0].within(manager, AT).consume(message('rolled-back'), 'handled')).toBe(true);
  });
});

it('work of a joined transaction is announced to all nodes when the caller commits, not before', async () => {
  const [source] = nodes.sources;
  let hints = 0;
  stops.push(nodes.stores[1].onWork(() => (hints += 1)));
  const heard: Promise<void>[] = [];
  await source.transaction(async (manager) => {
    await nodes.stores[0].within(manager, AT).enqueue([work('w-1', { destination: 'joined' })]);
    expect(await claimed('joined')).toEqual([]);
    // Whatever was announced by now has arrived when this has: notifications keep their order.
    const others = [nextHint(0), nextHint(1)];
    await nodes.rival.sql(`SELECT pg_notify('orchestrator_work', 'marker')`);
    await Promise.all(others);
    expect(hints).toBe(1);
    heard.push(nextHint(0), nextHint(1));
  });
  await Promise.all(heard);
  expect(await claimed('joined')).toEqual(['w-1']);
});

it('calls that nobody awaits go one after the other on the caller’s connection', async () => {
  const [source] = nodes.sources;
  let [under, most] = [0, 0];
  await source.transaction(async (manager) => {
    const client = (await manager.queryRunner?.connect()) as { query: (query: unknown) => Promise<unknown> };
    const query = client.query.bind(client);
    client.query = async (text) => {
      most = Math.max(most, (under += 1));
      return query(text).finally(() => (under -= 1));
    };
    const tx = nodes.stores[0].within(manager, AT);
    const parking = ['p-1', 'p-2'].map((value) => ({
      tenant: 'acme',
      saga: 'order',
      key: { name: 'orderId', value },
      delivery: { messageId: 'm-1', payload: '{}', ttlMs: 1_000 },
      done: [],
    }));
    const calls = [
      tx.enqueue([work('w-1', { destination: 'at once' })]),
      tx.enqueue([work('w-2', { destination: 'at once' })]),
      tx.park(parking),
      tx.consume(message('at once'), 'handled'),
    ];
    await Promise.all(calls);
    Reflect.deleteProperty(client, 'query');
  });
  expect(most).toBe(1);
  expect(await claimed('at once')).toEqual(['w-1', 'w-2']);
});

it('the caller’s own writes and the store’s are one transaction', async () => {
  await nodes.rival.sql('CREATE TABLE charges (id text)');
  const charge = async (fail: boolean): Promise<boolean> =>
    nodes.stores[0].transaction(async (tx) => {
      const manager = tx.manager as (typeof nodes.sources)[0]['manager'];
      const first = await tx.consume(message('charge'), 'handled');
      if (first) await manager.query(`INSERT INTO charges VALUES ('c-1')`);
      if (fail) throw new Error('crash');
      return first;
    }, AT);
  await expect(charge(true)).rejects.toThrow('crash');
  expect(await charge(false)).toBe(true);
  expect(await charge(false)).toBe(false);
  expect(await nodes.rival.sql('SELECT id FROM charges')).toEqual([{ id: 'c-1' }]);
});

it('work that is handed over is leased to the writer, but not behind a lane that is held', async () => {
  const [store] = nodes.stores;
  const handOver = (id: string, lane: string | null) =>
    store.transaction(
      (tx) =>
        tx.handOver([message('over', 'cause')], [work(id, { destination: 'over', lane })], by('writer')),
      AT,
    );
  await store.enqueue([work('cause', { destination: 'over', lane: 'l' })], by('other'));
  expect(await handOver('next', 'l')).toBe(true);
  expect(await claimed('over')).toEqual([]);
  expect(await handOver('behind', 'l')).toBe(false);
  expect(await handOver('free', null)).toBe(true);
});

it('a second consumer waits until the first has decided', async () => {
  const { rival, stores } = nodes;
  await rival.sql('BEGIN');
  await rival.sql(`INSERT INTO orchestrator.consumed VALUES ('acme', 'waits', 'm-1', 'handled', 0)`);
  const second = stores[0].transaction((tx) => tx.consume(message('waits'), 'handled'), AT);
  await rival.isWaitedFor();
  await rival.sql('COMMIT');
  expect(await second).toBe(false);
});

it('within() refuses what is no open transaction of its DataSource', async () => {
  const [store] = nodes.stores;
  expect(() => store.within({}, AT)).toThrow(StoreTransactionError);
  expect(() => store.within(null, AT)).toThrow(StoreTransactionError);
  expect(() => store.within(nodes.sources[0].manager, AT)).toThrow(StoreTransactionError);
  await nodes.sources[1].transaction(async (manager) => {
    expect(() => store.within(manager, AT)).toThrow('another DataSource');
  });
  const late = await nodes.sources[0].transaction(async (manager) => store.within(manager, AT));
  await expect(late.enqueue([work('late')])).rejects.toThrow('has ended');
});
