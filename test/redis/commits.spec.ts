import { afterEach, beforeEach, expect, it } from 'vitest';
import { AT, by, entry, inbox, key, outcomes, ref, SAGA, TENANT, work } from '../typeorm/support.js';
import { keyOf, twoNodes, type TwoNodes } from './support.js';

let nodes: TwoNodes;

beforeEach(async () => {
  nodes = await twoNodes();
});
afterEach(() => nodes.close());

it('a commit that meets a foreign value is refused before anything of it is written, and its neighbours are not', async () => {
  const { rival, stores } = nodes;
  await rival.set(keyOf(nodes, 'timer:row'), 'not ours');
  await rival.set(keyOf(nodes, 'inbox:order/i-2'), 'not ours');
  const timer = { ...ref('i-1'), name: 't', token: 't', delayMs: 1, payload: '{}' };
  await rival.del(keyOf(nodes, 'timer:row'));
  const results = await stores[0].commit(
    [
      entry('i-1', 0, { keys: [key('k-1')], timers: { arm: [timer], disarm: [] } }),
      entry('i-2', 0, { keys: [key('k-2')], inbox: inbox('m-1'), work: [work('w-2')] }),
      entry('i-3', 0, { keys: [key('k-3')] }),
    ],
    by(),
  );
  expect(outcomes(results)).toEqual(['committed', 'error', 'committed']);
  expect(String(results[1])).toContain('inbox:order/i-2 holds a string');
  const [found] = await stores[1].load(
    [{ tenant: TENANT, saga: SAGA, by: { key: key('k-2') }, messageId: 'm-1' }],
    AT,
  );
  expect(found).toEqual({ instance: null, seen: null, tombstone: null });
  await rival.del(keyOf(nodes, 'inbox:order/i-2'));
  expect(outcomes(await stores[0].commit([entry('i-2', 0, { keys: [key('k-2')] })], by()))).toEqual([
    'committed',
  ]);
});

it('a server that has forgotten the scripts is told them again', async () => {
  const { rival, stores } = nodes;
  await stores[0].commit([entry('i-1', 0)], by());
  await rival.script('FLUSH');
  const batch = ['a', 'b', 'c'].map((id) => entry(id, 0, { keys: [key(id)] }));
  expect(outcomes(await stores[0].commit(batch, by()))).toEqual(['committed', 'committed', 'committed']);
});

it('work of another tenant is refused with what to do, and nothing is written', async () => {
  const [result] = await nodes.stores[0].commit(
    [entry('i-1', 0, { work: [work('w-1', { tenant: 'other' })] })],
    by(),
  );
  expect(result).toBeInstanceOf(RangeError);
  expect(String(result)).toContain("tenant 'other'");
  expect(await nodes.rival.exists(keyOf(nodes, 'instance:order/i-1'))).toBe(0);
});

it('a key that leads to another instance than the last time is found all the same', async () => {
  const { stores } = nodes;
  const asked = { tenant: TENANT, saga: SAGA, by: { key: key('k') }, messageId: 'm' };
  await stores[0].commit([entry('old', 0, { keys: [key('k')] })], by());
  expect((await stores[1].load([asked], AT))[0]?.instance?.id).toBe('old');
  await stores[0].remove({ ref: ref('old'), expectedVersion: 1, archive: false, ...AT });
  expect((await stores[1].load([asked], AT))[0]?.instance).toBeNull();
  await stores[0].commit([entry('new', 0, { keys: [key('k')] })], by());
  expect((await stores[1].load([asked], AT))[0]?.instance?.id).toBe('new');
});

it('all that a tenant has carries one tag, and nothing is left of an instance that was removed but its tombstone', async () => {
  const { rival, stores, prefix } = nodes;
  const timer = { ...ref('i-1'), name: 't', token: 't', delayMs: 1, payload: '{}' };
  await stores[0].commit(
    [
      entry('i-1', 0, {
        keys: [key('k'), { ...key('c'), many: true }],
        inbox: inbox('m-1'),
        timers: { arm: [timer], disarm: [] },
        history: [{ kind: 'created', name: 'n', messageId: 'm-1', from: null, to: null, detail: null }],
        deliveries: { add: [{ messageId: 'm-2', payload: '{}', ttlMs: 1_000 }], done: [] },
      }),
    ],
    by(),
  );
  const names = async () => (await rival.keys(`*${prefix}*`)).toSorted();
  const tag = `{${prefix}/${TENANT}}:`;
  expect((await names()).filter((name) => !name.startsWith(tag))).toEqual([
    `{${prefix}}:layout`,
    `{${prefix}}:tenants`,
  ]);
  await stores[0].remove({ ref: ref('i-1'), expectedVersion: 1, archive: false, ...AT });
  const left = (await names()).filter((name) => name.startsWith(tag)).map((name) => name.slice(tag.length));
  expect(left).toEqual(['dead:order', 'dead:row', 'sagas', 'sequence', 'tombstone:at', 'tombstone:row']);
});
