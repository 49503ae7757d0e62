import { describe, expect, it } from 'vitest';
import { defineSaga, message, type, type ContextOf } from '../index.js';
import { readSagaBehaviour, type DecoratedClass } from './saga-class.accessor.js';
import { sagaBehaviour } from './saga-behaviour.js';
import { sagaDecorators } from './saga.decorator.js';
import { readSagaClass, readSagaMembers } from './saga.metadata.js';

class Opened extends message('opened', type<{ id: string }>()) {}
class Paid extends message('paid', type<{ id: string }>()) {}
class Dropped extends message('dropped', type<{ id: string }>()) {}

const vocabulary = {
  version: 1,
  data: type<{ id: string }>(),
  correlateBy: 'id',
  states: ['open', 'late'],
  ends: { done: 'success' },
  events: [Opened, Paid, Dropped],
  compensations: { refund: type<{ id: string }>() },
} as const;
const ticket = defineSaga({ ...vocabulary, name: 'ticket' });
const other = defineSaga({ ...vocabulary, name: 'other' });
const { Saga, StartedBy, On, After, Compensation } = sagaDecorators(ticket);
type Ctx<M> = ContextOf<typeof ticket, M>;

@Saga()
class Ticket {
  readonly seen: unknown[] = [];

  @StartedBy(Opened, { to: 'open' })
  start() {
    return { id: '' };
  }

  @On(Paid, { during: 'open', to: 'done', if: () => false })
  @On(Dropped, { during: ['open', 'late'], to: ['done', 'late'] })
  @After('1s', { during: 'open', to: ['done', 'late'] })
  first(ctx: Ctx<unknown>): never {
    this.seen.push(ctx);
    throw new Error('seen');
  }

  @On(Paid, { during: 'open' })
  second(ctx: Ctx<Paid>) {
    this.seen.push(ctx.id);
  }

  @Compensation('refund')
  async refund(input: { id: string }) {
    this.seen.push(input.id);
  }
}

const read = (instance: object, target: DecoratedClass) => readSagaBehaviour(ticket, instance, target);

describe('a saga class', () => {
  it('is read in the order a reader sees it', () => {
    const { transitions, label } = read(new Ticket(), Ticket);
    const lines = transitions.map(
      ({ trigger, during, to, guard, label }) =>
        `${label} ${during.join('+')} ${'event' in trigger ? trigger.event.messageName : JSON.stringify(trigger)}` +
        ` → ${to?.toString()}${guard ? ' if' : ''}`,
    );
    expect(label).toBe('Ticket');
    expect(lines).toEqual([
      'Ticket.start  opened → open',
      'Ticket.first open paid → done if',
      'Ticket.first open+late dropped → done,late',
      'Ticket.first open {"kind":"after","delayMs":1000} → done,late',
      'Ticket.second open paid → undefined',
    ]);
  });

  it('is called on the instance', async () => {
    const instance = new Ticket();
    const { transitions, compensations } = read(instance, Ticket);
    transitions[4]?.handler?.({ id: 'instance' } as never);
    await compensations.get('refund')?.({ id: 'undone' } as never, {} as never);
    expect(instance.seen).toEqual(['instance', 'undone']);
  });

  it('keeps its metadata to itself', () => {
    class Heir extends Ticket {}
    expect([readSagaClass(Ticket), readSagaClass(Heir)]).toEqual([ticket, undefined]);
    expect(readSagaMembers(Heir)).toEqual([]);
  });
});

describe('a saga class is refused', () => {
  it('with decorators of another definition', () => {
    const { On } = sagaDecorators(other);
    class Mixed {
      @On(Paid, { during: 'open' })
      paid() {}
    }
    expect(() => read(new Mixed(), Mixed)).toThrow(
      "Mixed.paid: has a decorator of another definition, 'other' version 1",
    );
  });

  it('with two methods for one compensation, or a delay that is none', () => {
    class Twice {
      @Compensation('refund')
      async a() {}

      @Compensation('refund')
      async b() {}

      @After('a day' as '1d', { during: 'open' })
      late() {}
    }
    expect(() => read(new Twice(), Twice)).toThrow(
      /Twice\.b: is the second method for compensation 'refund'\n {2}Twice\.late: 'a day' is not a duration/,
    );
  });

  it('with a decorator on a static method', () => {
    expect(() => {
      class Static {
        @On(Paid, { during: 'open' })
        static paid() {}
      }
      return Static;
    }).toThrow('@On stands on Static.paid, which is static. Put it on a method of the class');
  });
});

describe('sagaBehaviour', () => {
  it('reads a class without an instance of it', () => {
    const { definition, transitions, label } = sagaBehaviour(Ticket);
    expect([definition, transitions.length, label]).toEqual([ticket, 5, 'Ticket']);
  });

  it('names a class that is no saga', () => {
    class Plain {}
    expect(() => sagaBehaviour(Plain)).toThrow(/Plain: has no @Saga\(\)/);
  });
});

describe('a saga class with every decorator', () => {
  const every = defineSaga({
    ...vocabulary,
    name: 'every',
    schedules: ['alarm'],
    compositeEvents: { both: { of: [Paid, Dropped] } },
  });
  const on = sagaDecorators(every);

  @on.Saga()
  class Every {
    readonly seen: string[] = [];

    @on.On('both', { during: 'open', to: 'late', if: () => true })
    @on.Scheduled('alarm', { during: ['open', 'late'] })
    @on.Always({ during: 'late', to: 'done', if: () => true })
    @on.Done({ during: 'open', to: 'done' })
    @on.OnEntry('done')
    @on.OnExit(['open', 'late'])
    note() {
      this.seen.push('note');
    }

    @on.On(Paid, { during: ['compensating', 'ended'] })
    late() {
      this.seen.push('late');
    }
  }

  it('says its triggers, hooks and phases', () => {
    const instance = new Every();
    const { transitions, hooks } = readSagaBehaviour(every, instance, Every);
    expect(
      transitions.map(({ trigger, during, to, guard }) => [
        trigger.kind,
        during.join('+'),
        to,
        guard !== undefined,
      ]),
    ).toEqual([
      ['composite', 'open', 'late', true],
      ['schedule', 'open+late', undefined, false],
      ['always', 'late', 'done', true],
      ['done', 'open', 'done', false],
      ['event', 'compensating+ended', undefined, false],
    ]);
    expect(transitions[0]?.trigger).toEqual({ kind: 'composite', name: 'both' });
    expect(transitions[1]?.trigger).toEqual({ kind: 'schedule', name: 'alarm' });
    expect(hooks.map(({ kind, states }) => [kind, states])).toEqual([
      ['entry', ['done']],
      ['exit', ['open', 'late']],
    ]);
    for (const { handler } of [...hooks, ...transitions.slice(-1)]) handler?.({} as never);
    expect(instance.seen).toEqual(['note', 'note', 'late']);
  });
});
