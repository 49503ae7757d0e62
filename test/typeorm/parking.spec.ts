import type { CommitResult } from '@nestjs-orchestrator/core/ports';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { AT, by, entry, key, outcomes, ref, SAGA, TENANT, twoNodes, work, type TwoNodes } from './support.js';

let nodes: TwoNodes;

beforeAll(async () => {
  nodes = await twoNodes();
});

afterAll(() => nodes.close());

function creation(id: string) {
  return entry(id, 0, { keys: [key(id)], wakeIfParked: work(`wake-${id}`, { destination: 'wake' }) });
}

function parking(id: string) {
  const delivery = { messageId: `m-${id}`, payload: '{}', ttlMs: 60_000 };
  return { tenant: TENANT, saga: SAGA, key: key(id), delivery, done: [] };
}

it('a creation that waits for a parking finds the message, though its own snapshot is older', async () => {
  const { rival, stores } = nodes;
  await rival.sql('BEGIN');
  await rival.sql(
    `INSERT INTO orchestrator.instance_key (tenant, saga, name, value, parked) VALUES ($1, $2, 'orderId', 'parked-first', 1)`,
    [TENANT, SAGA],
  );
  await rival.sql(
    `INSERT INTO orchestrator.delivery (tenant, saga, key_name, key_value, message_id, payload, ttl_ms, expires_at)
     VALUES ($1, $2, 'orderId', 'parked-first', 'm', '{}', 1000, 9e15)`,
    [TENANT, SAGA],
  );
  const created = stores[0].commit([creation('parked-first')], by());
  await rival.isWaitedFor();
  await rival.sql('COMMIT');
  expect(await created).toEqual([{ outcome: 'committed', version: 1, leased: true, woken: true }]);
  expect(await stores[1].deliveries(ref('parked-first'))).toMatchObject([{ messageId: 'm' }]);
});

it('a parking that waits for a creation is told that the key has an instance', async () => {
  const { rival, stores } = nodes;
  await rival.sql('BEGIN');
  await rival.sql(
    `INSERT INTO orchestrator.instance_key (tenant, saga, name, value, instance_id) VALUES ($1, $2, 'orderId', 'made-first', 'made-first')`,
    [TENANT, SAGA],
  );
  const parked = stores[0].park([parking('made-first')], AT);
  await rival.isWaitedFor();
  await rival.sql('COMMIT');
  expect(await parked).toEqual(['present']);
  const waiting = await rival.sql(`SELECT FROM orchestrator.delivery WHERE key_value = 'made-first'`);
  expect(waiting).toHaveLength(0);
});

it('a message parked while others on its key expire is found by the creation', async () => {
  const { rival, stores } = nodes;
  await stores[0].park(
    [{ ...parking('expiring'), delivery: { messageId: 'old', payload: '{}', ttlMs: 0 } }],
    AT,
  );
  await rival.sql('BEGIN');
  // As a parking does that is not committed yet when the expiry runs.
  await rival.sql(`UPDATE orchestrator.instance_key SET parked = parked + 1 WHERE value = 'expiring'`);
  await rival.sql(
    `INSERT INTO orchestrator.delivery (tenant, saga, key_name, key_value, message_id, payload, ttl_ms, expires_at)
     VALUES ($1, $2, 'orderId', 'expiring', 'new', '{}', 60000, 9e15)`,
    [TENANT, SAGA],
  );
  const expired = stores[0].expireDeliveries(AT);
  await rival.isWaitedFor();
  await rival.sql('COMMIT');
  expect(await expired).toBe(1);
  expect(await stores[1].commit([creation('expiring')], by())).toMatchObject([{ woken: true }]);
});

it('keys on which nothing waits any more are forgotten', async () => {
  const { rival, stores } = nodes;
  await stores[0].park([{ ...parking('gone'), delivery: { messageId: 'm', payload: '{}', ttlMs: 0 } }], AT);
  expect(await stores[0].expireDeliveries(AT)).toBe(1);
  expect(await rival.sql(`SELECT FROM orchestrator.instance_key WHERE value = 'gone'`)).toHaveLength(0);
});

/** Creates, and again while the key was only being looked at. */
async function create(id: string): Promise<CommitResult> {
  for (;;) {
    const [result] = await nodes.stores[0].commit([creation(id)], by());
    if (result === undefined || result instanceof Error) throw result ?? new Error('no answer');
    if (result.outcome === 'committed') return result;
  }
}

it('500 aligned pairs of parking and creation leave no message beside an instance that nobody wakes', async () => {
  const ids = Array.from({ length: 500 }, (_, n) => `pair-${n}`);
  const answers: { readonly created: CommitResult; readonly parked: string | undefined }[] = [];
  for (let n = 0; n < ids.length; n += 5) {
    const aligned = ids.slice(n, n + 5).map(async (id, k) => {
      const park = () => nodes.stores[1].park([parking(id)], AT);
      // Both orders of sending, since the first one sent usually comes first.
      const first = k % 2 === 0 ? park() : null;
      const [created, [parked]] = await Promise.all([create(id), first ?? park()]);
      answers.push({ created, parked });
    });
    await Promise.all(aligned);
  }
  for (const { created, parked } of answers) {
    expect(created).toMatchObject({ outcome: 'committed', woken: parked === 'parked' });
  }
  const left = await nodes.rival.sql(
    `SELECT FROM orchestrator.delivery d
     JOIN orchestrator.instance_key k ON (k.tenant, k.saga, k.name, k.value) = (d.tenant, d.saga, d.key_name, d.key_value)
     WHERE k.value LIKE 'pair-%' AND k.instance_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM orchestrator.outbox o WHERE o.destination = 'wake' AND o.id = 'wake-' || k.value)`,
  );
  expect(left).toHaveLength(0);
  expect(new Set(answers.map(({ parked }) => parked))).toEqual(new Set(['parked', 'present']));
});

it('batches of parkings and creations over the same keys in two orders end without a deadlock', async () => {
  const ids = Array.from({ length: 50 }, (_, n) => `both-${n}`);
  const [created, parked] = await Promise.all([
    nodes.stores[0].commit(ids.map(creation), by()),
    nodes.stores[1].park(ids.toReversed().map(parking), AT),
  ]);
  // A creation that meets a parking in this moment has lost its race, and is made again.
  const lost = ids.filter((_, n) => outcomes(created)[n] === 'conflict');
  const again = await nodes.stores[0].commit(lost.map(creation), by());
  const all = [...outcomes(created), ...outcomes(again)].filter((outcome) => outcome !== 'conflict');
  expect(all).toEqual(ids.map(() => 'committed'));
  expect(parked).toHaveLength(50);
});
