import { describe, expect, it } from 'vitest';
import { defineMachine, initialTransition, type Machine, stateValue, transition } from '../index.js';

describe('the plans of a machine', () => {
  const machine = defineMachine({
    id: 'm',
    initial: 'a',
    states: { a: { on: { 'go.*': 'b', '*': {} } }, b: { on: { 'go.*': 'a' } } },
  }) as Machine;

  it('stay right when there are more event types than are remembered', () => {
    let { snapshot } = initialTransition(machine);
    for (let at = 0; at < 45_000; at++) ({ snapshot } = transition(machine, snapshot, { type: `go.${at}` }));
    expect(stateValue(machine, snapshot)).toBe('a');
    expect(transition(machine, snapshot, { type: 'other' }).snapshot).toBe(snapshot);
    expect(stateValue(machine, transition(machine, snapshot, { type: 'go.7' }).snapshot)).toBe('b');
  });

  it('stay right for a snapshot that was taken before they were forgotten', () => {
    const size = 12_000;
    const states = Object.fromEntries(
      Array.from({ length: size }, (_, at) => [`s${at}`, { on: { NEXT: `s${(at + 1) % size}` } }]),
    );
    const ring = defineMachine({ id: 'ring', initial: 's0', states }) as Machine;
    const first = initialTransition(ring).snapshot;
    let snapshot = first;
    for (let at = 0; at < size; at++) ({ snapshot } = transition(ring, snapshot, { type: 'NEXT' }));
    expect(stateValue(ring, snapshot)).toBe('s0');
    expect(stateValue(ring, transition(ring, first, { type: 'NEXT' }).snapshot)).toBe('s1');
  });

  it('are the same for the same inputs, effects included', () => {
    const { snapshot } = initialTransition(machine);
    const twice = [1, 2].map(() => transition(machine, snapshot, { type: 'go.on' }));
    expect(twice[0]).toEqual(twice[1]);
    expect(twice[0]?.snapshot.configuration).toBe(twice[1]?.snapshot.configuration);
  });
});
