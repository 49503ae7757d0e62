import { message, type } from '@nestjs-orchestrator/core';
import { buildSaga, defineSaga } from '@nestjs-orchestrator/core/saga';

interface Ref {
  id: string;
}
export class Began extends message('v.began', type<Ref>()) {}
export class Went extends message('v.went', type<Ref>()) {}

/** A trip as it was first defined. */
export const trip = defineSaga({
  name: 'trip',
  version: 1,
  data: type<{ id: string; steps: number }>(),
  correlateBy: 'id',
  states: ['waiting'],
  ends: { done: 'success', late: 'success' },
  events: [Began, Went],
});
export const trips = buildSaga(trip, (saga) => {
  saga
    .initially()
    .when(Began)
    .then(({ event }) => ({ id: event.id, steps: 1 }))
    .transitionTo('waiting');
  saga.during('waiting').when(Went).transitionTo('done').after('1h').transitionTo('late');
});

/** Its second version: with other states and data, and perhaps the way there for those that are under way. */
export function tripsOfTwo(migrate: boolean) {
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

/** A saga that fails when it goes, and pays back then. */
export function refundable(version: number, migrates: boolean, refund = async (): Promise<void> => {}) {
  const definition = defineSaga({
    name: 'refundable',
    version,
    data: type<Ref>(),
    correlateBy: 'id',
    states: ['waiting'],
    ends: { failed: 'undo' },
    events: [Began, Went],
    compensations: { refund: type<Ref>() },
    ...(migrates ? { migrate: { 1: {} } } : {}),
  });
  return buildSaga(definition, (saga) => {
    saga
      .initially()
      .when(Began)
      .then((ctx) => {
        ctx.compensateWith('refund', { id: ctx.event.id });
        return { id: ctx.event.id };
      })
      .transitionTo('waiting');
    saga.during('waiting').when(Went).transitionTo('failed');
    saga.compensate('refund', refund);
  });
}
