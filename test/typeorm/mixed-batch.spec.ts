import type { Commit } from '@nestjs-orchestrator/core/ports';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { by, entry, inbox, key, line, outcomes, ref, twoNodes, work, type TwoNodes } from './support.js';

let nodes: TwoNodes;

beforeAll(async () => {
  nodes = await twoNodes();
});

afterAll(() => nodes.close());

it('a duplicate, a lost race, a locked row, a taken key and stale leases lose beside good ones, in one statement', async () => {
  const { rival, stores } = nodes;
  const at = (seconds: number) => ({ ...by(), now: 1_900_000_000_000 + seconds * 1_000 });
  const there = ['duplicate', 'raced', 'locked', 'leased', 'slept', 'good'].map((id) => `mixed-${id}`);
  await stores[1].commit(
    [...there, 'mixed-owner'].map((id) => entry(id, 0, { keys: [key(id)], inbox: inbox('m-0') })),
    at(0),
  );
  await stores[1].commit([entry('mixed-raced', 1)], at(0));
  const lease = (id: string, token: string, from: number, owner = 'node-a') =>
    stores[0].lease({ ...at(from), ref: ref(id), token, leaseMs: 10_000, owner });
  await lease('mixed-leased', 'theirs', 55, 'node-b');
  await lease('mixed-slept', 'slept', 0);
  await rival.sql('BEGIN');
  await rival.sql(`SELECT FROM orchestrator.instance WHERE id = 'mixed-locked' FOR UPDATE`);
  const change = (id: string, version = 1, fields: Partial<Commit> = {}) =>
    entry(`mixed-${id}`, version, {
      inbox: inbox('m-1'),
      work: [work(`w-${id}`)],
      history: [line('event', 'm-1')],
      ...fields,
    });
  const fresh = (n: number) => change(`new-${n}`, 0, { keys: [key(`mixed-new-${n}`)] });
  const batch = [
    fresh(1),
    change('duplicate', 1, { ifUnseen: true, inbox: inbox('m-0') }),
    change('good'),
    change('raced'),
    fresh(2),
    change('locked'),
    change('thief', 0, { keys: [key('mixed-owner')] }),
    fresh(3),
    change('leased'),
    change('slept', 1, { lease: 'slept' }),
    fresh(4),
  ];
  const results = outcomes(await stores[0].commit(batch, at(60)));
  await rival.sql('ROLLBACK');
  const won = batch.flatMap(({ ref: { id } }, n) => (results[n] === 'committed' ? [id.slice(6)] : []));
  expect(won).toEqual(['new-1', 'good', 'new-2', 'new-3', 'new-4']);
  expect(results.filter((outcome) => outcome === 'conflict')).toHaveLength(6);
  const written = (table: string, column: string) =>
    rival.sql<{ rows: number; transactions: number }>(
      `SELECT count(*)::int AS rows, count(DISTINCT xmin::text)::int AS transactions FROM orchestrator.${table} WHERE ${column}`,
    );
  // One transaction has written all of them, and a transaction is a statement here.
  expect(
    await written('outbox', `id LIKE 'w-%' AND id = ANY ('{${won.map((id) => `w-${id}`).join()}}')`),
  ).toEqual([{ rows: 5, transactions: 1 }]);
  const lost = ['duplicate', 'raced', 'locked', 'thief', 'leased', 'slept'];
  expect(await written('outbox', `id = ANY ('{${lost.map((id) => `w-${id}`).join()}}')`)).toEqual([
    { rows: 0, transactions: 0 },
  ]);
  expect(await written('inbox', `instance_id LIKE 'mixed-%' AND message_id = 'm-1'`)).toEqual([
    { rows: 5, transactions: 1 },
  ]);
  expect(await rival.sql(`SELECT FROM orchestrator.instance WHERE id = 'mixed-thief'`)).toEqual([]);
  // Each that has lost may win by itself, when what stood against it is over.
  expect(outcomes(await stores[0].commit([change('locked'), change('raced', 2)], at(60)))).toEqual([
    'committed',
    'committed',
  ]);
});
