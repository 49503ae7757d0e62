import { message, type } from '@nestjs-orchestrator/core';
import { buildSaga, defineSaga } from '@nestjs-orchestrator/core/saga';
import { expect } from 'vitest';
import { cluster, rig, type Trap } from './trap.js';

interface Ref {
  id: string;
}
class Began extends message('s.began', type<Ref>()) {}
class Renewed extends message('s.renewed', type<Ref>()) {}
class Withdrawn extends message('s.withdrawn', type<Ref>()) {}
class Packed extends message('s.packed', type<Ref>()) {}

const parcel = defineSaga({
  name: 'parcel',
  version: 1,
  data: type<Ref & { rang: string[] }>(),
  correlateBy: 'id',
  states: {
    preparing: {
      type: 'parallel',
      states: {
        offer: { initial: 'open', states: { open: {}, closed: {}, expired: {} } },
        box: { initial: 'empty', states: { empty: {}, full: {} } },
      },
    },
  },
  ends: { gone: 'success' },
  events: [Began, Withdrawn, Renewed, Packed],
});
const parcels = buildSaga(parcel, (saga) => {
  saga
    .initially()
    .when(Began)
    .then(({ event: { id } }) => ({ id, rang: [] }))
    .transitionTo('preparing');
  saga
    .during('preparing.offer.open')
    .when(Withdrawn)
    .transitionTo('preparing.offer.closed')
    .after('10m')
    .then((ctx) => void ctx.data.rang.push('offer'))
    .transitionTo('preparing.offer.expired');
  saga.during('preparing.offer.closed').when(Renewed).transitionTo('preparing.offer.open');
  saga
    .during('preparing.box.empty')
    .when(Packed)
    .transitionTo('preparing.box.full')
    .after('8m')
    .then((ctx) => void ctx.data.rang.push('box'));
  saga.during('preparing').after('9h').finalize('gone');
});

/**
 * A state is left and entered anew: its timer of before is over, and the new one rings in its own time. A move of the region beside it kills neither, and the
 * timer of the state that was left does not ring.
 */
export const staleTimer: Trap = async (kind) => {
  const { play, advance, find, standing } = await rig(kind, parcels);
  const rang = async (): Promise<unknown> => (await find('x'))?.data.rang;
  await play(new Began({ id: 'x' }));
  await advance('5m');
  await play(new Withdrawn({ id: 'x' }), new Renewed({ id: 'x' }));
  await advance('2m');
  await play(new Packed({ id: 'x' }));
  await advance('7m');
  expect(await rang()).toEqual([]);
  expect(await standing('x')).toBe('preparing.offer.open|preparing.box.full running');
  await advance('2m');
  expect(await rang()).toEqual(['offer']);
  expect(await standing('x')).toBe('preparing.offer.expired|preparing.box.full running');
};

class Armed extends message('s.armed', type<Ref>()) {}

const alarm = defineSaga({
  name: 'alarm',
  version: 1,
  data: type<Ref & { rang: number }>(),
  correlateBy: 'id',
  states: ['armed'],
  ends: { rung: 'success' },
  events: [Armed],
});

const STORM = 10_000;

/** Ten thousand timers of as many sagas are due at one instant, and two nodes look for them: each rings once. */
export const timerStorm: Trap = async (kind) => {
  const { clock, node } = await cluster(kind);
  let rings = 0;
  const alarms = buildSaga(alarm, (saga) => {
    saga
      .initially()
      .when(Armed)
      .then(({ event: { id } }) => ({ id, rang: 0 }))
      .transitionTo('armed');
    saga
      .during('armed')
      .after('1h')
      .then((ctx) => ((rings += 1), void (ctx.data.rang += 1)))
      .finalize('rung');
  });
  const calm = { pollIntervalMs: 600_000, leaseMs: 600_000, sweepIntervalMs: 600_000 };
  const first = await node('first', (host) => host.register(alarms), calm);
  await Promise.all(
    Array.from({ length: STORM }, (_, n) => first.host.bus.publish(new Armed({ id: `${n}` }))),
  );
  await clock.settled();
  await node('second', (host) => host.register(alarms), calm);
  await clock.advance('61m');
  const repository = first.host.repository(alarm);
  let [ended, rang] = [0, 0];
  for await (const { data } of repository.findByState('rung')) [ended, rang] = [ended + 1, rang + data.rang];
  expect([ended, rang]).toEqual([STORM, STORM]);
  expect(rings).toBeGreaterThanOrEqual(STORM);
};
