import { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import type { InstanceStore } from '@nestjs-orchestrator/core/ports';
import type { SagaBehaviour } from '@nestjs-orchestrator/core/saga';
import { countedIds, seededRandom, VirtualClock } from '@nestjs-orchestrator/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { storeKinds } from './support.js';
import { Began, refundable, trip, trips, tripsOfTwo, Went } from './trips.js';

const id = 'x';

describe.each(storeKinds)('several versions of a saga, on $kind', (kind) => {
  let clock: VirtualClock;
  let opened: Awaited<ReturnType<typeof kind.open>>;
  const hosts: OrchestratorHost[] = [];
  beforeEach(async () => {
    clock = new VirtualClock();
    opened = await kind.open();
  });
  afterEach(async () => {
    for (const host of hosts.splice(0)) await host.close();
    await opened.close();
  });

  const node = async (name: string, ...behaviours: readonly SagaBehaviour[]): Promise<OrchestratorHost> => {
    const { store: connection } = await opened.connect();
    const store: InstanceStore = clock.tracked(connection, name, ['transaction']);
    const host = new OrchestratorHost({
      store,
      clock,
      ids: countedIds(name),
      random: seededRandom(1),
    });
    for (const behaviour of behaviours) host.register(behaviour);
    await host.start();
    hosts.push(host);
    return host;
  };
  const publish = async (host: OrchestratorHost, event: object): Promise<void> => {
    await host.bus.publish(event);
    await clock.settled();
  };
  const find = (host: OrchestratorHost) => host.repository(trip).findByCorrelation(id);

  it('continue each instance with its own while that is registered', async () => {
    const old = await node('old', trips);
    await publish(old, new Began({ id }));
    const both = await node('both', trips, tripsOfTwo(false));
    await publish(both, new Began({ id: 'y' }));
    await publish(both, new Went({ id }));
    expect(await find(both)).toMatchObject({ definitionVersion: 1, state: 'done', data: { steps: 1 } });
    const newer = await both.repository(trip).findByCorrelation('y');
    expect(newer).toMatchObject({ definitionVersion: 2, state: 'onTheWay' });
  });

  it('hold an instance that no build continues; what comes waits for one that does', async () => {
    const old = await node('old', trips);
    await publish(old, new Began({ id }));
    hosts.splice(0);
    await old.close();
    const newer = await node('new', tripsOfTwo(false));
    await publish(newer, new Went({ id }));
    await clock.advance('1m');
    expect(await find(newer)).toMatchObject({ definitionVersion: 1, state: 'waiting', status: 'held' });
    const held = (await find(newer))?.id ?? '';
    const ADA = { by: 'ada' };
    await expect(newer.operator.replay({ saga: 'trip', id: held }, ADA)).rejects.toThrow(
      /lives under version 1/,
    );
    const repaired = await node('repaired', tripsOfTwo(true));
    await repaired.operator.replay({ saga: 'trip', id: held }, ADA);
    hosts.splice(hosts.indexOf(newer), 1);
    await newer.close();
    await clock.advance('1m');
    expect(await find(repaired)).toMatchObject({ definitionVersion: 2, state: 'done' });
  });

  it('give the messages of a newer one back, however often, until a node that knows it takes them', async () => {
    const newer = await node('new', tripsOfTwo(true));
    await publish(newer, new Began({ id }));
    hosts.splice(0);
    await newer.close();
    const old = await node('old', trips);
    await publish(old, new Went({ id }));
    await clock.advance('1m');
    expect(await find(old)).toMatchObject({ definitionVersion: 2, state: 'onTheWay', status: 'running' });
    const next = await node('next', tripsOfTwo(true));
    // Both know when it is due again, and the one that knew first goes on looking for it.
    await clock.advance('1m');
    expect(await find(next)).toMatchObject({ state: 'done' });
  });

  it('give the timers of a newer one back likewise', async () => {
    const newer = await node('new', tripsOfTwo(true));
    await publish(newer, new Began({ id }));
    hosts.splice(0);
    await newer.close();
    await clock.advance('1h');
    const old = await node('old', trips);
    await clock.advance('30s');
    expect(await find(old)).toMatchObject({ definitionVersion: 2, state: 'onTheWay', status: 'running' });
    const next = await node('next', tripsOfTwo(true));
    await clock.advance('30s');
    expect(await find(next)).toMatchObject({ state: 'late' });
  });

  it('hold an instance whose undo step no build continues, and undo it when one does', async () => {
    const undone: string[] = [];
    const old = await node(
      'old',
      refundable(1, false, () => Promise.reject(new Error('away'))),
    );
    await publish(old, new Began({ id }));
    await publish(old, new Went({ id }));
    await clock.advance('1s');
    hosts.splice(0);
    await old.close();
    const newer = await node(
      'new',
      refundable(2, false, async () => void undone.push('new')),
    );
    await clock.advance('2m');
    const found = async (host: OrchestratorHost) =>
      host.repository(refundable(1, false).definition).findByCorrelation(id);
    expect(await found(newer)).toMatchObject({ definitionVersion: 1, state: 'failed', status: 'held' });
    const { id: held = '', undo } = (await found(newer)) ?? {};
    expect(undo).toMatchObject([{ name: 'refund', status: 'running' }]);
    hosts.splice(0);
    await newer.close();
    const repaired = await node(
      'repaired',
      refundable(2, true, async () => void undone.push('repaired')),
    );
    await repaired.operator.replay({ saga: 'refundable', id: held }, { by: 'ada' });
    await clock.advance('2m');
    expect(await found(repaired)).toMatchObject({ definitionVersion: 2, status: 'compensated' });
    expect(undone).toEqual(['repaired']);
  });
});
