import { describe, expect, it } from 'vitest';
import {
  assign,
  can,
  defineMachine,
  dehydrate,
  deserialize,
  type EventObject,
  initialTransition,
  type Machine,
  provide,
  raise,
  rehydrate,
  serialize,
  type Snapshot,
  stateValue,
  transition,
} from './index.js';

const machine = defineMachine({
  id: 'order',
  version: '2',
  initial: 'a',
  context: { count: 0 },
  states: {
    a: {
      on: { GO: 'b', GUARDED: { target: 'b', guard: 'isOpen' }, THROWS: { target: 'b', guard: 'throws' } },
    },
    b: { after: { grace: 'a' }, on: { ASSIGN: { actions: 'spoil' } } },
  },
});
const bound = provide(machine, {
  guards: {
    throws: () => {
      throw new RangeError('out of range');
    },
  },
  actions: {
    spoil: assign(() => {
      throw new Error('spoilt');
    }),
  },
  delays: { grace: () => -1 },
});
const { snapshot: start } = initialTransition(bound);

const send = (event: unknown, from: Snapshot = start): unknown =>
  transition(bound as Machine, from, event as EventObject);

describe('an event', () => {
  it.each([[undefined], [null], ['GO'], [{}], [{ type: 7 }], [{ type: '' }], [{ type: '*' }]])(
    'that is %j is refused',
    (event) => {
      expect(() => send(event)).toThrow(
        expect.objectContaining({ code: 'STATECHART_INVALID_EVENT', machine: 'order' }) as Error,
      );
    },
  );

  it('named like something on a prototype is answered by nobody', () => {
    expect(transition(bound, start, { type: 'constructor' } as never).changed).toBe(false);
    expect(transition(bound, start, { type: '__proto__' } as never).changed).toBe(false);
  });
});

describe('a guard', () => {
  it('that nobody bound does not pass: it is an error that names its place', () => {
    expect(() => send({ type: 'GUARDED' })).toThrow(
      expect.objectContaining({
        code: 'STATECHART_UNBOUND_NAME',
        kind: 'guard',
        missing: 'isOpen',
        path: 'order.states.a.on.GUARDED.guard',
      }) as Error,
    );
    expect(() => can(bound, start, { type: 'GUARDED' })).toThrow(/isOpen/);
  });

  it('that throws is an error that names its place, and the snapshot stays valid', () => {
    const caught = (() => {
      try {
        return send({ type: 'THROWS' });
      } catch (error) {
        return error;
      }
    })();
    expect(caught).toMatchObject({
      code: 'STATECHART_GUARD',
      path: 'order.states.a.on.THROWS.guard',
      event: 'THROWS',
    });
    expect((caught as Error).cause).toBeInstanceOf(RangeError);
    expect(stateValue(bound, start)).toBe('a');
    expect(stateValue(provide(bound, { delays: { grace: 5 } }), start)).toBe('a');
  });

  it('that stands for itself is found out', () => {
    const circular = provide(machine, { guards: { isOpen: { type: 'other' }, other: { type: 'isOpen' } } });
    expect(() => transition(circular, initialTransition(circular).snapshot, { type: 'GUARDED' })).toThrow(
      /isOpen/,
    );
  });
});

describe('an expression', () => {
  it('of a delay that is no delay is an error', () => {
    expect(() => send({ type: 'GO' })).toThrow(
      expect.objectContaining({
        code: 'STATECHART_INVALID_DELAY',
        path: 'order.states.b.after.grace',
        found: '-1',
      }) as Error,
    );
  });

  it('of an assign that throws is an error, and the snapshot stays valid', () => {
    const patient = provide(bound, { delays: { grace: 5 } });
    const { snapshot } = transition(patient, start, { type: 'GO' });
    expect(() => transition(patient, snapshot, { type: 'ASSIGN' })).toThrow(
      expect.objectContaining({
        code: 'STATECHART_EXPRESSION',
        path: 'order.states.b.on.ASSIGN.actions[0]',
      }) as Error,
    );
    expect(snapshot.context).toEqual({ count: 0 });
  });
});

describe('a circle', () => {
  it.each([
    ['of eventless transitions', { a: { on: { GO: 'b' } }, b: { always: 'c' }, c: { always: 'b' } }],
    [
      'of raised events',
      {
        a: { on: { GO: 'b' } },
        b: { entry: raise({ type: 'R' }), on: { R: { target: 'b', reenter: true } } },
      },
    ],
  ])('%s ends in an error that says where', (_, states) => {
    const circle = defineMachine({ id: 'circle', initial: 'a', states });
    const { snapshot } = initialTransition(circle);
    expect(() => transition(circle, snapshot, { type: 'GO' })).toThrow(
      expect.objectContaining({
        code: 'STATECHART_MICROSTEP_LIMIT',
        limit: 1_000,
        states: [expect.stringMatching(/circle\.[bc]/) as string],
      }) as Error,
    );
    expect(stateValue(circle, snapshot)).toBe('a');
  });
});

describe('a snapshot', () => {
  it('of another machine is refused', () => {
    const other = defineMachine({ id: 'other', initial: 'a', states: { a: {} } });
    expect(() => send({ type: 'GO' }, initialTransition(other).snapshot)).toThrow(
      expect.objectContaining({ code: 'STATECHART_SNAPSHOT' }) as Error,
    );
    expect(() => deserialize(other, serialize(bound, start))).toThrow(/machine 'order'/);
  });

  it('of an older version is refused', () => {
    const older = { ...dehydrate(bound, start), version: '1' };
    expect(() => rehydrate(bound, older, {})).toThrow(/version '1' instead of '2'/);
  });

  it.each([
    ['an unknown state', { states: ['order.zz'] }],
    ['no state', { states: [] }],
    ['two states where one can be', { states: ['order.a', 'order.b'] }],
    ['a parent without a child', { states: ['order'] }],
    ['an unknown status', { status: 'asleep' }],
    ['no states at all', { states: undefined }],
  ])('with %s is refused', (_, change) => {
    const parts = { ...dehydrate(bound, start), ...change } as never;
    expect(() => rehydrate(bound, parts, {})).toThrow(
      expect.objectContaining({ code: 'STATECHART_SNAPSHOT' }) as Error,
    );
  });

  it.each([['not JSON'], ['null'], ['[]'], ['7']])('from the text %j is refused', (text) => {
    expect(() => deserialize(bound, text)).toThrow(
      expect.objectContaining({ code: 'STATECHART_SNAPSHOT' }) as Error,
    );
  });

  it('that is none is refused', () => {
    expect(() => send({ type: 'GO' }, { status: 'active' } as never)).toThrow(
      expect.objectContaining({ code: 'STATECHART_SNAPSHOT' }) as Error,
    );
  });

  it('whose context cannot be written is refused with the place', () => {
    const { snapshot } = initialTransition(
      defineMachine({ id: 'm', context: () => ({ list: [{ call: () => 1 }] }) }),
    );
    expect(() => serialize(defineMachine({ id: 'm' }), snapshot)).toThrow(/another definition/);
    const same = defineMachine({ id: 'm', context: () => ({ list: [{ call: () => 1 }] }) });
    expect(() => serialize(same, initialTransition(same).snapshot)).toThrow(
      /a function at context\.list\.0\.call/,
    );
  });

  it('comes back exactly, whatever data its context holds', () => {
    const context = {
      none: undefined,
      nan: NaN,
      minus: -0,
      far: -Infinity,
      big: 12n,
      at: new Date(5),
      map: new Map([[1, new Set(['x'])]]),
      nested: [undefined, { $statechart: 'mine' }],
    };
    const rich = defineMachine({ id: 'm', context: () => context });
    const { snapshot } = initialTransition(rich);
    expect(deserialize(rich, serialize(rich, snapshot))).toStrictEqual(snapshot);
  });

  it('takes a __proto__ of an event as data', () => {
    const careless = defineMachine({
      id: 'm',
      context: {},
      on: { PUT: { actions: assign(({ event }: { event: { data?: object } }) => event.data ?? {}) } },
    });
    const event = { type: 'PUT', data: JSON.parse('{"__proto__":{"polluted":true}}') as object } as const;
    const { snapshot } = transition(careless, initialTransition(careless).snapshot, event);
    expect((snapshot.context as { polluted?: unknown }).polluted).toBeUndefined();
    expect(Object.getPrototypeOf(snapshot.context)).toBe(Object.prototype);
  });
});
