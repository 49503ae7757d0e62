import {
  buildSaga,
  defineSaga,
  event,
  keyed,
  message,
  sagaDecorators,
  type,
  type ContextOf,
  type SagaRepository,
} from '@nestjs-orchestrator/nest';

class Began extends message('w.began', type<{ id: string }>()) {}
class First extends message('w.first', type<{ id: string; n: number }>()) {}
class Second extends message('w.second', type<{ id: string }>()) {}
class Other extends message('w.other', type<{ no: string }>()) {}
class Command extends message('w.command', type<{ id: string }>()) {}
class Foreign extends message('w.foreign', type<{ id: string }>()) {}

/** A saga with every kind of word; everything but what is expected to fail must compile. */
export const worded = defineSaga({
  name: 'worded',
  version: 1,
  data: type<{ id: string; n: number }>(),
  correlateBy: 'id',
  keys: { no: 'at most one' },
  states: {
    idle: {},
    busy: {
      type: 'parallel',
      states: {
        left: { initial: 'on', states: { on: {}, off: { type: 'final' } } },
        right: { initial: 'on', states: { on: {}, off: { type: 'final' } } },
      },
    },
  },
  ends: { over: 'success', failed: 'undo' },
  events: [
    Began,
    event(First, { unanswered: 'ignore' }),
    Second,
    keyed(Other, ({ no }) => no, { key: 'no' }),
  ],
  compensations: { undo: type<{ id: string }>() },
  schedules: ['alarm'],
  compositeEvents: { both: { of: [First, Second], during: ['busy.left.on', 'idle'] } },
  sends: [Command],
});

const rest = {
  name: 'x',
  version: 1,
  data: type<{ id: string }>(),
  correlateBy: 'id',
  states: ['a', 'b'],
  ends: { z: 'success' },
  events: [Began, First, Second],
} as const;

defineSaga({ ...rest, compositeEvents: { both: { of: [First, Second], during: 'a' } } });
// @ts-expect-error no state of the saga
defineSaga({ ...rest, compositeEvents: { both: { of: [First, Second], during: 'c' } } });
// @ts-expect-error no event of the saga
defineSaga({ ...rest, compositeEvents: { both: { of: [First, Foreign] } } });
// @ts-expect-error no cardinality
defineSaga({ ...rest, keys: { no: 'some' } });
// @ts-expect-error a policy of unanswered events
defineSaga({ ...rest, absent: 'defer' });
// @ts-expect-error starting is what one event does
defineSaga({ ...rest, absent: 'start' });
// @ts-expect-error the key is a string
keyed(First, ({ n }) => n, { key: 'no' });
// @ts-expect-error behaviour is said by the class
defineSaga({ ...rest, states: { a: { on: { x: 'b' } }, b: {} } });

buildSaga(worded, (saga) => {
  saga
    .initially()
    .when(Began)
    .then((ctx) => {
      ctx.correlateWith('no', '7');
      ctx.schedule('alarm', '10m');
      ctx.send(new Command({ id: ctx.event.id }));
      // @ts-expect-error no further key
      ctx.correlateWith('id', '7');
      // @ts-expect-error no schedule
      ctx.schedule('alram', '10m');
      // @ts-expect-error not a duration
      ctx.schedule('alarm', 'soon');
      // @ts-expect-error not among what the saga sends
      ctx.send(new Foreign({ id: '' }));
      return { id: ctx.event.id, n: 0 };
    })
    .transitionTo('busy');
  saga
    .during('busy.left.on', 'busy.right')
    .when('both')
    .then((ctx) => void (ctx.data.n += 1))
    .transitionTo('busy.left.off')
    .scheduled('alarm')
    .transitionTo('idle');
  saga
    .during('busy')
    .done()
    .finalize('over')
    .always()
    .if(({ data }) => data.n > 3)
    .finalize('failed');
  saga.during('idle').after('1h').finalize('failed');
  saga
    .during('compensating')
    .when(First)
    .if(({ event: { n } }) => n > 0)
    .then((ctx) => ctx.unschedule('alarm'))
    .else()
    .ignore();
  saga.during('ended').when(Second).ignore();
  saga.onEntry(['idle', 'over'], (ctx) => void (ctx.data.n = 0)).onExit('busy.left', () => {});
  // @ts-expect-error no composite event
  saga.during('idle').when('boht');
  // @ts-expect-error no schedule
  saga.during('idle').scheduled('alram');
  // @ts-expect-error no such nested state
  saga.during('busy.middle');
  // @ts-expect-error no such nested state
  saga.during('idle').when(First).transitionTo('busy.left.of');
  // @ts-expect-error nothing moves a saga that has ended
  saga.during('ended').when(First).transitionTo('idle');
  const late = saga.during('compensating').when(First);
  // @ts-expect-error nor returns it a target
  late.then(() => 'idle' as const);
  // @ts-expect-error a phase and a state are told apart
  saga.during('ended', 'idle');
  // @ts-expect-error an end is never left
  saga.onExit('over', () => {});
  const both = saga.during('idle').when('both');
  // @ts-expect-error a composite event has no body
  both.then((ctx) => void ctx.event.id);
});

const { Saga, On, Scheduled, Always, Done, OnEntry, OnExit } = sagaDecorators(worded);
type Ctx<M> = ContextOf<typeof worded, M>;

@Saga()
export class Worded {
  @On('both', { during: 'busy', to: 'idle', if: ({ data }) => data.n > 0 })
  @Scheduled('alarm', { during: ['busy', 'idle'], to: 'failed' })
  @Always({ during: 'idle', to: 'over', if: ({ data }) => data.n > 3 })
  @Done({ during: 'busy', to: 'over' })
  @OnEntry(['idle', 'over'])
  @OnExit('busy.left')
  note(ctx: Ctx<never>): void {
    ctx.data.n += 1;
  }

  @On(First, { during: ['compensating', 'ended'], if: ({ event: { n } }) => n > 0 })
  late(ctx: Ctx<First>): void {
    ctx.compensateWith('undo', { id: ctx.event.id });
  }

  @Always({ during: 'idle', to: ['over', 'failed'] })
  choose(ctx: Ctx<never>): 'over' | 'failed' {
    return ctx.data.n > 0 ? 'over' : 'failed';
  }

  // @ts-expect-error no composite event
  @On('boht', { during: 'idle' }) a(): void {}
  // @ts-expect-error no schedule
  @Scheduled('alram', { during: 'idle' }) b(): void {}
  // @ts-expect-error an always leads somewhere
  @Always({ during: 'idle' }) c(): void {}
  // @ts-expect-error nothing moves a saga that has ended
  @On(First, { during: 'ended', to: 'idle' }) d(): void {}
  // @ts-expect-error no such nested state
  @Done({ during: 'busy.middle', to: 'over' }) e(): void {}
  // @ts-expect-error an end is never left
  @OnExit('over') f(): void {}
  // @ts-expect-error a composite event has no body
  @On('both', { during: 'idle' }) g(ctx: Ctx<First>): void {
    void ctx;
  }
  // @ts-expect-error the handler returns another target
  @Always({ during: 'idle', to: ['over', 'failed'] }) h(): 'idle' {
    return 'idle';
  }
}

declare const repository: SagaRepository<typeof worded>;
void repository.findByKey('no', '7');
void repository.findByState('busy.left.on');
// @ts-expect-error no further key
void repository.findByKey('id', '7');
// @ts-expect-error no such nested state
void repository.findByState('busy.left.of');
