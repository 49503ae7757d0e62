import { describe, expect, it } from 'vitest';
import type { CensusLine } from '../ports/records.js';
import type { Build } from './build.js';
import { checkCensus } from './check-census.js';
import type { KnownSaga } from './known-saga.js';

const order: KnownSaga = {
  saga: 'order',
  version: 2,
  states: ['waiting', 'packing', 'packing.label', 'packing.box', 'done'],
  compensations: ['refund'],
  timers: ['schedule:reminder', 'xstate.after.1000.order.waiting'],
  migrates: new Map([[1, { asked: 'waiting' }]]),
};
const build = (more: Partial<Build> = {}): Build => ({
  sagas: [order],
  handlers: ['Payments.charge'],
  remotes: ['billing'],
  served: [],
  ...more,
});
const instances = (more: Partial<Extract<CensusLine, { kind: 'instances' }>> = {}): CensusLine => ({
  kind: 'instances',
  saga: 'order',
  definitionVersion: 2,
  state: 'waiting',
  status: 'running',
  count: 3,
  ...more,
});
const undo = (name: string, definitionVersion = 2): CensusLine => ({
  kind: 'undo',
  saga: 'order',
  definitionVersion,
  name,
  count: 2,
});
const timers = (name: string, saga = 'order'): CensusLine => ({ kind: 'timers', saga, name, count: 1 });
const work = (destination: string): CensusLine => ({ kind: 'work', destination, count: 4 });

function found(lines: readonly CensusLine[], of: Build = build()): readonly string[] {
  return checkCensus(lines, of).map(({ kind, name, count }) => `${kind} ${name} ${count}`);
}

describe('checkCensus', () => {
  it('finds nothing where the build has everything', () => {
    const lines = [
      instances(),
      instances({ state: 'packing.label|packing.box' }),
      instances({ definitionVersion: 1, state: 'asked' }),
      instances({ saga: '$schedule', definitionVersion: 1 }),
      undo('refund'),
      undo('refund', 1),
      timers('schedule:reminder'),
      timers('xstate.after.1000.order.waiting'),
      timers('xstate.after.1000.order.asked'),
      timers('due', '$schedule'),
      ...['saga:order', 'undo:order', 'activity:order', 'handler:Payments.charge', 'remote:billing'].map(
        work,
      ),
      work('presence'),
      work('reply:node-1'),
    ];
    expect(found(lines)).toEqual([]);
  });

  it.each<[what: string, line: CensusLine, finding: string]>([
    ['a saga', instances({ saga: 'parcel' }), 'unknown-saga parcel 3'],
    ['a version below', instances({ definitionVersion: 0 }), 'unknown-version version 0 3'],
    ['a version above', instances({ definitionVersion: 3 }), 'newer-version version 3 3'],
    ['a state', instances({ state: 'lost' }), 'unknown-state lost 3'],
    ['a region', instances({ state: 'packing.label|packing.tape' }), 'unknown-state packing.tape 3'],
    [
      'a state that no migration names',
      instances({ definitionVersion: 1, state: 'odd' }),
      'unknown-state odd 3',
    ],
    ['a compensation', undo('recall'), 'unknown-compensation recall 2'],
    [
      'a time-out that changed',
      timers('xstate.after.2000.order.waiting'),
      'unknown-timer xstate.after.2000.order.waiting 1',
    ],
    ['a schedule', timers('schedule:other'), 'unknown-timer schedule:other 1'],
    ['a handler', work('handler:Payments.refund'), 'unserved-destination handler:Payments.refund 4'],
    ['a way out', work('remote:shipping'), 'unserved-destination remote:shipping 4'],
    ['the messages of a saga', work('saga:parcel'), 'unserved-destination saga:parcel 4'],
  ])('finds %s that the build does not have', (_, line, finding) => {
    expect(found([line])).toEqual([finding]);
  });

  it('says of each what to do', () => {
    const [finding] = checkCensus([instances({ definitionVersion: 0 })], build());
    expect(finding?.message).toContain("3 instances of saga 'order' live under version 0");
    expect(finding?.message).toContain('migrate: { 0: { … } }');
  });

  it('adds up what lacks the same', () => {
    const lines = [
      instances({ saga: 'parcel' }),
      instances({ saga: 'parcel', state: 'done', status: 'held' }),
    ];
    expect(found(lines)).toEqual(['unknown-saga parcel 6']);
  });

  it('tells once of a version that is unknown, not of its undo steps and timers as well', () => {
    expect(found([instances({ definitionVersion: 0 }), undo('recall', 0)])).toEqual([
      'unknown-version version 0 3',
    ]);
  });

  it('takes what others serve as served', () => {
    expect(found([work('handler:Other.do')], build({ served: ['handler:Other.do'] }))).toEqual([]);
  });
});
