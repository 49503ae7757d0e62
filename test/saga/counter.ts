import { message, type } from '@nestjs-orchestrator/core';
import { buildSaga, defineSaga } from '@nestjs-orchestrator/core/saga';

interface Ref {
  id: string;
}
export class Opened extends message('c.opened', type<Ref>()) {}
export class Counted extends message('c.counted', type<Ref>()) {}
export class Closed extends message('c.closed', type<Ref>()) {}

/** Counts what it is told, so that an event that is lost or taken twice shows. */
export const counter = defineSaga({
  name: 'counter',
  version: 1,
  data: type<Ref & { count: number }>(),
  correlateBy: 'id',
  states: ['open'],
  ends: { closed: 'success' },
  events: [Opened, Counted, Closed],
});
export const counting = buildSaga(counter, (saga) => {
  saga
    .initially()
    .when(Opened)
    .then(({ event }) => ({ id: event.id, count: 0 }))
    .transitionTo('open');
  saga
    .during('open')
    .when(Counted)
    .then((ctx) => void (ctx.data.count += 1))
    .when(Closed)
    .transitionTo('closed');
});
