import { describe, expect, it } from 'vitest';
import { StoreTransactionError } from '../errors/store-errors.js';
import type { Clock, Commit, StoreTransaction, WorkRecord } from '../ports/index.js';
import { systemClock } from '../ports/index.js';
import { memoryStore, type MemoryStore } from './index.js';

// What every store must do is in the conformance suite; here is what only this one promises.

const AT = { now: 1_000 };
const BY = { ...AT, owner: 'node-a', leaseMs: 1_000 };
const ref = { tenant: 't', saga: 's', id: 'i' };

function work(id: string, fields: Partial<WorkRecord> = {}): WorkRecord {
  return { tenant: 't', destination: 'd', id, lane: null, payload: '{}', delayMs: 0, ...fields };
}

function creation(fields: Partial<Commit> = {}): Commit {
  const texts = { data: '{}', machine: '{}', undo: '[]', hold: null };
  return {
    ref,
    expectedVersion: 0,
    lease: null,
    supersedes: null,
    next: { definitionVersion: 1, state: 'a', status: 'running', ...texts, ended: false },
    keys: [],
    inbox: null,
    work: [],
    timers: { arm: [], disarm: [] },
    history: [],
    deliveries: { add: [], done: [] },
    wakeIfParked: null,
    done: [],
    ...fields,
  };
}

/** Lets every promise chain run out. */
const quiet = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Counts the hints that a connection hears. */
function listening(store: MemoryStore) {
  let heard = 0;
  const stop = store.onWork(() => (heard += 1));
  const since = async (action: () => Promise<unknown>): Promise<number> => {
    const before = heard;
    await action();
    await quiet();
    return heard - before;
  };
  return { since, stop };
}

describe('hints of work', () => {
  it('are not given for work that the writer does itself', async () => {
    const store = memoryStore();
    const { since } = listening(store.connect());
    expect(await since(() => store.enqueue([work('w-1')], BY))).toBe(0);
    expect(await since(() => store.commit([creation({ work: [work('w-2')] })], BY))).toBe(0);
    expect(await since(() => store.completeWork([work('w-1'), work('w-2')]))).toBe(0);
  });

  it('are given for work that anybody may do, now or later', async () => {
    const store = memoryStore();
    const { since } = listening(store.connect());
    expect(await since(() => store.enqueue([work('later', { delayMs: 5 })], BY))).toBe(1);
    await store.enqueue([work('first', { lane: 'l' })], BY);
    expect(await since(() => store.enqueue([work('second', { lane: 'l' })], BY))).toBe(1);
    expect(await since(() => store.completeWork([work('first')]))).toBe(1);
    expect(await since(() => store.releaseWork(work('later'), 0, 'busy', AT))).toBe(1);
  });

  it('are not given again for work that is there already', async () => {
    const store = memoryStore();
    await store.enqueue([work('w-1', { delayMs: 5 })], BY);
    const { since } = listening(store);
    expect(await since(() => store.enqueue([work('w-1', { delayMs: 5 })], BY))).toBe(0);
  });

  it('end with the subscription, and with the connection that it was made on', async () => {
    const store = memoryStore();
    const [stopped, closed, open] = [store.connect(), store.connect(), store.connect()];
    const listeners = [stopped, closed, open].map(listening);
    listeners[0]?.stop();
    await closed.close();
    const heard = await Promise.all(listeners.map(({ since }) => since(() => Promise.resolve())));
    expect(heard).toEqual([0, 0, 0]);
    const counts = listeners.map(({ since }) => since(quiet));
    await store.enqueue([work('w-1', { delayMs: 5 })], BY);
    expect(await Promise.all(counts)).toEqual([0, 0, 1]);
  });

  it('are given once for each time that a listener was added', async () => {
    const store = memoryStore();
    let heard = 0;
    const listener = (): void => void (heard += 1);
    const stops = [store.onWork(listener), store.onWork(listener)];
    stops[0]?.();
    await store.enqueue([work('w-1', { delayMs: 5 })], BY);
    await quiet();
    expect(heard).toBe(1);
  });
});

describe('transactions in memory', () => {
  it('that wait for each other end in an error for one, and the other goes on', async () => {
    const store = memoryStore();
    const both = [work('m-1'), work('m-2')] as const;
    const consumeBoth = (first: WorkRecord, second: WorkRecord) => (tx: StoreTransaction) =>
      tx.consume(first, 'x').then(async () => {
        await quiet();
        return tx.consume(second, 'x');
      });
    const results = await Promise.allSettled([
      store.transaction(consumeBoth(both[0], both[1]), AT),
      store.transaction(consumeBoth(both[1], both[0]), AT),
    ]);
    expect(results[0]).toEqual({ status: 'fulfilled', value: true });
    expect(results[1]).toMatchObject({
      status: 'rejected',
      reason: expect.any(StoreTransactionError) as unknown,
    });
  });

  it('take nothing more when they have ended', async () => {
    const store = memoryStore();
    const tx = await store.transaction(async (open) => open, AT);
    await expect(tx.consume(work('m-1'), 'x')).rejects.toBeInstanceOf(StoreTransactionError);
    await expect(tx.enqueue([work('w-1')])).rejects.toBeInstanceOf(StoreTransactionError);
    await expect(tx.complete([work('w-1')])).rejects.toBeInstanceOf(StoreTransactionError);
    expect(() => store.within(tx.manager, AT)).toThrow(StoreTransactionError);
  });

  it('of one store cannot be joined in another, but in another connection to the same', async () => {
    const [store, other] = [memoryStore(), memoryStore()];
    await store.transaction(async ({ manager }) => {
      expect(() => other.within(manager, AT)).toThrow(StoreTransactionError);
      expect(await store.connect().within(manager, AT).consume(work('m-1'), 'x')).toBe(true);
    }, AT);
  });

  it('write what they were given, whatever becomes of it before they commit', async () => {
    const store = memoryStore();
    const row = { ...work('w-1', { payload: '"given"' }) };
    await store.transaction(async (tx) => {
      await tx.enqueue([row]);
      row.payload = '"tampered"';
    }, AT);
    const { items } = await store.claimWork({ ...BY, destinations: ['d'], limit: 1 });
    expect(items[0]?.payload).toBe('"given"');
  });
});

describe('memoryStore', () => {
  it('asks its own clock where a call gives no instant', async () => {
    const clock: Clock = { ...systemClock, now: () => 42_000 };
    const store = memoryStore({ clock });
    await store.commit([creation()], { ...BY, now: null });
    const { items } = await store.query({ tenant: 't', saga: 's' }, { now: null });
    expect(items.map(({ createdAt }) => createdAt)).toEqual([42_000]);
  });

  it('refuses an entry without its lists alone, and writes nothing of it', async () => {
    const store = memoryStore();
    const broken = { ...creation(), history: undefined } as unknown as Commit;
    const [refused, fine] = await store.commit([broken, creation({ ref: { ...ref, id: 'j' } })], BY);
    expect(refused).toBeInstanceOf(TypeError);
    expect(fine).toMatchObject({ outcome: 'committed' });
    const { items } = await store.query({ tenant: 't', saga: 's' }, AT);
    expect(items.map(({ id }) => id)).toEqual(['j']);
  });

  it('refuses a cursor that it has not given', async () => {
    const query = memoryStore().query({ tenant: 't', saga: 's', cursor: 'nonsense' }, AT);
    await expect(query).rejects.toThrow(RangeError);
  });
});
