import { afterAll, beforeAll, expect, it } from 'vitest';
import { by, entry, ref, SAGA, TENANT, twoNodes, work, type TwoNodes } from './support.js';

let nodes: TwoNodes;

beforeAll(async () => {
  nodes = await twoNodes();
});

afterAll(() => nodes.close());

async function claim(node: 0 | 1, destination: string, limit = 1_000) {
  return nodes.stores[node].claimWork({ ...by(`claimer-${node}`), destinations: [destination], limit });
}

/** Work that nobody holds. */
async function leave(destination: string, ids: readonly string[], lane: string | null = null): Promise<void> {
  const rows = ids.map((id) => work(id, { destination, lane }));
  await nodes.stores[0].transaction((tx) => tx.enqueue(rows), { now: null });
}

it('two nodes that claim at the same time never get the same row', async () => {
  const ids = Array.from({ length: 400 }, (_, n) => `w-${n}`);
  await leave('shared', ids);
  const got: string[] = [];
  async function drain(node: 0 | 1): Promise<void> {
    for (let left = true; left;) {
      const { items } = await claim(node, 'shared', 7);
      got.push(...items.map(({ id }) => id));
      left = items.length > 0;
    }
  }
  await Promise.all([drain(0), drain(1), drain(0), drain(1)]);
  expect(got.toSorted()).toEqual(ids.toSorted());
});

it('a row that is committed after a later one is claimed all the same', async () => {
  const { rival } = nodes;
  await rival.sql('BEGIN');
  await rival.sql(
    `INSERT INTO orchestrator.outbox (tenant, destination, id, payload, delay_ms, claimable_at, attempts)
     VALUES ('acme', 'out-of-order', 'early', '{}', 0, 0, 0)`,
  );
  await leave('out-of-order', ['late']);
  expect((await claim(0, 'out-of-order')).items.map(({ id }) => id)).toEqual(['late']);
  await rival.sql('COMMIT');
  expect((await claim(0, 'out-of-order')).items.map(({ id }) => id)).toEqual(['early']);
});

it('a claim skips a row that somebody has locked', async () => {
  const { rival } = nodes;
  await leave('locked', ['w-1', 'w-2']);
  await rival.sql('BEGIN');
  await rival.sql(`SELECT FROM orchestrator.outbox WHERE destination = 'locked' AND id = 'w-1' FOR UPDATE`);
  expect((await claim(0, 'locked')).items.map(({ id }) => id)).toEqual(['w-2']);
  await rival.sql('ROLLBACK');
});

it('a lane hands out its head only, also to a claim that meets the head leased', async () => {
  await leave('laned', ['a', 'b', 'c'], 'lane');
  expect((await claim(0, 'laned')).items.map(({ id }) => id)).toEqual(['a']);
  expect((await claim(1, 'laned')).items).toEqual([]);
  await nodes.stores[0].completeWork([{ tenant: TENANT, destination: 'laned', id: 'a' }]);
  expect((await claim(1, 'laned')).items.map(({ id }) => id)).toEqual(['b']);
});

it('a renewal passes over a row that is being finished', async () => {
  const { rival, stores } = nodes;
  await leave('renewed', ['w-1']);
  await claim(0, 'renewed');
  await rival.sql('BEGIN');
  await rival.sql(`DELETE FROM orchestrator.outbox WHERE destination = 'renewed'`);
  await stores[0].renewWork([{ tenant: TENANT, destination: 'renewed', id: 'w-1' }], by('claimer-0'));
  await rival.sql('COMMIT');
  expect((await claim(1, 'renewed')).items).toEqual([]);
});

it('two nodes never get the same timer', async () => {
  const { stores } = nodes;
  const ids = Array.from({ length: 300 }, (_, n) => `t-${n}`);
  await stores[0].commit(
    ids.map((id) =>
      entry(id, 0, {
        timers: { arm: [{ ...ref(id), name: 'due', token: '1', delayMs: 0, payload: '{}' }], disarm: [] },
      }),
    ),
    by(),
  );
  const got: string[] = [];
  async function drain(node: 0 | 1): Promise<void> {
    for (let left = true; left;) {
      const { items } = await stores[node].claimTimers({ ...by(`${node}`), destinations: [SAGA], limit: 7 });
      got.push(...items.map(({ id }) => id));
      left = items.length > 0;
    }
  }
  await Promise.all([drain(0), drain(1)]);
  expect(got.toSorted()).toEqual(ids.toSorted());
});

it('a lane with more waiting rows than a claim looks at hides no other lane, and no row without one', async () => {
  await leave(
    'crowded',
    Array.from({ length: 1_000 }, (_, n) => `long-${n}`),
    'long',
  );
  await leave('crowded', ['short'], 'short');
  await leave('crowded', ['free']);
  const first = await claim(0, 'crowded', 10);
  expect(first.items.map(({ id }) => id).toSorted()).toEqual(['free', 'long-0', 'short']);
  expect(first.nextDueMs).toBeGreaterThan(0);
  expect((await claim(1, 'crowded', 10)).items).toEqual([]);
});
