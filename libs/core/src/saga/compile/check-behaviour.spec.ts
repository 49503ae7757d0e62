import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { message } from '../../message/message.js';
import { type } from '../../message/standard-schema.js';
import type { SagaBehaviour, TransitionSpec } from '../behaviour.js';
import { buildSaga } from '../builder/build-saga.js';
import type { SagaBuilder } from '../builder/builder-types.js';
import { defineSaga } from '../define-saga.js';
import { SagaDefinitionError, type DefinitionFault } from '../saga-errors.js';
import { event, keyed } from '../saga-types.js';
import type { StateNode } from '../states.js';
import { compileSaga } from './compile-saga.js';

const ref = z.object({ id: z.string() });
class Begin extends message('begin', ref) {}
class Next extends message('next', ref) {}
class Alien extends message('alien', ref) {}

const definition = defineSaga({
  name: 's',
  version: 1,
  data: type<{ id: string }>(),
  correlateBy: 'id',
  states: ['one', 'two'],
  ends: { done: 'success' },
  events: [Begin, Next],
  compensations: { undo: ref },
});

const good: readonly TransitionSpec[] = [
  {
    trigger: { kind: 'start', event: Begin },
    during: [],
    to: 'one',
    guard: undefined,
    handler: () => ({}),
    label: 'start',
  },
  {
    trigger: { kind: 'event', event: Next },
    during: ['one'],
    to: 'two',
    guard: undefined,
    handler: undefined,
    label: 'go',
  },
  {
    trigger: { kind: 'after', delayMs: 5 },
    during: ['two'],
    to: 'done',
    guard: undefined,
    handler: undefined,
    label: 'late',
  },
];

function behaviour(transitions: readonly TransitionSpec[], undo = ['undo']): SagaBehaviour {
  return {
    definition,
    label: 'S',
    transitions,
    hooks: [],
    joins: new Map(),
    compensations: new Map(undo.map((name) => [name, () => {}])),
  };
}

function faults(transitions: readonly TransitionSpec[], undo?: string[]): string[] {
  try {
    compileSaga(behaviour(transitions, undo));
    return [];
  } catch (error) {
    return (error as SagaDefinitionError).faults.map((fault) => `${fault.path}: ${fault.message}`);
  }
}

const go = good[1] as TransitionSpec;

describe('compileSaga', () => {
  it('has nothing to say about a saga that is in order', () => {
    expect(faults(good)).toEqual([]);
    expect(compileSaga(behaviour(good)).starts.has('begin')).toBe(true);
  });

  it('names unknown states, ends as sources and foreign messages, all at once', () => {
    const all = faults([
      ...good,
      { ...go, during: ['oen'], label: 'a' },
      { ...go, during: ['done'], label: 'b' },
      { ...go, during: ['two'], to: ['one', 'tow'], label: 'c' },
      { ...go, trigger: { kind: 'event', event: Alien }, label: 'd' },
      { ...go, during: [], label: 'e' },
    ]);
    expect(all).toEqual([
      expect.stringMatching(/^a: during 'oen'.*is no state/),
      expect.stringMatching(/^b: during 'done'.*nothing leaves it/),
      expect.stringMatching(/^c: to 'tow'.*no state of the saga/),
      expect.stringMatching(/^d: 'alien' is not among the saga's events/),
      expect.stringMatching(/^e: names no state/),
    ]);
  });

  it('finds a transition that an unguarded one before it leaves no chance', () => {
    expect(faults([...good, { ...go, guard: () => true, label: 'second' }])).toEqual([
      "second: never runs: one × 'next' is already answered by go, which has no guard",
    ]);
    expect(
      faults([good[0] as TransitionSpec, { ...go, guard: () => true }, go, good[2] as TransitionSpec]),
    ).toEqual([]);
  });

  it('finds states that nothing leads to or out of, ends that nothing reaches, and a saga that nothing starts', () => {
    const [start, , late] = good as [TransitionSpec, TransitionSpec, TransitionSpec];
    expect(faults([start, late])).toEqual([
      'one: has no way out',
      "two: can't be reached from the start",
      "done: this end can't be reached",
    ]);
    expect(faults([go, late])[0]).toMatch(/^S: nothing starts the saga/);
  });

  it('wants every declared compensation, and no other', () => {
    expect(faults(good, [])).toEqual(["S: does not implement compensation 'undo'"]);
    expect(faults(good, ['undo', 'redo'])[0]).toMatch(/^S: implements compensation 'redo', which/);
  });

  it('lists its faults in one error', () => {
    expect(() => compileSaga(behaviour([]))).toThrow(SagaDefinitionError);
  });
});

describe('compileSaga, of a saga with every kind of word', () => {
  class Other extends message('other', type<{ no: string }>()) {}
  const words = defineSaga({
    name: 'w',
    version: 1,
    data: type<{ id: string }>(),
    correlateBy: 'id',
    keys: { no: 'at most one' },
    states: { flat: {}, deep: { initial: 'in', states: { in: {}, out: { type: 'final' } } } },
    ends: { done: 'success' },
    events: [event(Begin, { absent: 'start' }), Next, keyed(Other, ({ no }) => no, { key: 'no' })],
    schedules: ['alarm'],
    compositeEvents: { both: { of: [Next, Other] } },
  });
  type Builder = SagaBuilder<typeof words>;

  function found(build: (saga: Builder) => void): readonly string[] {
    return faultsOf(
      () => compileSaga(buildSaga(words, build)),
      ({ path, message: text }) => `${path}: ${text}`,
    );
  }

  const sound = (saga: Builder): void => {
    saga
      .initially()
      .when(Begin)
      .then((ctx) => ({ id: ctx.event.id }))
      .transitionTo('deep');
    saga.during('deep.in').when(Next).transitionTo('deep.out');
    saga.during('deep').done().transitionTo('flat');
    saga.during('flat').when('both').finalize('done').scheduled('alarm').finalize('done');
  };

  it('has nothing to say about one that is in order', () => {
    expect(found(sound)).toEqual([]);
  });

  it('wants schedules and composite events answered, and a start for what is declared to be one', () => {
    const all = found((saga) => {
      saga.during('flat').always().finalize('done');
      saga.during('deep.in').when(Next).transitionTo('deep.out');
    });
    expect(all).toEqual([
      "events.begin: is declared { absent: 'start' }, but nothing starts with it",
      'compositeEvents.both: no state answers it',
      'schedules.alarm: no state answers it',
    ]);
  });

  it('wants what starts an instance to tell its primary key', () => {
    const all = found((saga) => {
      sound(saga);
      saga
        .initially()
        .when(Other)
        .then(() => ({ id: '' }))
        .transitionTo('flat');
    });
    expect(all).toEqual([expect.stringMatching(/'other' comes by the key 'no', but .* primary key, 'id'$/)]);
  });

  it('refuses an always that leads nowhere, a done of a state without states, and hooks of unknown states', () => {
    const all = found((saga) => {
      sound(saga);
      saga.during('deep.in').always().ignore();
      saga.during('flat').done().finalize('done');
      saga.onExit('nowhere' as 'flat', () => {});
    });
    expect(all).toEqual([
      expect.stringMatching(/always: would run for ever/),
      expect.stringMatching(/'flat' has no states inside/),
      expect.stringMatching(/'nowhere' is no state of the saga/),
    ]);
  });

  it('refuses to move a saga that is being undone or has ended, and timers there', () => {
    const all = found((saga) => {
      sound(saga);
      const late = saga as unknown as { during(phase: string): ReturnType<Builder['duringAny']> };
      late.during('ended').when(Next).finalize('done').after('1h').ignore();
    });
    expect(all).toEqual([
      expect.stringMatching(/during 'ended': nothing moves the saga any more/),
      expect.stringMatching(/during 'ended': only messages are answered there, not 'after 3600000 ms'/),
    ]);
  });

  it('finds nested states that nothing leads to or out of', () => {
    const all = found((saga) => {
      saga
        .initially()
        .when(Begin)
        .then((ctx) => ({ id: ctx.event.id }))
        .transitionTo('deep');
      saga.during('flat').when('both').finalize('done').scheduled('alarm').finalize('done');
    });
    expect(all).toEqual([
      'deep.in: has no way out',
      "flat: can't be reached from the start",
      "deep.out: can't be reached from the start",
      "done: this end can't be reached",
    ]);
  });

  it('hands on what the engine finds wrong with nested states', () => {
    const broken = defineSaga({
      name: 'b',
      version: 1,
      data: type<{ id: string }>(),
      correlateBy: 'id',
      states: { deep: { initial: 'nowhere', states: { in: {} } } },
      ends: { done: 'success' },
      events: [Begin, Next],
    });
    const compile = (): unknown =>
      compileSaga(
        buildSaga(broken, (saga) => {
          saga
            .initially()
            .when(Begin)
            .then((ctx) => ({ id: ctx.event.id }))
            .transitionTo('deep');
          saga.duringAny().when(Next).finalize('done');
        }),
      );
    expect(faultsOf(compile)).toEqual(['states.deep.initial']);
  });
});

describe('defineSaga', () => {
  it('refuses joins, keys, schedules and states that mean nothing', () => {
    const define = (): unknown =>
      defineSaga({
        name: 'x',
        version: 1,
        data: type<{ id: string }>(),
        correlateBy: 'id',
        keys: { id: 'one', customer: 'many' },
        states: { a: { on: {} } as StateNode, ended: {}, 'b.c': {}, f: { type: 'final' } },
        ends: { done: 'success' },
        events: [Begin, keyed(Next, ({ id }) => id, { key: 'no' })],
        schedules: ['again', 'again'],
        compositeEvents: { one: { of: [Begin] }, begin: { of: [Begin, Next], during: 'a' } },
      });
    expect(faultsOf(define)).toEqual([
      'a',
      'states',
      'f',
      'states',
      'keys.id',
      'events.next',
      'compositeEvents.one',
      'compositeEvents.begin',
      'schedules',
    ]);
  });

  it('lists all faults of a definition at once', () => {
    const define = (): unknown =>
      defineSaga({
        name: '1st',
        version: 0,
        data: type<{ id: string }>(),
        correlateBy: 'id',
        states: ['a', 'a', '$x'],
        ends: { a: 'success' },
        events: [Begin, Begin],
        patience: -1,
      });
    expect(faultsOf(define)).toEqual(['name', 'version', 'patience', 'states', 'states', 'ends', 'events']);
  });
});

function faultsOf(
  define: () => unknown,
  shown = ({ path }: DefinitionFault): string => path,
): readonly string[] {
  try {
    define();
    return [];
  } catch (error) {
    return (error as SagaDefinitionError).faults.map(shown);
  }
}
