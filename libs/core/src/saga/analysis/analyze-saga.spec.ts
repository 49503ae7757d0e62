import { describe, expect, it } from 'vitest';
import { message } from '../../message/message.js';
import { type } from '../../message/standard-schema.js';
import { buildSaga } from '../builder/build-saga.js';
import { defineSaga } from '../define-saga.js';
import { event } from '../saga-types.js';
import { analyzeSaga } from './analyze-saga.js';

interface Ref {
  id: string;
}
class Began extends message('a.began', type<Ref>()) {}
class First extends message('a.first', type<Ref>()) {}
class Second extends message('a.second', type<Ref>()) {}
class Third extends message('a.third', type<Ref>()) {}

const saga = defineSaga({
  name: 'analysed',
  version: 1,
  data: type<Ref>(),
  correlateBy: 'id',
  states: { waiting: {}, busy: { initial: 'in', states: { in: {}, out: {} } } },
  ends: { over: 'success', failed: 'undo' },
  events: [Began, First, Second, event(Third, { unanswered: 'ignore' })],
  compositeEvents: { both: { of: [First, Second], during: 'busy.in' } },
});

const behaviour = buildSaga(saga, (build) => {
  build
    .initially()
    .when(Began)
    .then(({ event: { id } }) => ({ id }))
    .transitionTo('waiting');
  build
    .during('waiting')
    .when(First)
    .if(() => true)
    .transitionTo('busy')
    .after('1h')
    .finalize('failed');
  build.during('busy.in').when('both').transitionTo('busy.out');
  build.during('busy').when(Third).finalize('over');
  build
    .during('busy.out')
    .when(Third)
    .then(async () => 'over' as const)
    .transitionToOneOf('over', 'failed');
  build.during('ended').when(Second).ignore();
});

describe('analyzeSaga', () => {
  const { faults, matrix, unanswered, diagram } = analyzeSaga(behaviour);

  it('tabulates who answers what, in the order in which they are asked', () => {
    expect(matrix).toEqual({
      waiting: {
        'a.first': [{ label: 'during(waiting).when(a.first)', guarded: true, to: ['busy'] }],
        'after 3600000 ms': [{ label: 'during(waiting).after(1h)', guarded: false, to: ['failed'] }],
      },
      'busy.in': {
        'all of both': [{ label: 'during(busy.in).when(both)', guarded: false, to: ['busy.out'] }],
        'a.third': [{ label: 'during(busy).when(a.third)', guarded: false, to: ['over'] }],
      },
      'busy.out': {
        'a.third': [
          { label: 'during(busy.out).when(a.third)', guarded: false, to: ['over', 'failed'] },
          { label: 'during(busy).when(a.third)', guarded: false, to: ['over'] },
        ],
      },
      ended: { 'a.second': [{ label: 'during(ended).when(a.second)', guarded: false, to: [] }] },
    });
  });

  it('lists what no state answers, or only on a condition; what a composite event counts is answered', () => {
    expect(
      unanswered.map(({ state, event: name, policy, sometimes }) => [state, name, policy, sometimes]),
    ).toEqual([
      ['waiting', 'a.first', 'defer', true],
      ['waiting', 'a.second', 'defer', false],
      ['waiting', 'a.third', 'ignore', false],
      ['busy.out', 'a.first', 'defer', false],
      ['busy.out', 'a.second', 'defer', false],
    ]);
  });

  it('lists outcomes of an activity where only the other one is answered', () => {
    const charging = defineSaga({
      name: 'charging',
      version: 1,
      data: type<Ref>(),
      correlateBy: 'id',
      states: ['charging', 'counting'],
      ends: { over: 'success' },
      events: [Began],
      activities: {
        charge: { input: type<Ref>(), output: type<Ref>() },
        count: { input: type<Ref>(), output: type<Ref>() },
      },
    });
    const { unanswered: pairs } = analyzeSaga(
      buildSaga(charging, (build) => {
        build
          .initially()
          .when(Began)
          .then(({ event: { id } }) => ({ id }))
          .transitionTo('charging');
        build.during('charging').onDone('charge').transitionTo('counting');
        build
          .during('counting')
          .onDone('count')
          .finalize('over')
          .onFailed('count')
          .if(() => false)
          .finalize('over');
        build.activity('charge', async (input) => input).activity('count', async (input) => input);
      }),
    );
    expect(pairs).toEqual([
      { state: 'charging', event: 'charge failed', policy: 'ignore', sometimes: false },
      { state: 'counting', event: 'count failed', policy: 'ignore', sometimes: true },
    ]);
  });

  it('draws the saga', () => {
    expect(diagram).toBe(
      [
        'stateDiagram-v2',
        '  state "waiting" as waiting_0',
        '  state "busy" as busy_1 {',
        '    [*] --> busy_in_2',
        '    state "in" as busy_in_2',
        '    state "out" as busy_out_3',
        '  }',
        '  state "over (success)" as over_4',
        '  state "failed (undo)" as failed_5',
        '  [*] --> waiting_0 : a.began',
        '  waiting_0 --> busy_1 : a.first [if]',
        '  waiting_0 --> failed_5 : after 3600000 ms',
        '  busy_in_2 --> busy_out_3 : all of both',
        '  busy_1 --> over_4 : a.third',
        '  busy_out_3 --> over_4 : a.third',
        '  busy_out_3 --> failed_5 : a.third',
        '  over_4 --> [*]',
        '  failed_5 --> [*]',
        '',
      ].join('\n'),
    );
  });

  it('finds nothing wrong with it, and names the faults of another', () => {
    expect(faults).toEqual([]);
    const stuck = buildSaga(saga, (build) => {
      build
        .initially()
        .when(Began)
        .then(({ event: { id } }) => ({ id }))
        .transitionTo('waiting');
      build.during('busy.in').when('both').ignore();
    });
    expect(analyzeSaga(stuck).faults.map(({ path }) => path)).toEqual([
      'waiting',
      'busy',
      'busy.in',
      'busy.out',
      'over',
      'failed',
    ]);
  });
});
