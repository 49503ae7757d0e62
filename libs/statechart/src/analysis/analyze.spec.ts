import { describe, expect, it } from 'vitest';
import { analyze, defineMachine } from '../index.js';

const machine = defineMachine({
  id: 'm',
  initial: 'a',
  on: { 'log.*': {} },
  states: {
    a: {
      on: {
        GO: [{ target: 'b' }, { target: 'c' }],
        MAYBE: [{ guard: 'isOpen', target: 'p' }, { target: 'stuck' }],
      },
    },
    b: {
      initial: 'x',
      states: { x: { always: ['y', { target: 'z' }] }, y: { type: 'final' }, z: {} },
      onDone: 'a',
    },
    c: { on: { GO: 'a' } },
    stuck: { on: { GO: { actions: 'ring' } } },
    lonely: { on: { GO: 'lonelier' } },
    lonelier: {},
    p: {
      type: 'parallel',
      on: { OUT: 'a' },
      states: {
        l: { initial: 'l1', states: { l1: { on: { OVER: '#m.p.r.r2' } } } },
        r: { initial: 'r1', states: { r1: {}, r2: {} } },
      },
    },
  },
});

describe('analyze', () => {
  const found = analyze(machine);

  it('finds states that nothing leads to', () => {
    expect(found.unreachable).toEqual(['m.lonely', 'm.lonelier']);
  });

  it('finds leaves without a way out, reachable ones only', () => {
    expect(found.deadEnds).toEqual(['m.stuck']);
  });

  it('finds transitions that are never asked, and what stands before them', () => {
    expect(found.shadowed).toEqual([
      { path: 'm.states.a.on.GO[1]', by: 'm.states.a.on.GO[0]' },
      { path: 'm.states.b.states.x.always[1]', by: 'm.states.b.states.x.always[0]' },
    ]);
  });

  it('finds transitions from one region into another', () => {
    expect(found.acrossRegions).toEqual(['m.states.p.states.l.states.l1.on.OVER']);
  });

  it('tabulates which leaf answers which event', () => {
    expect(found.matrix['m.a']).toEqual({
      'log.*': ['m.on.log.*'],
      GO: ['m.states.a.on.GO[0]', 'm.states.a.on.GO[1]'],
      MAYBE: ['m.states.a.on.MAYBE[0]', 'm.states.a.on.MAYBE[1]'],
    });
    expect(found.matrix['m.p.r.r1']).toEqual({ 'log.*': ['m.on.log.*'], OUT: ['m.states.p.on.OUT'] });
  });
});
