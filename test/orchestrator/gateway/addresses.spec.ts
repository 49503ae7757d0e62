import {
  ClusterUnreachableError,
  createOrchestrator,
  gateway,
  GroupUnreachableError,
  matches,
  parseMachineAddress,
  StepError,
  UnknownMachineError,
} from '@nestjs-orchestrator/core';
import { memoryNetwork, memoryTransport } from '@nestjs-orchestrator/core/memory';
import { describe, expect, it } from 'vitest';
import { nextRecord, rejection } from '../support.js';
import { entriesAt, entriesOf, ledger, upTo } from '../transport/support.js';
import { world } from './support.js';

const books = (cluster: string) => ({ cluster, group: 'ledgers', machine: 'books' });

/** `one` is in a local cluster, `far` in the distributed one, `two` in another local one. */
async function threeClusters() {
  const set = world();
  const gates = [await set.joinGateway('plant-1', 'g1'), await set.joinGateway('plant-2', 'g2')];
  const [one, two] = [await set.join('plant-1', 'one'), await set.join('plant-2', 'two')];
  const far = await set.join('company', 'far');
  return { ...set, gates, one, two, far };
}

describe('an address in another cluster', () => {
  it('leads out of a local cluster, into one, and from one into another', async () => {
    const { one, two, far } = await threeClusters();
    await far.group.spawn(ledger, { id: 'books' });
    await two.group.spawn(ledger, { id: 'books' });
    await one.group.spawn(ledger, { id: 'books' });
    const ways = [
      one.group.ref(books('company')),
      one.group.ref(books('plant-2')),
      far.group.ref(books('plant-1')),
      far.group.ref(books('plant-2')),
      two.group.ref(parseMachineAddress('plant-1/ledgers/books')),
      two.group.ref(books('company')),
    ];
    for (const [way, ref] of ways.entries()) {
      await ref.send({ type: 'ADD', entry: way });
      expect((await ref.request({ type: 'COUNT' })).reply).toBe(
        entriesOf(await ref.currentSnapshot()).length,
      );
    }
    const held = await Promise.all([far, two, one].map(({ group }) => entriesAt(group.ref('books'))));
    expect(held).toEqual([
      [0, 5],
      [1, 3],
      [2, 4],
    ]);
  });

  it('leads from and to the machines of the gateway itself', async () => {
    const { gates, one, far } = await threeClusters();
    const [g1, g2] = gates as [(typeof gates)[0], (typeof gates)[0]];
    await g1.group.spawn(ledger, { id: 'books' });
    await far.group.spawn(ledger, { id: 'books' });
    await far.group.ref(books('plant-1')).send({ type: 'ADD', entry: 'into the gateway' });
    await g2.group.ref(books('plant-1')).send({ type: 'ADD', entry: 'from gateway to gateway' });
    await g2.group.ref(books('company')).send({ type: 'ADD', entry: 'out of the gateway' });
    expect(await entriesAt(one.group.ref('books'))).toEqual(['into the gateway', 'from gateway to gateway']);
    expect(await entriesAt(far.group.ref('books'))).toEqual(['out of the gateway']);
  });

  it('can be told and asked everything that a machine of the own cluster can', async () => {
    const { one, two, clock } = await threeClusters();
    await two.group.spawn(ledger, { id: 'books' });
    const ref = one.group.ref(ledger, books('plant-2'));
    for (const entry of upTo(500)) {
      if (entry % 3 !== 0 || !ref.trySend({ type: 'ADD', entry })) await ref.send({ type: 'ADD', entry });
    }
    expect(await entriesAt(ref)).toEqual(upTo(500));
    expect((await rejection(ref.request({ type: 'FAIL' }))).cause).toMatchObject({
      message: 'as it was told',
    });
    expect(await rejection(ref.request({ type: 'FAIL' }))).toBeInstanceOf(StepError);
    const late = rejection(ref.request({ type: 'HOLD' }, { timeoutMs: 50 }));
    await two.hands.holding.opened;
    await clock.advance(50);
    expect(await late).toMatchObject({ code: 'REQUEST_TIMEOUT' });
    two.hands.hold.open();
    const closed = ref.waitFor('closed');
    await ref.send({ type: 'CLOSE' });
    expect(matches(await closed, 'closed')).toBe(true);
    expect((await one.group.locate(books('plant-2')))?.id).toBe('books');
    await ref.stop();
    expect(await one.group.locate(books('plant-2'))).toBeUndefined();
    expect(await rejection(ref.send({ type: 'ADD' }))).toMatchObject({ name: /Error/ });
    expect(await rejection(one.group.ref(books('plant-2')).send({ type: 'ADD' }))).toBeInstanceOf(
      UnknownMachineError,
    );
  });

  it('is used by actions as any other', async () => {
    const { one, two } = await threeClusters();
    await two.group.spawn(ledger, { id: 'books' });
    const clerk = await one.group.spawn(ledger, { id: 'clerk' });
    await clerk.request({ type: 'TELL', to: books('plant-2'), entries: upTo(50) });
    expect((await clerk.request({ type: 'QUESTION', to: books('plant-2') })).reply).toBe(50);
    expect(await entriesAt(two.group.ref('books'))).toEqual(upTo(50));
  });

  it('reaches all machines of a group by a broadcast', async () => {
    const { gates, two, one, far } = await threeClusters();
    await two.group.spawn(ledger, { id: 'a' });
    await gates[1]?.group.spawn(ledger, { id: 'b' });
    await far.group.spawn(ledger, { id: 'c' });
    const event = { type: 'ADD', entry: 'all' };
    expect(await one.group.broadcast({ cluster: 'plant-2', group: 'ledgers' }, event)).toBe(2);
    expect(await one.group.broadcast({ cluster: 'company', group: 'ledgers' }, event)).toBe(1);
    expect(await far.group.broadcast(event)).toBe(1);
    expect(await entriesAt(two.group.ref('a'))).toEqual(['all']);
    expect(await entriesAt(two.group.ref('b'))).toEqual(['all']);
    expect(await entriesAt(far.group.ref('c'))).toEqual(['all', 'all']);
  });

  it('is let in by the group that is addressed, and by nobody else', async () => {
    const set = world();
    await set.joinGateway('plant-1', 'g1');
    const closed = await set.join('plant-1', 'closed', { reachableFrom: ['company/sales', 'ledgers'] });
    await closed.group.spawn(ledger, { id: 'books' });
    const far = await set.join('company', 'far');
    const sales = await set.join('company', 'sales', { name: 'sales' });
    const refused = await rejection(far.group.ref(books('plant-1')).send({ type: 'ADD', entry: 1 }));
    expect(refused).toBeInstanceOf(GroupUnreachableError);
    expect(refused).toMatchObject({ group: 'ledgers', from: 'company/ledgers', reason: 'not-allowed' });
    await sales.group.ref(books('plant-1')).send({ type: 'ADD', entry: 2 });
    expect(await entriesAt(closed.group.ref('books'))).toEqual([2]);
  });

  it('can not be reached where no gateway is, or where nobody joins it', async () => {
    const set = world();
    const one = await set.join('plant-1', 'one');
    const alone = await rejection(one.group.ref(books('company')).send({ type: 'ADD' }));
    expect(alone).toBeInstanceOf(ClusterUnreachableError);
    expect(alone).toMatchObject({
      cluster: 'company',
      from: 'plant-1',
      reason: 'no-gateway',
      retryable: false,
    });
    await set.joinGateway('plant-1', 'g1');
    const unknown = await rejection(one.group.ref(books('plant-9')).send({ type: 'ADD' }));
    expect(unknown).toMatchObject({
      name: 'ClusterUnreachableError',
      cluster: 'plant-9',
      reason: 'no-gateway',
    });
    expect(await rejection(one.group.machineNames('plant-9'))).toMatchObject({ code: 'CLUSTER_UNREACHABLE' });
  });
});

describe('the directory of the distributed cluster', () => {
  it('lists the machines of a local one as long as they are there', async () => {
    const { gates, one, two, far } = await threeClusters();
    const published = nextRecord(gates[0]?.group as never, 'published');
    const books1 = await one.group.spawn(ledger, { id: 'books' });
    expect(await published).toMatchObject({ joins: 'company', names: 1 });
    const listed = [
      { cluster: 'plant-1', group: 'ledgers', id: 'books', definition: 'ledger', endpoint: 'one' },
    ];
    expect(await far.group.machineNames('plant-1')).toEqual(listed);
    expect(await two.group.machineNames('plant-1')).toEqual(listed);
    expect(await far.group.machineNames()).toEqual([]);
    expect(gates[0]?.group.stats().cluster?.gateway).toMatchObject({
      state: 'active',
      epoch: 1,
      published: 1,
    });
    const taken = nextRecord(gates[0]?.group as never, 'published');
    await books1.stop();
    await taken;
    expect(await two.group.machineNames('plant-1')).toEqual([]);
  });

  it('loses those of a process that dies', async () => {
    const { gates, networkOf, one, two } = await threeClusters();
    const [g1] = gates;
    const published = nextRecord(g1?.group as never, 'published');
    await one.group.spawn(ledger, { id: 'books' });
    await published;
    const taken = nextRecord(g1?.group as never, 'published');
    networkOf('plant-1').lose(one.self);
    expect(await taken).toMatchObject({ names: 0 });
    expect(await two.group.machineNames('plant-1')).toEqual([]);
  });
});

describe('gateway()', () => {
  it('is picked like a transport, also by the environment', async () => {
    const transports = {
      local: memoryTransport(memoryNetwork()),
      gateway: gateway({
        local: memoryTransport(memoryNetwork()),
        distributed: memoryTransport(memoryNetwork()),
        joins: 'company',
      }),
    };
    const environment = { ORCHESTRATOR_TYPE: 'gateway' };
    const group = await createOrchestrator({ name: 'x', cluster: 'plant', transports, environment });
    expect(group.stats().cluster).toMatchObject({
      type: 'memory',
      cluster: 'plant',
      gateway: { state: 'active' },
    });
    await group.release();
  });

  it('refuses what makes no sense', async () => {
    const transport = memoryTransport(memoryNetwork());
    const parts = { local: transport, distributed: transport };
    expect(() => gateway({ ...parts, joins: 'a/b' })).toThrow(/joins/);
    expect(() => gateway({ ...parts, retryMs: 0 })).toThrow(/retryMs/);
    expect(() => gateway({ ...parts, distributed: {} as never })).toThrow(/distributed/);
    const same = createOrchestrator({
      cluster: 'a',
      transports: { gateway: gateway({ ...parts, joins: 'a' }) },
    });
    expect(await rejection(same)).toMatchObject({ code: 'ORCHESTRATOR_OPTION', option: 'joins' });
  });
});

describe('lists that are longer than a frame', () => {
  const MACHINES = 60;
  const PROCESSES = 12;
  const idOf = (number: number): string => `machine-${number}-with-a-name-of-some-length`;

  it('come whole: machines that were there before their gateway, and those of every process', async () => {
    const set = world({ maxFrameBytes: 1_200 });
    const two = await set.join('plant-2', 'two');
    for (let number = 0; number < MACHINES; number += 1) await two.group.spawn(ledger, { id: idOf(number) });
    // Told to the gateway in parts, when it comes.
    const g2 = await set.joinGateway('plant-2', 'g2');
    await set.joinGateway('plant-1', 'g1');
    const one = await set.join('plant-1', 'one');
    while (g2.group.stats().cluster?.gateway?.published !== MACHINES) await nextRecord(g2.group, 'published');
    const ids = (await one.group.machineNames('plant-2')).map(({ id }) => id);
    expect(ids.toSorted()).toEqual(Array.from({ length: MACHINES }, (_, at) => idOf(at)).toSorted());
    expect(new Set(ids).size).toBe(MACHINES);
  });

  it('reach every process of another cluster by a broadcast', async () => {
    const set = world({ maxFrameBytes: 1_200 });
    await set.joinGateway('plant-1', 'g1');
    await set.joinGateway('plant-2', 'g2');
    const one = await set.join('plant-1', 'one');
    const far = [];
    for (let number = 0; number < PROCESSES; number += 1)
      far.push(await set.join('plant-2', `process-${number}-with-a-name-of-some-length`));
    for (const [at, { group }] of far.entries()) await group.spawn(ledger, { id: idOf(at) });
    const event = { type: 'ADD', entry: 'all' };
    expect(await one.group.broadcast({ cluster: 'plant-2', group: 'ledgers' }, event)).toBe(PROCESSES);
    for (const [at, { group }] of far.entries())
      expect(await entriesAt(group.ref(idOf(at)))).toEqual(['all']);
  });
});
