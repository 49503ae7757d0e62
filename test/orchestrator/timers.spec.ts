import { assign, cancel, defineMachine, matches, raise } from '@nestjs-orchestrator/statechart';
import { describe, expect, it } from 'vitest';
import { gate, timedGroup } from './support.js';

const noteEvents = {
  note: assign<{ notes: readonly string[] }>(({ context, event }) => ({
    notes: [...context.notes, event.type],
  })),
};
const notes = (ref: { snapshot(): { context: unknown } }): readonly string[] =>
  (ref.snapshot().context as { notes: readonly string[] }).notes;

describe('timers', () => {
  const door = defineMachine({
    id: 'door',
    initial: 'shut',
    states: {
      shut: { on: { OPEN: 'open' } },
      open: {
        after: { 5000: 'shut', long: 'shut' },
        on: { PUSH: { target: 'open', reenter: true }, SHUT: 'shut' },
      },
    },
  });

  it('of a state fire after their delay, and only in the stay they were armed for', async () => {
    const { group, clock } = timedGroup('after');
    const ref = await group.register(door, { delays: { long: () => 60_000 } }).spawn();
    await ref.request({ type: 'OPEN' });
    expect(group.stats().timers).toBe(2);
    await clock.advance(4_000);
    await ref.request({ type: 'PUSH' });
    await clock.advance(4_999);
    expect(matches(ref.snapshot(), 'open')).toBe(true);
    await clock.advance(1);
    expect(matches(ref.snapshot(), 'shut')).toBe(true);
    expect(group.stats().timers).toBe(0);
    expect(clock.scheduled).toBe(0);
  });

  it('that are due while an action runs do not reach the next stay', async () => {
    const { group, clock } = timedGroup('stale');
    const held = gate();
    const slow = defineMachine({
      id: 'slow',
      initial: 'a',
      states: {
        a: { after: { 10: 'late' }, on: { HOLD: { target: 'b', actions: 'act' } } },
        b: { on: { BACK: 'a' } },
        late: {},
      },
    });
    const ref = await group.register(slow, { actions: { act: () => held.opened } }).spawn();
    const moved = ref.request({ type: 'HOLD' });
    const back = ref.request({ type: 'BACK' });
    await clock.advance(10);
    held.open();
    await Promise.all([moved, back]);
    await clock.settled();
    expect(matches(ref.snapshot(), 'a')).toBe(true);
    await clock.advance(10);
    expect(matches(ref.snapshot(), 'late')).toBe(true);
  });

  it('of delayed events are cancelled by id, replaced by their like, and end with the machine', async () => {
    const { group, clock } = timedGroup('delayed');
    const machine = defineMachine(
      {
        id: 'delayed',
        initial: 'a',
        context: { notes: [] as readonly string[] },
        states: {
          a: {
            entry: [
              raise({ type: 'FIRST' }, { delay: 100, id: 'one' }),
              raise({ type: 'SECOND' }, { delay: 200 }),
            ],
            on: {
              FIRST: { actions: 'note' },
              SECOND: { actions: 'note' },
              THIRD: { actions: 'note' },
              STOP: { actions: cancel('one') },
              LATER: { actions: 'later' },
            },
          },
        },
      },
      { actions: { ...noteEvents, later: undefined } },
    );
    const ref = await group
      .register(machine, {
        actions: {
          later(ctx) {
            ctx.sendAfter('1s', { type: 'THIRD' }, { id: 'three' });
            ctx.sendAfter(500, { type: 'THIRD' }, { id: 'three' });
            ctx.sendAfter(900, { type: 'THIRD' }, { id: 'four' });
            ctx.cancel('four');
          },
        },
      })
      .spawn();
    await ref.request({ type: 'LATER' });
    await ref.request({ type: 'STOP' });
    await clock.advance(499);
    expect(notes(ref)).toEqual(['SECOND']);
    await clock.advance(10_000);
    expect(notes(ref)).toEqual(['SECOND', 'THIRD']);
    await ref.request({ type: 'LATER' });
    await ref.stop();
    expect(clock.scheduled).toBe(0);
    expect(group.stats().timers).toBe(0);
  });
});
