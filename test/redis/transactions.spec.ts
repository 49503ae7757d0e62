import { StoreTransactionError, StoreUnavailableError } from '@nestjs-orchestrator/core';
import type { StoreTransaction } from '@nestjs-orchestrator/core/ports';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { AT, by, entry, key, outcomes, ref, SAGA, TENANT, work } from '../typeorm/support.js';
import { keyOf, twoNodes, type TwoNodes } from './support.js';

const MESSAGE = { tenant: TENANT, destination: 'handler:Pay', id: 'm-1' };
const DECIDING = 'deciding:handler%3APay/m-1';

let nodes: TwoNodes;

/** A point at which one side waits for the other. */
function gate(): { readonly passed: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open: () => open() };
}

beforeEach(async () => {
  nodes = await twoNodes();
});
afterEach(() => nodes.close());

const claimed = async (): Promise<readonly string[]> => {
  const request = { ...by('node-x'), destinations: ['handler:Pay'], limit: 10 };
  return (await nodes.stores[1].claimWork(request)).items.map(({ id }) => id);
};

it('a transaction whose decision has run out writes nothing, and is told that it is tried again', async () => {
  const { rival, stores } = nodes;
  const first = stores[0].transaction(async (tx) => {
    expect(await tx.consume(MESSAGE, 'first')).toBe(true);
    await tx.enqueue([work('of the first')]);
    // As if the process had been paused for longer than its decision was kept.
    await rival.del(keyOf(nodes, DECIDING));
    await stores[1].transaction(async (other) => {
      expect(await other.consume(MESSAGE, 'second')).toBe(true);
      await other.enqueue([work('of the second')]);
    }, AT);
  }, AT);
  await expect(first).rejects.toBeInstanceOf(StoreUnavailableError);
  expect(await claimed()).toEqual(['of the second']);
  expect(await stores[0].consumed([MESSAGE])).toEqual(['second']);
});

it('a transaction whose decision has run out leaves it to the one that is about to make it', async () => {
  const { rival, stores } = nodes;
  const [secondHasIt, firstIsLost] = [gate(), gate()];
  let second: Promise<void> | undefined;
  const first = stores[0].transaction(async (tx) => {
    expect(await tx.consume(MESSAGE, 'first')).toBe(true);
    await rival.del(keyOf(nodes, DECIDING));
    second = stores[1].transaction(async (other) => {
      expect(await other.consume(MESSAGE, 'second')).toBe(true);
      secondHasIt.open();
      await firstIsLost.passed;
    }, AT);
    await secondHasIt.passed;
  }, AT);
  await expect(first).rejects.toBeInstanceOf(StoreUnavailableError);
  expect(await rival.exists(keyOf(nodes, DECIDING))).toBe(1);
  firstIsLost.open();
  await second;
  expect(await stores[0].consumed([MESSAGE])).toEqual(['second']);
});

it('a transaction that parks a message loses where its key has got an instance meanwhile', async () => {
  const { stores } = nodes;
  const delivery = { messageId: 'm-2', payload: '{}', ttlMs: 1_000 };
  const parks = stores[0].transaction(async (tx) => {
    const request = { tenant: TENANT, saga: SAGA, key: key('k'), delivery, done: [] };
    expect(await tx.park([request])).toEqual(['parked']);
    expect(outcomes(await stores[1].commit([entry('i-1', 0, { keys: [key('k')] })], by()))).toEqual([
      'committed',
    ]);
  }, AT);
  await expect(parks).rejects.toBeInstanceOf(StoreUnavailableError);
  const asked = { tenant: TENANT, saga: SAGA, by: { key: key('k') }, messageId: 'm-2' };
  expect((await stores[1].load([asked], AT))[0]).toMatchObject({ instance: { id: 'i-1' }, seen: null });
});

it('a commit in a transaction whose hold has run out and was used by another writes nothing', async () => {
  const { rival, stores } = nodes;
  await stores[0].commit([entry('i-1', 0)], by());
  const lost = stores[0].transaction(async (tx) => {
    expect((await tx.commit(entry('i-1', 1, { work: [work('lost')] }))).outcome).toBe('committed');
    expect((await tx.commit(entry('i-2', 0, { keys: [key('k')] }))).outcome).toBe('committed');
    await rival.hdel(keyOf(nodes, 'instance:order/i-1'), 'tx');
    expect(outcomes(await stores[1].commit([entry('i-1', 1)], by()))).toEqual(['committed']);
  }, AT);
  await expect(lost).rejects.toBeInstanceOf(StoreUnavailableError);
  expect(await claimed()).toEqual([]);
  const byKey = { tenant: TENANT, saga: SAGA, by: { key: key('k') }, messageId: 'm' };
  const byId = { tenant: TENANT, saga: SAGA, by: { id: 'i-1' }, messageId: 'm' };
  const [created, changed] = await stores[1].load([byKey, byId], AT);
  expect([created?.instance, changed?.instance?.version]).toEqual([null, 2]);
});

it('what a transaction held is free at once when it is rolled back', async () => {
  const { stores } = nodes;
  await stores[0].commit([entry('i-1', 0)], by());
  const rolledBack = stores[0].transaction(async (tx) => {
    await tx.consume(MESSAGE, 'never');
    await tx.commit(entry('i-1', 1));
    await tx.commit(entry('i-2', 0, { keys: [key('k')] }));
    throw new Error('no');
  }, AT);
  await expect(rolledBack).rejects.toThrow('no');
  expect(await nodes.rival.exists(keyOf(nodes, DECIDING))).toBe(0);
  const next = [entry('i-1', 1), entry('i-3', 0, { keys: [key('k')] })];
  expect(outcomes(await stores[1].commit(next, by()))).toEqual(['committed', 'committed']);
});

it('a transaction is of one tenant', async () => {
  const refused = nodes.stores[0].transaction(async (tx) => {
    await tx.enqueue([work('a')]);
    await tx.complete([{ ...MESSAGE, tenant: 'other' }]);
  }, AT);
  await expect(refused).rejects.toThrow(StoreTransactionError);
  await expect(refused).rejects.toThrow("tenant 'other'");
  expect(await claimed()).toEqual([]);
});

it('the manager says what it cannot do, and what to do instead', async () => {
  await nodes.stores[0].transaction(async ({ manager }) => {
    expect(() => (manager as { save(): void }).save()).toThrow(StoreTransactionError);
    expect(() => (manager as { getRepository(): void }).getRepository()).toThrow('ctx.send');
    expect(await Promise.resolve(manager)).toBe(manager);
  }, AT);
});

it('a transaction that has ended takes nothing more, and cannot be joined', async () => {
  let kept: StoreTransaction | undefined;
  await nodes.stores[0].transaction(async (tx) => void (kept = tx), AT);
  await expect(kept?.enqueue([work('late')])).rejects.toThrow(StoreTransactionError);
  await expect(kept?.commit(entry('late', 0))).rejects.toThrow(StoreTransactionError);
  expect(() => nodes.stores[0].within(kept?.manager, AT)).toThrow(StoreTransactionError);
});

it('a transaction of another store cannot be joined', async () => {
  await nodes.stores[0].transaction(async ({ manager }) => {
    expect(() => nodes.stores[1].within(manager, AT)).toThrow(StoreTransactionError);
  }, AT);
});

it('an instance that a transaction is about to change is busy for leases and stays for removals', async () => {
  const { stores } = nodes;
  await stores[0].commit([entry('i-1', 0)], by());
  await stores[0].transaction(async (tx) => {
    await tx.commit(entry('i-1', 1));
    const asked = { ref: ref('i-1'), token: 't', ...by() };
    expect((await stores[1].lease(asked)).outcome).toBe('busy');
    const gone = { ref: ref('i-1'), expectedVersion: 1, archive: false, ...AT };
    expect(await stores[1].remove(gone)).toBe('conflict');
  }, AT);
});
