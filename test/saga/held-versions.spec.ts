import { message, type } from '@nestjs-orchestrator/core';
import { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import { silentLogger, type InstanceStore } from '@nestjs-orchestrator/core/ports';
import { buildSaga, defineSaga, type SagaBehaviour } from '@nestjs-orchestrator/core/saga';
import { countedIds, seededRandom, VirtualClock } from '@nestjs-orchestrator/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { storeKinds } from './support.js';
import { Began, refundable, trip, trips, tripsOfTwo, Went } from './trips.js';

const id = 'x';
const ADA = { by: 'ada', reason: 'asked for' };

interface Ref {
  id: string;
}
class Booked extends message('hv.booked', type<Ref>()) {}
class Failed extends message('hv.failed', type<Ref>()) {}
class Late extends message('hv.late', type<Ref>()) {}
class Told extends message('hv.told', type<Ref>()) {}

/** A saga whose two undo steps run side by side. */
function booking(version: number, known: readonly string[], undone: string[]) {
  const definition = defineSaga({
    name: 'booking',
    version,
    data: type<Ref>(),
    correlateBy: 'id',
    states: ['open'],
    ends: { failed: 'undo' },
    events: [Booked, Failed],
    compensations: Object.fromEntries(known.map((name) => [name, type<Ref>()])),
    ...(version > 1 ? { migrate: { 1: {} } } : {}),
  });
  return buildSaga(definition, (saga) => {
    saga
      .initially()
      .when(Booked)
      .then((ctx) => {
        for (const name of known) ctx.compensateWith(name, { id: ctx.event.id }, { scope: 'both' });
        return { id: ctx.event.id };
      })
      .transitionTo('open');
    saga.during('open').when(Failed).transitionTo('failed');
    for (const name of known) saga.compensate(name, async () => void undone.push(name));
  });
}

describe.each(storeKinds)('an instance of a version that no node continues, on $kind', (kind) => {
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
    const random = seededRandom(1);
    const host = new OrchestratorHost({ store, clock, ids: countedIds(name), random, logger: silentLogger });
    for (const behaviour of behaviours) host.register(behaviour);
    await host.start();
    hosts.push(host);
    return host;
  };
  const close = async (host: OrchestratorHost): Promise<void> => {
    hosts.splice(hosts.indexOf(host), 1);
    await host.close();
  };
  const publish = async (host: OrchestratorHost, event: object, messageId?: string): Promise<void> => {
    await host.bus.publish(event, messageId === undefined ? {} : { id: messageId });
    await clock.settled();
  };
  const find = (host: OrchestratorHost) => host.repository(trip).findByCorrelation(id);
  const history = async (host: OrchestratorHost) =>
    (await host.repository(trip).history((await find(host))?.id ?? '')).map(
      ({ kind: line, name }) => `${line} ${name}`,
    );

  it('goes on by itself when a node comes that continues it: its messages first, in order', async () => {
    const old = await node('old', trips);
    await publish(old, new Began({ id }));
    await close(old);
    const newer = await node('new', tripsOfTwo(false));
    await publish(newer, new Went({ id }));
    await clock.advance('10m');
    expect(await find(newer)).toMatchObject({ definitionVersion: 1, state: 'waiting', status: 'held' });
    await close(newer);
    const repaired = await node('repaired', tripsOfTwo(true));
    await clock.advance('5m');
    expect(await find(repaired)).toMatchObject({
      ...{ definitionVersion: 2, state: 'done', status: 'completed' },
      data: { id, stops: ['stop 0', 'went'] },
    });
    expect(await history(repaired)).toEqual([
      'created v.began',
      'held v.went',
      'deferred v.went',
      'released release',
      'transition v.went',
    ]);
    const [, , , released] = await repaired.repository(trip).history((await find(repaired))?.id ?? '');
    expect(released?.detail).toMatchObject({ by: 'orchestrator' });
  });

  it('goes on by itself where a node that continues it was there all the time', async () => {
    const old = await node('old', trips);
    await publish(old, new Began({ id }));
    const newer = await node('new', tripsOfTwo(false));
    await publish(newer, new Went({ id }));
    expect(await find(newer)).toMatchObject({ status: 'held' });
    await clock.advance('1m');
    expect(await find(old)).toMatchObject({ definitionVersion: 1, state: 'done', status: 'completed' });
  });

  it('goes on with the timers whose time has come meanwhile', async () => {
    const old = await node('old', trips);
    await publish(old, new Began({ id }));
    await close(old);
    const newer = await node('new', tripsOfTwo(false));
    await clock.advance('2h');
    expect(await find(newer)).toMatchObject({ status: 'held' });
    await close(newer);
    const repaired = await node('repaired', tripsOfTwo(true));
    await clock.advance('6m');
    expect(await find(repaired)).toMatchObject({ definitionVersion: 2, state: 'late', status: 'completed' });
  });

  it('goes on with an undo step that no build could run', async () => {
    const undone: string[] = [];
    const old = await node(
      'old',
      refundable(1, false, () => Promise.reject(new Error('away'))),
    );
    for (const event of [new Began({ id }), new Went({ id })]) await publish(old, event);
    await clock.advance('1s');
    await close(old);
    const newer = await node('new', refundable(2, false));
    await clock.advance('2m');
    const repository = newer.repository(refundable(1, false).definition);
    expect(await repository.findByCorrelation(id)).toMatchObject({ status: 'held' });
    await close(newer);
    const repaired = await node(
      'repaired',
      refundable(2, true, async () => void undone.push('repaired')),
    );
    await clock.advance('6m');
    const end = await repaired.repository(refundable(1, false).definition).findByCorrelation(id);
    expect(end).toMatchObject({ definitionVersion: 2, status: 'compensated' });
    expect(undone).toEqual(['repaired']);
  });

  it('stays held, and its undo steps stay to be run, where it is held for another reason', async () => {
    const undone: string[] = [];
    const both = await node('old', booking(1, ['car', 'hotel'], []));
    await publish(both, new Booked({ id }));
    await close(both);
    // Knows neither of the two.
    const newer = await node('new', booking(2, [], []));
    await publish(newer, new Failed({ id }));
    await clock.advance('10m');
    const repository = newer.repository(booking(2, [], []).definition);
    const held = await repository.findByCorrelation(id);
    expect(held).toMatchObject({ status: 'held' });
    expect(held?.undo.filter(({ status }) => status === 'done')).toEqual([]);
    await close(newer);
    const repaired = await node('repaired', booking(2, ['car', 'hotel'], undone));
    await clock.advance('10m');
    expect(await repaired.repository(booking(2, [], []).definition).findByCorrelation(id)).toMatchObject({
      status: 'held',
    });
    await repaired.operator.replay({ saga: 'booking', id: held?.id ?? '' }, ADA);
    await clock.advance('1m');
    expect(await repaired.repository(booking(2, [], []).definition).findByCorrelation(id)).toMatchObject({
      status: 'compensated',
    });
    expect(undone.toSorted()).toEqual(['car', 'hotel']);
  });

  it('that has ended records what comes as late, once, and can be archived', async () => {
    const old = await node('old', trips);
    for (const event of [new Began({ id }), new Went({ id })]) await publish(old, event);
    await close(old);
    const newer = await node('new', tripsOfTwo(false));
    await publish(newer, new Went({ id }), 'm-late');
    await publish(newer, new Went({ id }), 'm-late');
    expect(await history(newer)).toEqual(['created v.began', 'transition v.went', 'late v.went']);
    const ended = await find(newer);
    const lines = await newer.repository(trip).history(ended?.id ?? '');
    expect(lines.at(-1)).toMatchObject({ messageId: 'm-late', detail: { version: 1, known: [2] } });
    expect(ended).toMatchObject({ definitionVersion: 1, state: 'done', status: 'completed' });
    if (ended === undefined) throw new Error('no instance');
    await newer.repository(trip).archive(ended, ADA);
    expect(await newer.repository(trip).archived(ended.id)).toMatchObject({ state: 'done' });
  });
});

describe.each(storeKinds)('the migration of an ended instance, on $kind', (kind) => {
  it('that fails makes a dead letter of what came late', async () => {
    const clock = new VirtualClock();
    const opened = await kind.open();
    const version = (number: number, extra: object = {}) =>
      buildSaga(
        defineSaga({
          name: 'told',
          version: number,
          data: type<Ref>(),
          correlateBy: 'id',
          states: ['open'],
          ends: { done: 'success' },
          events: [Booked, Told, Late],
          ...extra,
        }),
        (saga) => {
          saga
            .initially()
            .when(Booked)
            .then(({ event }) => ({ id: event.id }))
            .transitionTo('open');
          saga.during('open').when(Told).transitionTo('done');
        },
      );
    const run = async (name: string, behaviour: SagaBehaviour, ...events: readonly object[]) => {
      const { store: connection } = await opened.connect();
      const store = clock.tracked(connection, name, ['transaction']);
      const random = seededRandom(1);
      const host = new OrchestratorHost({
        store,
        clock,
        ids: countedIds(name),
        random,
        logger: silentLogger,
      });
      host.register(behaviour);
      await host.start();
      for (const event of events) {
        await host.bus.publish(event);
        await clock.settled();
      }
      const letters = await store.deadLetters({});
      await host.close();
      return letters;
    };
    await run('old', version(1), new Booked({ id }), new Told({ id }));
    const migrate = {
      1: {
        data: () => {
          throw new Error('not this one');
        },
      },
    };
    const letters = await run('new', version(2, { migrate }), new Late({ id }));
    expect(letters.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(/SagaMigrationError.*not this one/),
    ]);
    await opened.close();
  });
});
