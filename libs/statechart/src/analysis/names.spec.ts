import { describe, expect, it } from 'vitest';
import { enqueueActions, raise, spawnChild } from '../actions/creators.js';
import { not } from '../guards/creators.js';
import { defineMachine, provide } from '../machine.js';
import { namesIn } from './names.js';

const config = {
  id: 'm',
  initial: 'a',
  states: {
    a: {
      entry: ['ring', 'later', () => {}],
      exit: [spawnChild('poll'), enqueueActions(() => {})],
      after: { grace: 'b', 100: 'b' },
      on: { GO: { target: 'b', guard: not('isFree'), actions: 'ring' } },
    },
    b: { invoke: { src: 'work' } },
  },
};

describe('namesIn', () => {
  it('lists each name once with its first place, and says what is bound', () => {
    const machine = defineMachine(config as object, {
      actions: { later: raise({ type: 'GO' }, { delay: 'soon' }) },
    });
    expect(namesIn(machine)).toEqual([
      { kind: 'action', name: 'ring', path: 'm.states.a.entry[0]', bound: false },
      { kind: 'action', name: 'later', path: 'm.states.a.entry[1]', bound: true },
      { kind: 'delay', name: 'soon', path: 'm.states.a.entry[1].delay', bound: false },
      { kind: 'actor', name: 'poll', path: 'm.states.a.exit[0].src', bound: false },
      {
        kind: 'guard',
        name: 'isFree',
        path: expect.stringContaining('m.states.a.on.GO.guard') as string,
        bound: false,
      },
      { kind: 'delay', name: 'grace', path: 'm.states.a.after.grace', bound: false },
      { kind: 'actor', name: 'work', path: 'm.states.b.invoke.src', bound: false },
    ]);
  });

  it('sees what is provided later, and takes a name bound to undefined for unbound', () => {
    const machine = provide(defineMachine(config as object), {
      actions: { ring() {}, later: undefined },
      guards: { isFree: () => true },
      delays: { grace: 5 },
      actors: { work: () => {}, poll: () => {} },
    });
    expect(namesIn(machine).filter(({ bound }) => !bound)).toEqual([
      { kind: 'action', name: 'later', path: 'm.states.a.entry[1]', bound: false },
    ]);
  });

  it('ends where names stand for each other', () => {
    const machine = defineMachine({ id: 'm', entry: 'x' }, { actions: { x: 'y', y: 'x' } });
    expect(namesIn(machine).map(({ name }) => name)).toEqual(['x', 'y']);
  });
});
