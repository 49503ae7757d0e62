import { describe, expect, it } from 'vitest';
import {
  assign,
  defineMachine,
  dehydrate,
  deserialize,
  initialMicrostep,
  initialTransition,
  isCurrent,
  microstep,
  raise,
  serialize,
  stateValue,
  transition,
  watchCalls,
  withContext,
} from './index.js';

const order = defineMachine({
  id: 'order',
  initial: 'open',
  context: { paid: 0 },
  states: {
    open: {
      entry: 'greet',
      after: { 1000: 'late' },
      on: {
        PAY: {
          target: 'paid',
          actions: [assign({ paid: ({ event }: { event: { amount: number } }) => event.amount }), 'receipt'],
        },
        NOTE: { actions: 'note' },
        AGAIN: { target: 'open', reenter: true },
      },
    },
    paid: {
      entry: raise({ type: 'CHECK' }),
      on: {
        CHECK: [{ guard: ({ context }: { context: { paid: number } }) => context.paid > 5, target: 'done' }],
      },
    },
    late: {},
    done: { type: 'final' },
  },
});

describe('transition', () => {
  it('enters the initial state and arms its timer', () => {
    const { snapshot, effects } = initialTransition(order);
    expect(stateValue(order, snapshot)).toBe('open');
    expect(effects).toEqual([
      { type: 'action', name: 'greet', params: undefined },
      {
        type: 'after',
        id: 'xstate.after.1000.order.open',
        node: 'order.open',
        epoch: 1,
        delay: 1000,
        event: { type: 'xstate.after.1000.order.open' },
      },
    ]);
  });

  it('runs assigns and raised events to completion and hands actions out', () => {
    const start = initialTransition(order).snapshot;
    const { snapshot, effects, changed } = transition(order, start, { type: 'PAY', amount: 10 });
    expect(changed).toBe(true);
    expect(snapshot).toMatchObject({ status: 'done', context: { paid: 10 } });
    expect(effects).toEqual([
      { type: 'cancel', id: 'xstate.after.1000.order.open' },
      { type: 'action', name: 'receipt', params: undefined },
    ]);
    expect(start.context).toEqual({ paid: 0 });
  });

  it('says that an event nobody answers changed nothing', () => {
    const start = initialTransition(order).snapshot;
    const step = transition(order, start, { type: 'xstate.nope' });
    expect(step.changed).toBe(false);
    expect(step.snapshot).toBe(start);
  });

  it('keeps the epoch on a targetless transition and renews it on reenter', () => {
    const start = initialTransition(order).snapshot;
    const noted = transition(order, start, { type: 'NOTE' }).snapshot;
    expect(isCurrent(order, noted, { node: 'order.open', epoch: 1 })).toBe(true);
    const again = transition(order, noted, { type: 'AGAIN' }).snapshot;
    expect(isCurrent(order, again, { node: 'order.open', epoch: 1 })).toBe(false);
    expect(isCurrent(order, again, { node: 'order.open', epoch: 2 })).toBe(true);
  });

  it('is the loop over microstep', () => {
    let step = initialMicrostep(order);
    while ((step = microstep(order, step.snapshot, null)).changed);
    step = microstep(order, step.snapshot, { type: 'PAY', amount: 6 });
    expect(stateValue(order, step.snapshot)).toBe('paid');
    step = microstep(order, step.snapshot, null);
    expect(stateValue(order, step.snapshot)).toBe('done');
    expect(microstep(order, step.snapshot, null).changed).toBe(false);
  });

  it('looks at raised events with a context replaced between two microsteps', () => {
    const start = initialTransition(order).snapshot;
    const paid = microstep(order, start, { type: 'PAY', amount: 1 }).snapshot;
    const step = microstep(order, withContext(paid, { paid: 100 }), null);
    expect(stateValue(order, step.snapshot)).toBe('done');
  });

  it('takes an event between microsteps while raised ones wait', () => {
    const start = initialTransition(order).snapshot;
    const paid = microstep(order, start, { type: 'PAY', amount: 1 }).snapshot;
    const step = microstep(order, paid, { type: 'xstate.nope' });
    expect(step.changed).toBe(false);
    expect(step.snapshot.pending?.queue).toEqual([{ type: 'CHECK' }]);
  });

  it('survives serialisation', () => {
    const { snapshot } = transition(order, initialTransition(order).snapshot, { type: 'AGAIN' });
    expect(deserialize(order, serialize(order, snapshot))).toEqual(snapshot);
  });

  it('is written as what it is taken apart into, wherever it is', () => {
    const machine = defineMachine({
      id: 'writer',
      version: '2',
      initial: 'plain',
      context: { at: 1 },
      states: {
        plain: { on: { TIME: 'timed', HISTORY: 'deep', END: 'over' } },
        timed: { after: { 1_000: 'plain' } },
        deep: {
          initial: 'one',
          states: { one: { on: { TWO: 'two' } }, two: {}, back: { type: 'history' } },
          on: { OUT: 'plain' },
        },
        over: { type: 'final' },
      },
    });
    const walks = [[], ['TIME'], ['HISTORY'], ['HISTORY', 'TWO'], ['HISTORY', 'TWO', 'OUT'], ['END']];
    for (const walk of walks) {
      let { snapshot } = initialTransition(machine);
      for (const type of walk) ({ snapshot } = transition(machine, snapshot, { type } as never));
      for (const context of [{ at: 1 }, { at: new Date(0) }, undefined]) {
        const there = withContext(snapshot, context as never);
        const text = serialize(machine, there);
        expect(JSON.parse(text)).toMatchObject(dehydrate(machine, there));
        expect(Object.keys(JSON.parse(text) as object)).toEqual([
          ...Object.keys(dehydrate(machine, there)),
          'context',
        ]);
        expect(deserialize(machine, text)).toEqual(there);
      }
    }
  });
});

describe('watchCalls', () => {
  const start = initialTransition(order).snapshot;
  const pay = (amount: number) => transition(order, start, { type: 'PAY', amount });

  it('tells of each function that a transition calls, after it, by its name or path', () => {
    const calls: string[] = [];
    const step = watchCalls(
      order,
      (kind, name) => calls.push(`${kind} ${name}`),
      () => pay(9),
    );
    expect(stateValue(order, step.snapshot)).toBe('done');
    expect(calls).toEqual([
      'expression order.states.open.on.PAY.actions[0].paid',
      'guard order.states.paid.on.CHECK[0].guard',
    ]);
  });

  it('tells of functions that throw, of nothing when the work is over, and gives back to whoever watched before', () => {
    const calls: string[] = [];
    const machine = defineMachine(
      { id: 'm', initial: 'a', states: { a: { on: { GO: { target: 'a', guard: 'isFine' } } } } },
      {
        guards: {
          isFine: () => {
            throw new Error('no');
          },
        },
      },
    );
    const { snapshot } = initialTransition(machine);
    const go = () => transition(machine, snapshot, { type: 'GO' });
    const watch = (who: string) => (_kind: string, name: string) => void calls.push(`${who} ${name}`);
    const inner = () => expect(() => watchCalls(machine, watch('inner'), go)).toThrow('no');
    expect(() =>
      watchCalls(machine, watch('outer'), () => {
        inner();
        go();
      }),
    ).toThrow('no');
    expect(go).toThrow('no');
    expect(calls).toEqual(['inner isFine', 'outer isFine']);
  });
});

describe('a step in which nothing is computed', () => {
  const flat = defineMachine({
    id: 'flat',
    initial: 'a',
    states: { a: { on: { NEXT: 'b' } }, b: { on: { NEXT: 'a', STAY: {} } } },
  });

  it('is one object for all instances that share their context, so that it leaves nothing to collect', () => {
    const starts = [1, 2, 3].map(() => initialTransition(flat).snapshot);
    // The first one works out what the event does.
    const [, step, again] = starts.map((snapshot) => transition(flat, snapshot, { type: 'NEXT' }));
    expect(again === step).toBe(true);
    expect(Object.isFrozen(step)).toBe(true);
    expect(step).toMatchObject({ changed: true, effects: [], snapshot: { context: {}, status: 'active' } });
    expect(step && stateValue(flat, step.snapshot)).toBe('b');
  });

  it('keeps the context of an instance that has its own, and of one that was restored', () => {
    const own = defineMachine({
      ...flat.config,
      context: ({ input }: { input: unknown }) => ({ input }),
    });
    const steps = [1, 2].map((input) => {
      const { snapshot } = initialTransition(own, input);
      return transition(own, snapshot, { type: 'NEXT' }).snapshot.context;
    });
    expect(steps).toEqual([{ input: 1 }, { input: 2 }]);
    const changed = withContext(initialTransition(flat).snapshot, { more: 1 });
    expect(transition(flat, changed, { type: 'NEXT' }).snapshot.context).toEqual({ more: 1 });
    const restored = deserialize(flat, serialize(flat, changed));
    expect(transition(flat, restored, { type: 'NEXT' }).snapshot.context).toEqual({ more: 1 });
  });
});
