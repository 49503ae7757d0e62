import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { message } from '../../message/message.js';
import { type } from '../../message/standard-schema.js';
import type { SagaBehaviour, TransitionSpec } from '../behaviour.js';
import { defineSaga } from '../define-saga.js';
import { SagaDefinitionError } from '../saga-errors.js';
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

describe('defineSaga', () => {
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

function faultsOf(define: () => unknown): readonly string[] {
  try {
    define();
    return [];
  } catch (error) {
    return (error as SagaDefinitionError).faults.map((fault) => fault.path);
  }
}
