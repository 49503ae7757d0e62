import { describe, expect, it } from 'vitest';
import { defineMachine, MachineDefinitionError } from '../index.js';
import type { DefinitionFault } from '../errors.js';

/** Faults of a config that no compiler saw. */
function faultsOf(config: unknown, declared: object = {}): readonly DefinitionFault[] {
  try {
    defineMachine(config as object, declared);
  } catch (error) {
    if (error instanceof MachineDefinitionError) return error.faults;
    throw error;
  }
  return [];
}

function pathsOf(config: unknown, declared: object = {}): readonly string[] {
  return faultsOf(config, declared).map(({ path }) => path);
}

const flat = (states: object, more: object = {}): object => ({ id: 'order', initial: 'a', states, ...more });

describe('a faulty config', () => {
  it('is refused with all its faults at once, each with path, value and what was expected', () => {
    const config = flat({
      a: {
        on: { SHIP: { target: 'shipped' }, GO: ['b', { target: '#nobody' }] },
        after: { '-5': 'b', 1.5: 'b' },
      },
      b: { initial: 'x', states: { y: {} }, entry: [5] },
    });
    expect(faultsOf(config)).toEqual([
      {
        path: 'order.states.b.entry[0]',
        found: '5',
        expected: expect.stringContaining('an action') as string,
      },
      {
        path: 'order.states.a.on.SHIP.target',
        found: "'shipped'",
        expected: expect.stringContaining('siblings are a, b') as string,
      },
      {
        path: 'order.states.a.on.GO[1].target',
        found: "'#nobody'",
        expected: expect.stringContaining('#id') as string,
      },
      {
        path: 'order.states.a.after.-5',
        found: "'-5'",
        expected: expect.stringContaining('milliseconds') as string,
      },
      {
        path: 'order.states.b.initial',
        found: "'x'",
        expected: expect.stringContaining('siblings are y') as string,
      },
    ]);
  });

  it('says so in one message with a stable code', () => {
    expect(() => defineMachine(flat({ a: { on: { GO: 'zz' } } }) as { id: string })).toThrow(
      expect.objectContaining({
        name: 'MachineDefinitionError',
        code: 'STATECHART_DEFINITION',
        retryable: false,
        machine: 'order',
        message: expect.stringContaining("order.states.a.on.GO: found 'zz'") as string,
      }) as Error,
    );
  });

  it.each([
    ['no object', 42, ['(machine)']],
    ['no initial state', { id: 'order', states: { a: {} } }, ['order.initial']],
    ['an empty map of states', flat({ a: { states: {} } }), ['order.states.a.states']],
    ['a parallel state without regions', { id: 'order', type: 'parallel' }, ['order.states']],
    ['a state that is no object', flat({ a: {}, b: 7 }), ['order.states.b']],
    ['a number for an id', flat({ a: { id: 7 } }), ['order.states.a.id']],
    ['a number for a target', flat({ a: { on: { GO: { target: 7 } } } }), ['order.states.a.on.GO.target']],
    ['a number for an actor', flat({ a: { invoke: { src: 7 } } }), ['order.states.a.invoke.src']],
    ['the same id twice', flat({ a: { id: 'x' }, b: { id: 'x' } }), ['order.states.b.id']],
    ['an unknown type', flat({ a: { type: 'orthogonal' } }), ['order.states.a.type']],
    ['states in a final state', flat({ a: { type: 'final', states: { x: {} } } }), ['order.states.a.type']],
    ['an initial without states', flat({ a: { initial: 'x' } }), ['order.states.a.initial']],
    [
      'an initial state outside',
      flat({ a: { initial: '#order.b', states: { x: {} } }, b: {} }),
      ['order.states.a.initial'],
    ],
    ['a delay that is no number', flat({ a: { after: { NaN: 'a' } } }), ['order.states.a.after.NaN']],
    ['an endless delay', flat({ a: { after: { Infinity: 'a' } } }), ['order.states.a.after.Infinity']],
    ['a star inside an event', flat({ a: { on: { 'a.*.b': 'a' } } }), ['order.states.a.on.a.*.b']],
    [
      'a misspelt key of a transition',
      flat({ a: { on: { GO: { gaurd: 'x' } } } }),
      ['order.states.a.on.GO.gaurd'],
    ],
    ['a misspelt key of a state', flat({ a: { onn: {} } }), ['order.states.a.onn']],
    ['a sibling target of the root', flat({ a: {} }, { on: { GO: 'a' } }), ['order.on.GO']],
    [
      'two targets in one region',
      flat({ a: { on: { GO: { target: ['b', 'c'] } } }, b: {}, c: {} }),
      ['order.states.a.on.GO.target'],
    ],
  ])('with %s', (_, config, paths) => {
    expect(pathsOf(config)).toEqual(paths);
  });

  it('that contains itself is refused, not followed', () => {
    const state: Record<string, unknown> = { initial: 'b' };
    state['states'] = { b: state };
    expect(pathsOf(flat({ a: state }))).toContain('order.states.a.states.b');
  });

  it('that is 10 000 levels deep is refused, not followed', () => {
    let state: object = {};
    for (let level = 0; level < 10_000; level++) state = { initial: 's', states: { s: state } };
    expect(faultsOf({ id: 'order', ...state })[0]).toMatchObject({
      expected: 'at most 256 levels of states',
    });
  });

  it('with __proto__ for a name touches no prototype', () => {
    const config = JSON.parse(
      '{"id":"order","initial":"a","states":{"a":{"on":{"__proto__":"a"}},"__proto__":{"polluted":true}}}',
    ) as unknown;
    expect(pathsOf(config)).toEqual(['order.states.__proto__', 'order.states.a.on.__proto__']);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('uses names of prototypes as names', () => {
    expect(pathsOf(flat({ a: { on: { constructor: 'toString' } }, toString: {} }))).toEqual([]);
    expect(pathsOf(flat({ a: { on: { GO: 'hasOwnProperty' } } }))).toEqual(['order.states.a.on.GO']);
  });

  it('is held against the names that were declared', () => {
    const config = flat({
      a: {
        entry: ['ring', 'rign'],
        after: { grace: 'a', gracee: 'a' },
        on: { PAY: { guard: 'isOpne' }, PYA: 'a' },
      },
    });
    const declared = { actions: ['ring'], guards: ['isOpen'], delays: ['grace'], events: ['PAY'] };
    expect(pathsOf(config, declared)).toEqual([
      'order.states.a.entry[1]',
      'order.states.a.on.PAY.guard',
      'order.states.a.after.gracee',
      'order.states.a.on.PYA',
    ]);
  });
});
