import { message, type } from '@nestjs-orchestrator/core';
import { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import type { InstanceStore } from '@nestjs-orchestrator/core/ports';
import { buildSaga, defineSaga, type SagaBehaviour } from '@nestjs-orchestrator/core/saga';
import { countedIds, seededRandom, VirtualClock } from '@nestjs-orchestrator/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { storeKinds } from './support.js';

interface Ref {
  id: string;
}
class Began extends message('v.began', type<Ref>()) {}
class Went extends message('v.went', type<Ref>()) {}

const first = defineSaga({
  name: 'trip',
  version: 1,
  data: type<{ id: string; steps: number }>(),
  correlateBy: 'id',
  states: ['waiting'],
  ends: { done: 'success', late: 'success' },
  events: [Began, Went],
});
const v1 = buildSaga(first, (saga) => {
  saga
    .initially()
    .when(Began)
    .then(({ event }) => ({ id: event.id, steps: 1 }))
    .transitionTo('waiting');
  saga.during('waiting').when(Went).transitionTo('done').after('1h').transitionTo('late');
});

function second(migrate: boolean) {
  const definition = defineSaga({
    name: 'trip',
    version: 2,
    data: type<{ id: string; stops: string[] }>(),
    correlateBy: 'id',
    states: ['onTheWay'],
    ends: { done: 'success', late: 'success' },
    events: [Began, Went],
    ...(migrate
      ? {
          migrate: {
            1: {
              data: (old: { id: string; steps: number }) => ({
                id: old.id,
                stops: Array.from({ length: old.steps }, (_, n) => `stop ${n}`),
              }),
              states: { waiting: 'onTheWay' as const },
            },
          },
        }
      : {}),
  });
  return buildSaga(definition, (saga) => {
    saga
      .initially()
      .when(Began)
      .then(({ event }) => ({ id: event.id, stops: [] }))
      .transitionTo('onTheWay');
    saga
      .during('onTheWay')
      .when(Went)
      .then((ctx) => void ctx.data.stops.push('went'))
      .transitionTo('done')
      .after('1h')
      .transitionTo('late');
  });
}

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
    const host = new OrchestratorHost({ store, clock, ids: countedIds(name), random: seededRandom(1) });
    for (const behaviour of behaviours) host.register(behaviour);
    await host.start();
    hosts.push(host);
    return host;
  };
  const publish = async (host: OrchestratorHost, event: object): Promise<void> => {
    await host.bus.publish(event);
    await clock.settled();
  };
  const find = (host: OrchestratorHost) => host.repository(first).findByCorrelation(id);

  it('continue each instance with its own while that is registered', async () => {
    const old = await node('old', v1);
    await publish(old, new Began({ id }));
    const both = await node('both', v1, second(false));
    await publish(both, new Began({ id: 'y' }));
    await publish(both, new Went({ id }));
    expect(await find(both)).toMatchObject({ definitionVersion: 1, state: 'done', data: { steps: 1 } });
    const newer = await both.repository(first).findByCorrelation('y');
    expect(newer).toMatchObject({ definitionVersion: 2, state: 'onTheWay' });
  });

  it('migrate an instance when its own is registered no more: data, state and the timers of that', async () => {
    const old = await node('old', v1);
    await publish(old, new Began({ id }));
    await publish(old, new Began({ id: 'y' }));
    hosts.splice(0);
    await old.close();
    const newer = await node('new', second(true));
    await publish(newer, new Went({ id }));
    expect(await find(newer)).toMatchObject({
      definitionVersion: 2,
      state: 'done',
      data: { stops: ['stop 0', 'went'] },
    });
    await clock.advance('61m');
    expect(await newer.repository(first).findByCorrelation('y')).toMatchObject({ state: 'late' });
  });

  it('hold an instance that no build continues; what comes waits for one that does', async () => {
    const old = await node('old', v1);
    await publish(old, new Began({ id }));
    hosts.splice(0);
    await old.close();
    const newer = await node('new', second(false));
    await publish(newer, new Went({ id }));
    await clock.advance('1m');
    expect(await find(newer)).toMatchObject({ definitionVersion: 1, state: 'waiting', status: 'held' });
    const held = (await find(newer))?.id ?? '';
    const ADA = { by: 'ada' };
    await expect(newer.operator.replay({ saga: 'trip', id: held }, ADA)).rejects.toThrow(
      /lives under version 1/,
    );
    const repaired = await node('repaired', second(true));
    await repaired.operator.replay({ saga: 'trip', id: held }, ADA);
    hosts.splice(hosts.indexOf(newer), 1);
    await newer.close();
    await clock.advance('1m');
    expect(await find(repaired)).toMatchObject({ definitionVersion: 2, state: 'done' });
  });

  it('give the messages of a newer one back, however often, until a node that knows it takes them', async () => {
    const newer = await node('new', second(true));
    await publish(newer, new Began({ id }));
    hosts.splice(0);
    await newer.close();
    const old = await node('old', v1);
    await publish(old, new Went({ id }));
    await clock.advance('5m');
    expect(await find(old)).toMatchObject({ definitionVersion: 2, state: 'onTheWay', status: 'running' });
    const next = await node('next', second(true));
    await clock.advance('1m');
    expect(await find(next)).toMatchObject({ state: 'done' });
  });
});
