import { describe, expect, it } from 'vitest';
import { message } from '../../message/message.js';
import { type } from '../../message/standard-schema.js';
import { causeOf, type SagaBehaviour } from '../behaviour.js';
import { defineSaga } from '../define-saga.js';
import { SagaDefinitionError } from '../saga-errors.js';
import { buildSaga } from './build-saga.js';
import type { SagaBuilder, When } from './builder-types.js';

class Opened extends message('opened', type<{ id: string }>()) {}
class Paid extends message('paid', type<{ id: string; cents: number }>()) {}
class Cancelled extends message('cancelled', type<{ id: string }>()) {}

const ticket = defineSaga({
  name: 'ticket',
  version: 1,
  data: type<{ id: string; paid?: number }>(),
  correlateBy: 'id',
  states: ['open', 'paying'],
  ends: { done: 'success', dropped: 'undo' },
  events: [Opened, Paid, Cancelled],
  compensations: { refund: type<{ id: string }>() },
});

type Builder = SagaBuilder<typeof ticket>;

function lines(behaviour: SagaBehaviour): readonly string[] {
  return behaviour.transitions.map(({ trigger, during, to, guard, handler }) => {
    const cause = causeOf(trigger);
    const target = to === undefined ? '(stays)' : to.toString();
    return `${during.join('+') || '(start)'} × ${cause}${guard ? ' if' : ''} → ${target}${handler ? ' by handler' : ''}`;
  });
}

function built(build: (saga: Builder) => void): readonly string[] {
  return lines(buildSaga(ticket, build));
}

function faults(build: (saga: Builder) => void): readonly string[] {
  try {
    buildSaga(ticket, build);
  } catch (error) {
    if (error instanceof SagaDefinitionError) return error.faults.map((f) => `${f.path} ${f.message}`);
    throw error;
  }
  return [];
}

describe('buildSaga', () => {
  it('makes one transition of each answered when, in the order they are written', () => {
    const transitions = built((saga) => {
      saga
        .initially()
        .when(Opened)
        .then((ctx) => ({ id: ctx.event.id }))
        .transitionTo('open');
      saga
        .during('open', 'paying')
        .when(Paid)
        .then(async (ctx) => void (ctx.data.paid = ctx.event.cents))
        .transitionTo('paying')
        .when(Cancelled)
        .finalize('dropped')
        .after('24h')
        .then((ctx) => (ctx.data.paid === undefined ? 'dropped' : 'done'))
        .transitionToOneOf('dropped', 'done');
    });
    expect(transitions).toEqual([
      '(start) × opened → open by handler',
      'open+paying × paid → paying by handler',
      'open+paying × cancelled → dropped',
      'open+paying × after 86400000 ms → dropped,done by handler',
    ]);
  });

  it('turns if, elseIf and else into guarded transitions and a last one without a guard', () => {
    const transitions = built((saga) => {
      saga
        .during('open')
        .when(Paid)
        .if(({ event }) => event.cents > 100)
        .transitionTo('paying')
        .elseIf(({ event }) => event.cents > 0)
        .then((ctx) => void (ctx.data.paid = 1))
        .else()
        .ignore();
    });
    expect(transitions).toEqual([
      'open × paid if → paying',
      'open × paid if → (stays) by handler',
      'open × paid → (stays)',
    ]);
  });

  it('keeps the condition as it was given', () => {
    const { transitions } = buildSaga(ticket, (saga) => {
      saga
        .during('open')
        .when(Paid)
        .if(({ event }) => event.cents > 100)
        .ignore();
    });
    const ask = (cents: number): unknown => transitions[0]?.guard?.({ data: {}, event: { id: '', cents } });
    expect([ask(101), ask(100)]).toEqual([true, false]);
  });

  it('asks any state only where the state has no answer of its own', () => {
    const transitions = built((saga) => {
      saga.duringAny().when(Cancelled).finalize('dropped');
      saga.during('paying').when(Cancelled).ignore();
      saga
        .during('open')
        .when(Cancelled)
        .if(() => false)
        .finalize('done');
    });
    expect(transitions).toEqual([
      'paying × cancelled → (stays)',
      'open × cancelled if → done',
      'open × cancelled → dropped',
    ]);
  });

  it('hands over compensations by their names', () => {
    const { compensations } = buildSaga(ticket, (saga) => saga.compensate('refund', async () => {}));
    expect([...compensations.keys()]).toEqual(['refund']);
  });
});

describe('buildSaga refuses', () => {
  it('a when that nothing answers, and an else', () => {
    const found = faults((saga) => {
      saga.during('open').when(Paid);
      saga
        .duringAny()
        .when(Cancelled)
        .if(() => true)
        .finalize('done')
        .else();
      saga
        .during('paying')
        .after('1h')
        .if(() => true);
    });
    expect(found).toEqual([
      'during(open).when(paid) has no answer; end it with then(…), transitionTo(…), finalize(…) or ignore()',
      'duringAny().when(cancelled).else has no answer; end it with then(…), transitionTo(…), finalize(…) or ignore()',
      'during(paying).after(1h) has no answer; end it with then(…), transitionTo(…), finalize(…) or ignore()',
    ]);
  });

  it('a start without data or first state', () => {
    const found = faults((saga) => {
      saga.initially().when(Opened);
      saga
        .initially()
        .when(Paid)
        .then((ctx) => ({ id: ctx.event.id }));
    });
    expect(found).toEqual([
      'initially().when(opened) makes no data; add then((ctx) => data)',
      'initially().when(opened) names no first state; end it with transitionTo(…)',
      'initially().when(paid) names no first state; end it with transitionTo(…)',
    ]);
  });

  it('two answers to one when', () => {
    const found = faults((saga) => {
      const paid: When<typeof ticket, Paid> = saga.during('open').when(Paid);
      paid.transitionTo('paying');
      paid.finalize('done');
      paid.ignore();
      paid.then(() => {});
      paid.then(() => {});
    });
    expect(found).toEqual([
      "during(open).when(paid) has two targets, 'paying' and 'done'; drop one of them",
      'during(open).when(paid) is ignored and handled; drop one of them',
      'during(open).when(paid) has two handlers; merge them into one then(…)',
      'during(open).when(paid) is ignored and handled; drop one of them',
    ]);
  });

  it('an any-state answer that every state gives itself', () => {
    const found = faults((saga) => {
      saga.during('open', 'paying').when(Cancelled).ignore();
      saga.duringAny().when(Cancelled).finalize('dropped');
    });
    expect(found).toEqual(['duringAny().when(cancelled) never runs: every state answers it itself']);
  });

  it('two handlers of one compensation', () => {
    const found = faults((saga) => {
      saga.compensate('refund', async () => {}).compensate('refund', async () => {});
    });
    expect(found).toEqual(['compensate(refund) is given twice; drop one of them']);
  });

  it('what the compiler would have refused', () => {
    const found = faults((saga) => {
      saga
        .during('open')
        .after('a while' as '1h')
        .ignore();
      const paid = saga.during('open').when(Paid);
      (paid as unknown as { else(): { ignore(): void } }).else().ignore();
      paid.if(() => true).ignore();
      paid.if(() => false);
    });
    expect(found).toEqual([
      "during(open).after(a while) 'a while' is not a duration. Write a number with a unit, for example '500ms', '30s' or '24h'.",
      'during(open).when(paid) has an else without an if',
      'during(open).when(paid) has two conditions; join them with &&',
    ]);
  });

  it('an async function', () => {
    const build: () => unknown = async () => {
      await Promise.resolve();
      throw new Error('lost');
    };
    const found = faults(build);
    expect(found).toEqual(['buildSaga was given an async function; declare the behaviour synchronously']);
  });

  it('what is added when it has returned', () => {
    let late: Builder | undefined;
    buildSaga(ticket, (saga) => void (late = saga));
    expect(() => late?.during('open').when(Paid)).toThrow(SagaDefinitionError);
    expect(() => late?.compensate('refund', async () => {})).toThrow(SagaDefinitionError);
  });
});
