import { describe, expect, it } from 'vitest';
import * as xstate from 'xstate';
import {
  actionOf,
  cancel,
  defineMachine,
  type Effect,
  emit,
  enqueueActions,
  initialTransition,
  log,
  type Machine,
  matches,
  nextEvents,
  raise,
  sendParent,
  sendTo,
  spawnChild,
  stateValue,
  stopChild,
  transition,
} from './index.js';

const go = { type: 'GO' } as const;

/** Effects of the first step and of one event. */
function effectsOf(machine: Machine): readonly Effect[] {
  const first = initialTransition(machine);
  return [...first.effects, ...transition(machine, first.snapshot, go).effects];
}

describe("XState's machine objects", () => {
  const ring = (): void => undefined;
  const theirs = xstate
    .setup({
      types: { context: {} as { count: number } },
      actions: { add: xstate.assign({ count: ({ context }) => context.count + 1 }), ring },
      guards: { isSmall: ({ context }) => context.count < 5 },
      actors: { work: xstate.fromPromise(async () => Promise.resolve(1)) },
      delays: { grace: 70 },
    })
    .createMachine({
      id: 'door',
      initial: 'open',
      context: { count: 0 },
      states: {
        open: {
          entry: [
            'add',
            'ring',
            xstate.raise({ type: 'GO' }, { delay: 5, id: 'later' }),
            xstate.emit({ type: 'told' }),
          ],
          on: {
            GO: {
              target: 'shut',
              guard: xstate.and(['isSmall', xstate.not(xstate.stateIn('shut'))]),
              actions: () => undefined,
            },
          },
        },
        shut: {
          after: { grace: 'open' },
          invoke: { src: 'work', id: 'job', input: { a: 1 } },
          exit: xstate.cancel('later'),
        },
      },
    });
  const machine = defineMachine(theirs) as Machine;

  it('are read with their implementations, built-in actions and guards included', () => {
    const { snapshot, effects } = initialTransition(machine);
    expect(snapshot.context).toEqual({ count: 1 });
    expect(effects).toEqual([
      { type: 'action', name: 'ring', params: undefined },
      { type: 'raise', event: { type: 'GO' }, id: 'later', delay: 5 },
      { type: 'emit', event: { type: 'told' } },
    ]);
    expect(actionOf(machine, 'ring')).toBe(ring);
    const step = transition(machine, snapshot, go);
    expect(step.effects).toEqual([
      { type: 'action', name: 'door.states.open.on.GO.actions[0]', params: undefined },
      {
        type: 'after',
        id: 'xstate.after.grace.door.shut',
        node: 'door.shut',
        epoch: 1,
        delay: 70,
        event: { type: 'xstate.after.grace.door.shut' },
      },
      { type: 'invoke', id: 'job', src: 'work', input: { a: 1 }, node: 'door.shut', epoch: 1 },
    ]);
    const outcome = transition(machine, step.snapshot, { type: 'xstate.after.grace.door.shut' });
    expect(outcome.effects.slice(0, 3)).toEqual([
      { type: 'cancel', id: 'later' },
      { type: 'cancel', id: 'xstate.after.grace.door.shut' },
      { type: 'stop', id: 'job', node: 'door.shut', epoch: 1 },
    ]);
  });
});

describe("XStateNet's spellings", () => {
  const machine = defineMachine(
    {
      id: 'm',
      initial: 'a',
      context: { open: true },
      states: {
        a: {
          onEntry: 'hello',
          activities: ['poll'],
          on: {
            GO: [
              { target: 'b', cond: 'isShut' },
              { target: 'c', cond: 'isOpen', in: '#m.a', actions: ['walk'] },
            ],
            SELF: { target: 'a', internal: false },
          },
        },
        b: {},
        c: { type: 'final', data: { all: 'well' } },
      },
    },
    {
      guards: {
        isOpen: ({ context }: { context: { open: boolean } }) => context.open,
        isShut: ({ context }: { context: { open: boolean } }) => !context.open,
      },
    },
  ) as Machine;

  it('mean what they mean', () => {
    const { snapshot, effects } = initialTransition(machine);
    expect(effects).toEqual([
      { type: 'action', name: 'hello', params: undefined },
      { type: 'invoke', id: '0.m.a', src: 'poll', input: undefined, node: 'm.a', epoch: 1 },
    ]);
    const again = transition(machine, snapshot, { type: 'SELF' });
    expect(again.snapshot.epochs).toEqual([2]);
    const step = transition(machine, snapshot, go);
    expect(stateValue(machine, step.snapshot)).toBe('c');
    expect(step.snapshot.status).toBe('done');
  });
});

describe('actions for actors', () => {
  it('come out as effects, with ids of their own', () => {
    const machine = defineMachine({
      id: 'm',
      context: { n: 1 },
      entry: [
        spawnChild('worker', { id: 'w', input: ({ context }: { context: { n: number } }) => context.n }),
        sendTo('w', { type: 'START' }, { delay: 10, id: 's' }),
        sendParent({ type: 'UP' }),
      ],
      on: {
        GO: {
          actions: [
            stopChild('w'),
            enqueueActions(({ enqueue }) => enqueue({ type: 'ring', params: { loud: true } })),
          ],
        },
      },
    }) as Machine;
    expect(effectsOf(machine)).toEqual([
      { type: 'spawn', id: 'w', src: 'worker', input: 1, systemId: undefined },
      { type: 'send', to: 'w', event: { type: 'START' }, id: 's', delay: 10 },
      { type: 'send', to: '#_parent', event: { type: 'UP' }, id: undefined, delay: undefined },
      { type: 'stopChild', id: 'w' },
      { type: 'action', name: 'ring', params: { loud: true } },
    ]);
  });

  it('a line, an emitted event, a delayed event and its withdrawal come out as effects', () => {
    const machine = defineMachine({
      id: 'm',
      entry: [
        log('begun', 'm'),
        emit({ type: 'BEGUN' }),
        raise({ type: 'LATER' }, { delay: 10, id: 'r' }),
        cancel('r'),
      ],
    }) as Machine;
    expect(initialTransition(machine).effects).toMatchObject([
      { type: 'log' },
      { type: 'emit', event: { type: 'BEGUN' } },
      { type: 'raise', id: 'r', event: { type: 'LATER' }, delay: 10 },
      { type: 'cancel', id: 'r' },
    ]);
  });

  it('a function enqueued at run time is found by its effect', () => {
    const act = (): string => 'acted';
    const machine = defineMachine({
      id: 'm',
      entry: enqueueActions(({ enqueue }) => enqueue(act)),
    }) as Machine;
    const [effect] = initialTransition(machine).effects;
    expect(JSON.stringify(effect)).toBe('{"type":"action","name":"m.entry[0].enqueue[0]"}');
    expect(actionOf(machine, effect as Extract<Effect, { type: 'action' }>)).toBe(act);
  });
});

describe('an invocation whose error nobody answers', () => {
  it('is the machine’s own', () => {
    const machine = defineMachine({
      id: 'm',
      invoke: { src: 'work', id: 'job' },
      after: { 10: {} },
    }) as Machine;
    const { snapshot } = initialTransition(machine);
    const step = transition(machine, snapshot, { type: 'xstate.error.actor.job', error: 'boom' });
    expect(step.snapshot).toMatchObject({ status: 'error', error: 'boom' });
    expect(step.effects.map(({ type }) => type)).toEqual(['cancel', 'stop']);
    expect(transition(machine, step.snapshot, go).changed).toBe(false);
  });
});

describe('a deep initial', () => {
  it('enters several regions at once', () => {
    const machine = defineMachine({
      id: 'm',
      initial: ['p.l.l2', 'p.r.r2'],
      states: {
        p: {
          type: 'parallel',
          on: { GO: { actions: 'ring' }, NEVER: undefined },
          states: {
            l: { initial: 'l1', states: { l1: {}, l2: {} } },
            r: { initial: 'r1', states: { r1: {}, r2: {} } },
          },
        },
      },
    }) as Machine;
    const { snapshot } = initialTransition(machine);
    expect(stateValue(machine, snapshot)).toEqual({ p: { l: 'l2', r: 'r2' } });
    expect(matches(snapshot, 'p.l.l2')).toBe(true);
    expect(matches(snapshot, { p: { l: 'l1' } })).toBe(false);
    expect(nextEvents(machine, snapshot)).toEqual(['GO']);
  });
});
