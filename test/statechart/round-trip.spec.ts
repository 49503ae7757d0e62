import {
  defineMachine,
  fromScxml,
  initialTransition,
  type Machine,
  type Snapshot,
  stateValue,
  type Step,
  toMermaid,
  toScxml,
  toXStateJson,
  transition,
} from '@nestjs-orchestrator/statechart';
import { describe, expect, it } from 'vitest';
import { createMachine } from 'xstate';
import type { GenCase, GenState } from './fuzz/config.js';
import { oursOf } from './fuzz/engines.js';
import { generateCase } from './fuzz/generate.js';
import { Random } from './fuzz/random.js';
import { ecmascript } from './scxml/data-model.js';

/** What happens, event by event: where the machine is, and what it hands out. */
function story(
  machine: Machine,
  events: GenCase['events'],
  tell: (step: Step) => unknown,
): readonly unknown[] {
  let snapshot: Snapshot | null = null;
  return [null, ...events].map((event) => {
    try {
      const step: Step =
        event === null || snapshot === null
          ? initialTransition(machine)
          : transition(machine, snapshot, event);
      ({ snapshot } = step);
      return tell(step);
    } catch (error) {
      return (error as { code?: string }).code;
    }
  });
}

/**
 * A generated machine without what a document cannot hold or reads otherwise: functions, guards, event names with dots (which are
 * prefixes there), and eventless transitions (which, without their guards, only go round).
 */
function textual(config: GenState): GenState {
  const dropped = new Set(['input', 'output', 'guard', 'always']);
  const text = JSON.stringify(config, (key, value: unknown) => (dropped.has(key) ? undefined : value));
  const plain = [...NAMES].reduce((json, [from, to]) => json.replaceAll(`"${from}"`, `"${to}"`), text);
  return JSON.parse(plain) as GenState;
}

const NAMES = new Map([
  ['computed', '30'],
  ['short', '3'],
  ['a.b', 'D'],
  ['a.b.c', 'E'],
  ['a.c', 'F'],
]);

function plainEvents(events: GenCase['events']): GenCase['events'] {
  return events
    .map((event) => ({ ...event, type: NAMES.get(event.type) ?? event.type }))
    .filter(({ type }) => !type.includes('.'));
}

const seeds = Array.from({ length: 150 }, (_, index) => 90_000 + index);

describe('toXStateJson', () => {
  it('is JSON, and read back it is the same machine', () => {
    for (const seed of seeds) {
      const { config, events } = generateCase(new Random(seed), 30);
      const machine = oursOf(config);
      const json = JSON.parse(JSON.stringify(toXStateJson(machine))) as object;
      const again = defineMachine(json, machine.implementations) as Machine;
      // Inputs that are functions have no JSON.
      const tell =
        (of: Machine) =>
        (step: Step): unknown => [
          stateValue(of, step.snapshot),
          step.snapshot.context,
          step.effects.map((effect) => ({ ...effect, input: null })),
        ];
      expect({ seed, told: story(again, events, tell(again)) }).toEqual({
        seed,
        told: story(machine, events, tell(machine)),
      });
    }
  });

  it('is a config that XState takes', () => {
    const machine = defineMachine({
      id: 'order',
      initial: 'a',
      states: {
        a: { entry: 'ring', on: { GO: { target: 'b', guard: 'isOpen' } }, after: { 100: 'b' } },
        b: {
          initial: 'x',
          onDone: 'a',
          states: { x: { always: 'y' }, y: { type: 'final' }, h: { type: 'history' } },
        },
      },
    });
    const theirs = createMachine(toXStateJson(machine) as never);
    expect(theirs.root.states).toHaveProperty('b');
    expect(toXStateJson(defineMachine(theirs as object) as Machine)).toEqual(toXStateJson(machine));
  });
});

describe('toScxml', () => {
  it('is a document, and read back it goes the same way under SCXML rules', () => {
    for (const seed of seeds) {
      const { config, events } = generateCase(new Random(seed), 30);
      // Under SCXML a parallel root of a document stands in <scxml>, which a transition between its regions then counts as leaving it.
      if (config.type === 'parallel') continue;
      const machine = defineMachine({
        ...textual(config),
        options: { semantics: 'scxml' },
      }) as unknown as Machine;
      const document = toScxml(machine);
      const dataModel = { ...ecmascript(), execute: () => undefined };
      const again = defineMachine(fromScxml(document, { dataModel })) as Machine;
      const where = ({ snapshot }: Step): unknown =>
        snapshot.status === 'active' ? snapshot.configuration.toJSON() : snapshot.status;
      // A root with transitions of its own is a state of the document, which ends a microstep after it: the end itself is left out.
      const told = story(machine, plainEvents(events), where);
      const length = told.includes('done') ? told.indexOf('done') : told.length;
      const retold = story(again, plainEvents(events), where);
      expect({ seed, told: retold.slice(0, length) }).toEqual({ seed, told: told.slice(0, length) });
    }
  });
});

describe('toMermaid', () => {
  it('names every state once and draws every transition', () => {
    for (const seed of seeds) {
      const { config } = generateCase(new Random(seed), 0);
      const text = toMermaid(oursOf(config));
      const names = [...text.matchAll(/^ *state ".*" as (\w+)/gm)].map(([, name]) => name);
      expect(new Set(names).size).toBe(statesIn(config) - 1);
      const root = 'm_0';
      const ends = [...text.matchAll(/^ *(\w+) --> (\w+)/gm)].flatMap(([, from, to]) => [from, to]);
      expect(ends.filter((end) => end !== root && !names.includes(end))).toEqual([]);
      expect(depthAtEnd(text)).toBe(0);
    }
  });

  it('reads as one would draw it', () => {
    const machine = defineMachine({
      id: 'door',
      initial: 'open',
      states: {
        open: { on: { CLOSE: { target: 'closed', guard: 'isFree', actions: ['ring'] } } },
        closed: {
          initial: 'unlocked',
          after: { 500: 'open' },
          states: { unlocked: { on: { LOCK: 'locked' } }, locked: { type: 'final' } },
        },
      },
    });
    expect(toMermaid(machine)).toBe(`stateDiagram-v2
  [*] --> open_1
  state "open" as open_1
  state "closed" as closed_2 {
    [*] --> unlocked_3
    state "unlocked" as unlocked_3
    state "locked" as locked_4
    locked_4 --> [*]
    unlocked_3 --> locked_4 : LOCK
  }
  open_1 --> closed_2 : CLOSE [isFree] / ring
  closed_2 --> open_1 : after 500 ms
`);
  });
});

function depthAtEnd(text: string): number {
  return [...text.matchAll(/[{}]$/gm)].reduce((depth, [brace]) => depth + (brace === '{' ? 1 : -1), 0);
}

function statesIn({ states = {} }: GenState): number {
  return 1 + Object.values(states).reduce((count, state) => count + statesIn(state), 0);
}
