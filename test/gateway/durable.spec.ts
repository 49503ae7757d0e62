import {
  type ChannelGroup,
  createOrchestrator,
  gateway,
  GroupUnreachableError,
  isOrchestratorError,
  type MachineAddress,
  type MachineRef,
  MachineStoppedError,
  UnknownMachineError,
} from '@nestjs-orchestrator/core';
import { redisStore, redisStreams } from '@nestjs-orchestrator/redis';
import { namedPipe } from '@nestjs-orchestrator/transports';
import { Redis } from 'ioredis';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startProcess, type TestProcess } from '../support/processes.js';
import { endLeasesOf } from '../support/redis-leases.js';
import { redisNamespace } from '../support/redis.js';
import { startTcpProxy } from '../support/tcp-proxy.js';
import type { GatewayOrder } from './gateway.process.js';
import type { KeeperOrder } from './keeper.process.js';
import { entriesOf, ledger, ledgerActions } from './ledger.js';

/** Nobody who lives stands still for so long; of one that was killed it is ended. */
const LEASE_MS = 60_000;
const COMPANY = 'company';
const kept: MachineAddress = { cluster: COMPANY, group: 'books', machine: 'kept' };

/** A local cluster, and a distributed one in which durable machines are kept. */
async function plantAndCompany() {
  const directory = await mkdtemp(join(tmpdir(), 'gateway-'));
  const { url, prefix } = redisNamespace();
  const client = new Redis(url);
  const plant = `plant-${process.pid}`;
  const streams = (over = client) => redisStreams(over, { prefix, partitions: 4, leaseMs: LEASE_MS });
  onTestFinished(async () => {
    client.disconnect();
    await rm(directory, { recursive: true, force: true });
  });
  const made = async (group: ChannelGroup): Promise<ChannelGroup> => {
    onTestFinished(() => group.release());
    group.register(ledger, { actions: ledgerActions });
    return group;
  };
  const near = await made(
    await createOrchestrator({
      name: 'books',
      cluster: plant,
      endpoint: 'near',
      transports: { pipe: namedPipe({ directory }) },
      reachableFrom: () => true,
    }),
  );
  return {
    plant,
    near,
    url,
    async kill(child: TestProcess): Promise<void> {
      await child.kill('SIGKILL');
      await endLeasesOf(child.pid, client, prefix);
    },
    /** A gateway in this process. */
    gateway: async () =>
      made(
        await createOrchestrator({
          name: 'books',
          cluster: plant,
          endpoint: 'gateway',
          transports: {
            gateway: gateway({ local: namedPipe({ directory }), distributed: streams(), joins: COMPANY }),
          },
        }),
      ),
    /** A process of the distributed cluster in this process. */
    keeper: async (
      endpoint: string,
      reachableFrom: (group: { readonly name: string }) => boolean = () => true,
      over = client,
    ) => {
      const store = redisStore(over, { prefix });
      await store.start();
      onTestFinished(() => store.close());
      return made(
        await createOrchestrator({
          name: 'books',
          cluster: COMPANY,
          endpoint,
          transports: { distributed: streams(over) },
          store,
          reachableFrom,
        }),
      );
    },
    async startGateway(endpoint: string): Promise<TestProcess> {
      const order: GatewayOrder = {
        endpoint,
        cluster: plant,
        local: 'named-pipe',
        directory,
        joins: COMPANY,
        url,
        prefix,
        leaseMs: LEASE_MS,
      };
      const started = startProcess(import.meta.url, './gateway.process.ts', order);
      await started.next();
      return started;
    },
    async startKeeper(endpoint: string): Promise<TestProcess> {
      const order: KeeperOrder = { endpoint, cluster: COMPANY, url, prefix, leaseMs: LEASE_MS };
      const started = startProcess(import.meta.url, './keeper.process.ts', order);
      await started.next();
      return started;
    },
  };
}

/** The next active gateway that a process hears of. */
async function nextGateway(group: ChannelGroup): Promise<void> {
  for await (const record of group.subscribe({ only: ['gateway'] }))
    if (record.type === 'gateway' && record.state === 'active') return;
}

/** What a sender does that wants an event to be handled once: the same id until it is told that it is safe. */
async function surely(group: ChannelGroup, to: MachineRef, entry: number): Promise<void> {
  for (;;) {
    const active = nextGateway(group);
    try {
      await to.send({ type: 'NOTE', entry }, { messageId: `note-${entry}` });
      return;
    } catch (error) {
      if (!isOrchestratorError(error)) throw error;
      if (error.code === 'CLUSTER_UNREACHABLE') await active;
      else if (error.code !== 'PEER_LOST' && error.code !== 'OUTCOME_UNKNOWN') throw error;
    }
  }
}

describe('a durable machine of the distributed cluster', () => {
  it('is told and asked from a process behind a gateway as from its own cluster', async () => {
    const world = await plantAndCompany();
    const { near } = world;
    const keepers = [await world.keeper('k1'), await world.keeper('k2')];
    await world.gateway();
    await keepers[0]?.spawn(ledger, { id: 'kept', durable: true });
    const ref = near.ref(ledger, kept);
    const entries = Array.from({ length: 100 }, (_, entry) => entry);
    await Promise.all(entries.map((entry) => ref.send({ type: 'NOTE', entry } as never)));
    const counted = await ref.request({ type: 'READ' });
    expect([counted.reply, entriesOf(counted.snapshot)]).toEqual([100, entries]);
    expect(entriesOf(await ref.currentSnapshot())).toEqual(entries);
    expect((await near.locate(kept))?.id).toBe('kept');
    await near.spawn(ledger, { id: 'clerk' });
    await near.ref('clerk').request({ type: 'PASS_ON', to: kept, entry: 'passed on' });
    expect((await near.ref('clerk').request({ type: 'ASK', to: kept })).reply).toBe(101);
    for (const _time of ['once', 'again'])
      await ref.send({ type: 'NOTE', entry: 'once' } as never, { messageId: 'note' });
    const first = await ref.request({ type: 'READ' }, { messageId: 'count' });
    const second = await ref.request({ type: 'READ' }, { messageId: 'count' });
    expect([first.reply, first.duplicate, second.duplicate]).toEqual([102, false, true]);
    const closed = ref.waitFor('closed');
    await ref.send({ type: 'CLOSE' });
    expect((await closed).status).toBe('done');
    await expect(ref.request({ type: 'READ' })).rejects.toBeInstanceOf(MachineStoppedError);
    await keepers[0]?.spawn(ledger, { id: 'other', durable: true });
    const other = near.ref({ ...kept, machine: 'other' });
    await other.stop();
    await expect(other.send({ type: 'READ' })).rejects.toBeInstanceOf(UnknownMachineError);
    expect(await near.locate({ ...kept, machine: 'other' })).toBeUndefined();
  });

  it('that is not there, or whose group admits nobody, is refused by what it would be refused with there', async () => {
    const world = await plantAndCompany();
    const keeper = await world.keeper('k1', () => false);
    await world.gateway();
    await keeper.spawn(ledger, { id: 'kept', durable: true });
    await expect(world.near.ref(kept).send({ type: 'READ' })).rejects.toBeInstanceOf(GroupUnreachableError);
    const nobody = world.near.ref({ ...kept, machine: 'nobody' });
    await expect(nobody.send({ type: 'READ' })).rejects.toBeInstanceOf(UnknownMachineError);
    const elsewhere = world.near.ref({ ...kept, group: 'nowhere' });
    await expect(elsewhere.send({ type: 'READ' })).rejects.toBeInstanceOf(UnknownMachineError);
  });

  it('is found by a gateway that its keeper has not reached yet', async () => {
    const world = await plantAndCompany();
    const { near, url } = world;
    const proxy = await startTcpProxy(Number(new URL(url).port));
    const client = new Redis({ port: proxy.port, maxRetriesPerRequest: null });
    client.on('error', () => undefined);
    onTestFinished(async () => {
      client.disconnect();
      await proxy.close();
    });
    const keeper = await world.keeper('k1', () => true, client);
    await keeper.spawn(ledger, { id: 'kept', durable: true });
    proxy.cut('requests');
    await world.gateway();
    const sent = near.ref(kept).send({ type: 'NOTE', entry: 1 });
    // Answered behind it: the gateway has heard of it by then.
    await near.machineNames(COMPANY);
    proxy.heal();
    await sent;
    expect((await near.ref(kept).request({ type: 'READ' })).reply).toBe(1);
  });

  it('tells and asks machines behind a gateway', async () => {
    const world = await plantAndCompany();
    const keeper = await world.keeper('k1');
    await world.gateway();
    await keeper.spawn(ledger, { id: 'kept', durable: true });
    const local = await world.near.spawn(ledger, { id: 'local' });
    const to: MachineAddress = { cluster: world.plant, group: 'books', machine: 'local' };
    const noted = new Promise<void>((resolve) => {
      world.near.subscribe((record) => record.type === 'transition' && resolve(), { only: ['transition'] });
    });
    await keeper.ref('kept').request({ type: 'PASS_ON', to, entry: 'from a durable one' });
    await noted;
    expect(entriesOf(local.snapshot())).toEqual(['from a durable one']);
    expect((await keeper.ref('kept').request({ type: 'ASK', to })).reply).toBe(1);
  });

  it('handles once what comes through a gateway that is killed, and then an owner that is killed', async () => {
    const world = await plantAndCompany();
    const { near } = world;
    const keepers = [await world.startKeeper('k1'), await world.startKeeper('k2')] as const;
    const killed: Promise<void>[] = [];
    const first = await world.startGateway('g1');
    await world.startGateway('g2');
    // This one only asks for the machine to be made.
    const maker = await world.keeper('maker');
    await maker.spawn(ledger, { id: 'kept', durable: true });
    await maker.release();
    const ref = near.ref(kept);
    const count = 300;
    const sent = (async () => {
      for (let entry = 0; entry < count; entry += 1) {
        if (entry === 50) killed.push(world.kill(first));
        if (entry === 150) killed.push(world.kill(keepers[0]));
        await surely(near, ref, entry);
      }
    })();
    await sent;
    await Promise.all(killed);
    await world.startKeeper('k3');
    await world.kill(keepers[1]);
    await surely(near, ref, count);
    const { snapshot } = await near.ref(ledger, kept).request({ type: 'READ' });
    expect(entriesOf(snapshot)).toEqual(Array.from({ length: count + 1 }, (_, entry) => entry));
  });
});
