import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { message } from '../../message/message.js';
import { type } from '../../message/standard-schema.js';
import { buildSaga } from '../builder/build-saga.js';
import type { SagaBuilder } from '../builder/builder-types.js';
import { defineSaga } from '../define-saga.js';
import type { DefinitionFault, SagaDefinitionError } from '../saga-errors.js';
import { event, keyed } from '../saga-types.js';
import type { StateNode, StateNodes } from '../states.js';
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
});

describe('compileSaga, of a saga that could never end well', () => {
  const faulty = (
    states: readonly string[] | StateNodes,
    build: (saga: SagaBuilder<typeof definition>) => void,
  ) => {
    const made = defineSaga({
      name: 's',
      version: 1,
      data: type<{ id: string }>(),
      correlateBy: 'id',
      states,
      ends: { done: 'success' },
      events: [Begin, Next, Alien],
    });
    const begun = (saga: SagaBuilder<typeof definition>): void => {
      saga
        .initially()
        .when(Begin)
        .then((ctx) => ({ id: ctx.event.id }))
        .transitionTo(made.states[0] as 'one');
      build(saga);
    };
    return faultsOf(
      () => compileSaga(buildSaga(made, begun as never)),
      ({ path, message: text }) => `${path}: ${text}`,
    );
  };
  const alien = Alien as unknown as typeof Next;

  it('finds states from which no end is reached', () => {
    const all = faulty(['one', 'two', 'three'], (saga) => {
      saga.during('one').when(Next).transitionTo('two').when(alien).finalize('done');
      saga
        .during('two')
        .when(Next)
        .transitionTo('three' as 'one');
      saga
        .during('three' as 'one')
        .when(Next)
        .transitionTo('two')
        .when(alien)
        .ignore();
    });
    expect(all).toEqual([
      'two: no end can be reached from here, so the saga would live for ever',
      'three: no end can be reached from here, so the saga would live for ever',
    ]);
  });

  it('finds always that leads round in a circle, unless a condition may stop it', () => {
    const round = (stops: boolean) =>
      faulty(['one', 'two'], (saga) => {
        saga.during('one').always().transitionTo('two');
        const two = saga.during('two').when(Next).finalize('done').always();
        if (stops) two.if(() => false).transitionTo('one');
        else two.transitionTo('one');
      });
    expect(round(true)).toEqual([]);
    expect(round(false)).toEqual([
      'one: always leads round in a circle (one → two → one); give one of them a condition',
    ]);
  });

  it('wants a target in a list of targets', () => {
    const all = faulty(['one'], (saga) => {
      const after = saga
        .during('one')
        .when(Next)
        .finalize('done')
        .after('1h')
        .then(() => 'done' as const);
      (after as { transitionToOneOf(): unknown }).transitionToOneOf();
    });
    expect(all).toEqual([expect.stringMatching(/after\(1h\): to: names no target; list all that/)]);
  });

  it('finds a done of states that never come to an end, and answers where nothing stays', () => {
    const region = (final: boolean): StateNode => ({
      initial: 'in',
      states: { in: {}, out: final ? { type: 'final' } : {} },
    });
    const nested = (states: StateNodes) =>
      faulty(states, (saga) => {
        const one = saga.during('one');
        one.done().finalize('done').when(alien).finalize('done');
      });
    const inner = (regions: Record<string, StateNode>): StateNodes => ({
      one: { type: 'parallel', states: regions },
    });
    expect(nested(inner({ a: region(true), b: region(false) }))).toEqual([
      expect.stringMatching(
        /the states inside 'one' never come to an end: each region needs a state that is/,
      ),
    ]);
    expect(nested({ one: region(false) })).toEqual([
      expect.stringMatching(/none of them is { type: 'final' }/),
    ]);
    const silent = faulty(
      { one: { initial: 'in', states: { in: {}, out: { type: 'final' }, back: { type: 'history' } } } },
      (saga) => {
        saga.during('one').done().finalize('done').when(alien).finalize('done');
        saga
          .during('one.in' as 'one')
          .when(Next)
          .transitionTo('one.out' as 'one');
        saga
          .during('one.out' as 'one')
          .when(Next)
          .finalize('done');
        saga
          .during('one.back' as 'one')
          .when(Next)
          .finalize('done');
      },
    );
    expect(silent).toEqual([
      expect.stringMatching(/'one.out': it is final; say with done\(\) or @Done what follows when 'one'/),
      expect.stringMatching(/'one.back': it is a way back into 'one', nothing stays there/),
    ]);
  });

  it('names the place of a message class that is not there', () => {
    const all = faulty(['one'], (saga) => {
      saga.during('one').when(Next).finalize('done');
      saga
        .during('one')
        .when(undefined as never)
        .finalize('done');
    });
    expect(all).toEqual([
      expect.stringMatching(
        /during\(one\).when\(undefined\): is no class made by message\(\); where it is undefined/,
      ),
    ]);
    const sound = buildSaga(definition, (saga) => {
      saga
        .initially()
        .when(Begin)
        .then((ctx) => ({ id: ctx.event.id }))
        .transitionTo('one');
      saga.during('one').when(Next).transitionTo('two');
      saga.during('two').when(Next).finalize('done');
    });
    // As a class says it whose file imports its messages in a circle.
    const transitions = sound.transitions.map((each) =>
      each.during.includes('two')
        ? { ...each, trigger: { kind: 'event' as const, event: undefined as never } }
        : each,
    );
    expect(
      faultsOf(
        () => compileSaga({ ...sound, transitions }),
        ({ message: text }) => text,
      ),
    ).toEqual([expect.stringMatching(/^its message is no class made by message\(\)/)]);
  });
});

describe('defineSaga', () => {
  it('refuses words that it does not know, and messages that are not there', () => {
    const define = (): unknown =>
      defineSaga({
        name: 'x',
        version: 1,
        data: type<{ id: string }>(),
        correlateBy: '' as 'id',
        states: ['a'],
        ends: { done: 'sucess' as 'success' },
        events: [
          event(Begin, { absent: 'wait' as 'park', unanswered: 'drop' as 'ignore' }),
          keyed(Next, 'id' as never),
          undefined as never as typeof Begin,
        ],
        absent: 'never' as 'park',
        unanswered: 'never' as 'ignore',
        patience: 'soon' as '1h',
        compensations: { undo: ref },
        undo: { undo: { delay: 'soon' as '1s', answerTimeout: -1, answeredBy: undefined as never } },
        compositeEvents: { both: { of: [Begin, undefined as never as typeof Begin] } },
        sends: [undefined as never as typeof Begin],
      });
    expect(faultsOf(define)).toEqual([
      'correlateBy',
      'patience',
      'ends.done',
      'absent',
      'unanswered',
      'events.begin.absent',
      'events.begin.unanswered',
      'events.next',
      'events[2]',
      'compositeEvents.both',
      'undo.undo',
      'undo.undo',
      'sends[0]',
    ]);
  });

  it('takes patience as a length of time or in milliseconds', () => {
    const patience = (of: '2h' | 7) =>
      defineSaga({
        name: 'x',
        version: 1,
        data: type<{ id: string }>(),
        correlateBy: 'id',
        states: ['a'],
        ends: { done: 'success' },
        events: [Begin],
        patience: of,
      }).patience;
    expect([patience('2h'), patience(7)]).toEqual([7_200_000, 7]);
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
