/** A literal config is checked by the compiler: what does not exist does not compile. Nothing here runs. */
import {
  and,
  assign,
  type ContextOf,
  defineMachine,
  initialTransition,
  type Machine,
  provide,
  transition,
} from '@nestjs-orchestrator/statechart';

const names = { actions: ['ring', 'paint'], guards: ['isOpen'], delays: { grace: 5_000 } } as const;

export const order = defineMachine(
  {
    id: 'order',
    initial: 'a',
    context: { count: 0, label: 'x' },
    states: {
      a: {
        entry: ['ring', { type: 'paint', params: { colour: 'red' } }, assign({ count: 1 })],
        after: { 100: 'b', grace: { target: 'b.x', guard: and(['isOpen']) } },
        on: {
          GO: 'b',
          DEEP: { target: 'b.x', actions: 'ring', guard: 'isOpen' },
          ABSOLUTE: '#order.b.x',
          BY_ID: [{ target: '#special', guard: { type: 'isOpen' } }, { target: ['#special'] }],
          FORBIDDEN: undefined,
        },
        always: { target: 'c', guard: ({ context }: { context: { count: number } }) => context.count > 3 },
      },
      b: {
        initial: 'x',
        on: { IN: '.y' },
        onDone: 'a',
        states: { x: { on: { DONE: 'y' } }, y: { type: 'final' } },
      },
      c: { id: 'special', invoke: { src: 'work', onDone: 'a', onError: { target: 'b', actions: ['ring'] } } },
    },
  },
  names,
);

defineMachine({
  id: 'o',
  initial: 'a',
  states: {
    a: {
      on: {
        // @ts-expect-error no sibling 'bb'
        SIBLING: 'bb',
        // @ts-expect-error no descendant 'zz' of b
        DOTTED: { target: 'b.zz' },
        // @ts-expect-error no child of a state without states
        CHILD: '.x',
        // @ts-expect-error no state with this id
        ID: '#nobody',
        // @ts-expect-error the id is there, what is below it is not
        BELOW: '#o.b.zz',
        // @ts-expect-error one of several targets
        SEVERAL: { target: ['b', 'bb'] },
        // @ts-expect-error in a list of alternatives
        LIST: [{ target: 'b' }, { target: 'bb' }],
        // @ts-expect-error no key of a transition
        KEY: { tartget: 'b' },
      },
      // @ts-expect-error no sibling 'bb'
      after: { 100: { target: 'bb' } },
      // @ts-expect-error no sibling 'bb'
      always: [{ target: 'bb' }],
      // @ts-expect-error no sibling 'bb'
      invoke: { src: 'work', onDone: 'bb' },
    },
    // @ts-expect-error no child 'zz'
    b: { initial: 'zz', states: { x: {} } },
    // @ts-expect-error no key of a state
    c: { onn: { GO: 'a' } },
  },
});

// @ts-expect-error no state 'zz'
defineMachine({ id: 'o', initial: 'zz', states: { a: {} } });

defineMachine(
  {
    id: 'o',
    initial: 'a',
    states: {
      a: {
        // @ts-expect-error no action 'rign'
        entry: 'rign',
        // @ts-expect-error no action 'rign', in a list
        exit: ['ring', { type: 'rign' }],
        on: {
          // @ts-expect-error no action 'rign', in a transition
          GO: { actions: ['rign'] },
          // @ts-expect-error no guard 'isOpne'
          STOP: { target: 'a', guard: 'isOpne' },
        },
        // @ts-expect-error no delay 'gracee'
        after: { gracee: 'a' },
      },
    },
  },
  names,
);

defineMachine(
  {
    id: 'o',
    initial: 'a',
    states: {
      // @ts-expect-error no event 'PYA' among those declared
      a: { on: { PAY: 'a', PYA: 'a' } },
    },
  },
  { events: ['PAY'] },
);

const { snapshot } = initialTransition(order);
transition(order, snapshot, { type: 'GO', anything: 1 });
transition(order, snapshot, { type: 'xstate.after.100.order.a' });
// @ts-expect-error no state answers 'G0'
transition(order, snapshot, { type: 'G0' });
snapshot.context.count.toFixed();
snapshot.context.label.toUpperCase();
// @ts-expect-error the context has no 'total'
snapshot.context.total;

const context: ContextOf<typeof order> = { count: 3, label: 'y' };
context.count.toFixed();

/** Imported JSON has no literal names: it compiles, and is checked at run time. */
declare const json: {
  id: string;
  initial: string;
  states: Record<string, { on?: Record<string, { target: string; actions?: string[] }>; entry?: string }>;
};
export const fromJson: Machine = provide(defineMachine(json, names), { guards: { isOpen: () => true } });
transition(fromJson, initialTransition(fromJson).snapshot, { type: 'ANY' });
