import { message, type } from '@nestjs-orchestrator/core';
import { buildSaga, defineSaga } from '@nestjs-orchestrator/core/saga';
import { expect } from 'vitest';
import { CALM } from '../saga/support.js';
import { Began, trip, trips, tripsOfTwo, Went } from '../saga/trips.js';
import { cluster, rig, type Trap } from './trap.js';

interface Ref {
  id: string;
}
class Opened extends message('o.opened', type<Ref>()) {}
class Added extends message('o.added', type<Ref & { text: string }>()) {}

const bag = defineSaga({
  name: 'bags',
  version: 1,
  data: type<Ref & { texts: string[] }>(),
  correlateBy: 'id',
  states: ['open'],
  ends: { closed: 'success' },
  events: [Opened, Added],
});

/** Bags that can't bear a text, and a way to make them bear it. */
function bags() {
  const bears = { poison: false };
  const behaviour = buildSaga(bag, (saga) => {
    saga
      .initially()
      .when(Opened)
      .then(({ event: { id } }) => ({ id, texts: [] }))
      .transitionTo('open');
    saga
      .during('open')
      .when(Added)
      .then((ctx) => {
        if (ctx.event.text === 'poison' && !bears.poison) throw new Error("can't bear it");
        ctx.data.texts.push(ctx.event.text);
      })
      .after('9h')
      .finalize('closed');
  });
  return { bears, behaviour };
}

const ADA = { by: 'ada', reason: 'repaired' };

/** A message fails whenever it is tried: its instance is held, others go on, and once it is repaired all comes in its order. */
export const poisonMessage: Trap = async (kind) => {
  const { bears, behaviour } = bags();
  const { play, advance, standing, find, host, clock } = await rig(kind, behaviour);
  const texts = async (id: string): Promise<unknown> => (await find(id))?.data.texts;
  await play(new Opened({ id: 'x' }), new Opened({ id: 'y' }));
  await play(new Added({ id: 'x', text: 'poison' }));
  await advance('10m');
  await play(new Added({ id: 'x', text: 'later' }), new Added({ id: 'y', text: 'well' }));
  expect(await standing('x')).toBe('open held');
  expect([await texts('x'), await texts('y')]).toEqual([[], ['well']]);
  bears.poison = true;
  await host.operator.replay({ saga: bag, id: (await find('x'))?.id ?? '' }, ADA);
  await clock.settled();
  expect(await texts('x')).toEqual(['poison', 'later']);
  expect(await standing('x')).toBe('open running');
};

/** Two tenants use one key: neither's messages, reads or operators touch the other's instance. */
export const wrongTenant: Trap = async (kind) => {
  const { play, find, host } = await rig(kind, bags().behaviour);
  await play([new Opened({ id: 'x' }), { tenant: 'a' }], [new Opened({ id: 'x' }), { tenant: 'b' }]);
  await play([new Added({ id: 'x', text: 'of a' }), { tenant: 'a', id: 'm' }]);
  await play([new Added({ id: 'x', text: 'of b' }), { tenant: 'b', id: 'm' }]);
  const [a, b] = [await find('x', 'a'), await find('x', 'b')];
  expect([a?.data.texts, b?.data.texts]).toEqual([['of a'], ['of b']]);
  const repository = host.repository(bag);
  expect(await repository.find(a?.id ?? '', { tenant: 'b' })).toBeUndefined();
  await expect(host.operator.cancel({ saga: bag, id: a?.id ?? '', tenant: 'b' }, ADA)).rejects.toThrow(
    /no such/,
  );
  expect(await find('x')).toBeUndefined();
};

/**
 * A second version comes while instances of the first are under way. A node of the first gives back what it does not know; one of the second moves
 * them over, with their data, states and running timers.
 */
export const definitionChangedInFlight: Trap = async (kind) => {
  const { clock, node } = await cluster(kind);
  const old = await node('old', (host) => host.register(trips), CALM);
  for (const id of ['x', 'y']) await old.host.bus.publish(new Began({ id }));
  await clock.settled();
  await clock.advance('30m');
  const newer = await node('new', (host) => host.register(tripsOfTwo(true)), CALM);
  await newer.host.bus.publish(new Began({ id: 'z' }));
  await clock.settled();
  // The old node gives it back, and the newer one takes it.
  await old.host.bus.publish(new Went({ id: 'z' }));
  await clock.advance('1m');
  await old.kill();
  await newer.host.bus.publish(new Went({ id: 'x' }));
  await clock.settled();
  const found = (id: string) => newer.host.repository(trip).findByCorrelation(id);
  expect(await found('x')).toMatchObject({
    definitionVersion: 2,
    state: 'done',
    data: { stops: ['stop 0', 'went'] },
  });
  await clock.advance('31m');
  expect(await found('y')).toMatchObject({ state: 'late' });
  expect(await found('z')).toMatchObject({ definitionVersion: 2, state: 'done' });
};
