import { afterEach, beforeEach, expect, it } from 'vitest';
import { by, work } from '../typeorm/support.js';
import { twoNodes, type TwoNodes } from './support.js';

let nodes: TwoNodes;

beforeEach(async () => {
  nodes = await twoNodes();
});
afterEach(() => nodes.close());

const HOUR = 3_600_000;
const T0 = Date.UTC(2031, 0, 1);

/** Rows of several tenants, `acme` with the oldest. */
async function write(counts: Readonly<Record<string, number>>): Promise<void> {
  let now = T0;
  for (const [tenant, count] of Object.entries(counts)) {
    const rows = Array.from({ length: count }, (_, n) => work(`${tenant}-${n}`, { tenant, delayMs: 1 }));
    await nodes.stores[0].enqueue(rows, { ...by(), now });
    now += 1_000;
  }
}

async function claim(limit: number, leaseMs = HOUR) {
  const request = { owner: 'node-b', leaseMs, now: T0 + HOUR, destinations: ['handler:Pay'], limit };
  const { items, nextDueMs } = await nodes.stores[1].claimWork(request);
  return { ids: items.map(({ id }) => id), nextDueMs };
}

it('a hand is shared by the tenants that have due work, so that one with much does not keep the others waiting', async () => {
  await write({ acme: 50, small: 2, umbrella: 3 });
  const { ids, nextDueMs } = await claim(12);
  expect(ids).toHaveLength(12);
  expect(ids.filter((id) => id.startsWith('small'))).toHaveLength(2);
  expect(ids.filter((id) => id.startsWith('umbrella'))).toHaveLength(3);
  expect(ids.filter((id) => id.startsWith('acme'))).toHaveLength(7);
  expect(nextDueMs).toBe(0);
});

it('a hand that is smaller than the number of tenants goes to those that waited longest', async () => {
  await write({ acme: 1, b: 1, c: 1, d: 1 });
  expect((await claim(2)).ids).toEqual(['acme-0', 'b-0']);
  expect((await claim(9)).ids).toEqual(['c-0', 'd-0']);
  expect(await claim(9)).toEqual({ ids: [], nextDueMs: HOUR });
});

it('a claim gives no row twice, also where its lease is over at once', async () => {
  await write({ acme: 1, b: 2 });
  expect((await claim(9, 0)).ids.toSorted()).toEqual(['acme-0', 'b-0', 'b-1']);
});
