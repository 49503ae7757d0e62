import { defineMachine, emit, globalOrchestrator, type ChannelGroup } from '@nestjs-orchestrator/core';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MachineRecorder } from './machine-recorder.js';
import { RecorderAssertionError } from './recorder-error.js';

const door = defineMachine(
  {
    id: 'door',
    initial: 'shut',
    states: {
      shut: {
        on: { OPEN: 'open', BREAK: { actions: 'breaks' }, KNOCK: { actions: emit({ type: 'knocked' }) } },
      },
      open: { initial: 'wide', on: { CLOSE: 'shut' }, states: { wide: {} } },
    },
  },
  {
    actions: {
      breaks: () => {
        throw new Error('the hinge is gone');
      },
    },
  },
);

let group: ChannelGroup;
let recorder: MachineRecorder;

beforeEach(async () => {
  group = globalOrchestrator().createChannelGroup('recorder');
  group.register(door);
  recorder = new MachineRecorder(group);
  const front = await group.spawn(door, { id: 'front' });
  await front.request({ type: 'OPEN', by: 'ada' });
  await front.request({ type: 'CLOSE' });
  await front.request({ type: 'KNOCK' });
  await front.request({ type: 'BREAK' }).catch(() => {});
  await front.stop();
});
afterEach(() => group.release());

/** The error of an assertion that does not hold. */
function errorOf(assertion: () => void): RecorderAssertionError {
  try {
    assertion();
  } catch (error) {
    if (error instanceof RecorderAssertionError) return error;
    throw error;
  }
  throw new Error('The assertion holds.');
}

describe('MachineRecorder', () => {
  it('tells in lines what happened', () => {
    recorder.note({ kind: 'action', name: 'ring', machine: 'front', params: { loud: true } });
    expect(recorder.describe()).toBe(
      [
        '  front: spawned in shut',
        '  front: shut → open.wide on OPEN {"by":"ada"}',
        '  front: open.wide → shut on CLOSE',
        '  front: shut → shut on KNOCK',
        '  front: emitted knocked',
        "  front: failed (step) on BREAK: Machine 'front' failed on event 'BREAK' in action 'breaks': the hinge is gone. It stays in its " +
          'last state.',
        '  front: stopped (stopped) in shut',
        '  front: action ring {"loud":true}',
      ].join('\n'),
    );
  });

  it('knows the path of a machine', () => {
    recorder.expectPath('front', ['shut', 'open.wide', 'shut']);
    const { message, expected, actual } = errorOf(() => recorder.expectPath('front', ['shut', 'ajar']));
    expect(message).toMatch(
      /^Machine 'front' went shut → open\.wide → shut; expected shut → ajar\.\nRecorded:\n {2}front: spawned/,
    );
    expect({ expected, actual }).toEqual({
      expected: ['shut', 'ajar'],
      actual: ['shut', 'open.wide', 'shut'],
    });
    expect(errorOf(() => recorder.expectPath('back', ['shut'])).message).toContain("'back' went (nowhere)");
  });

  it('finds transitions by machine, definition, event and states', () => {
    recorder.expectTransition({
      machine: 'front',
      definition: 'door',
      event: 'OPEN',
      from: 'shut',
      to: 'open',
    });
    recorder.expectTransition({ from: 'open' }, { times: 1 });
    recorder.expectNoTransition({ event: 'LOCK' });
    expect(errorOf(() => recorder.expectTransition({ event: 'LOCK', to: 'open' })).message).toContain(
      'Expected a transition with event LOCK, to open; found none.',
    );
    expect(errorOf(() => recorder.expectNoTransition({ event: 'OPEN' })).message).toContain(
      'Expected no transitions with event OPEN; found 1.',
    );
    expect(errorOf(() => recorder.expectTransition({ event: 'OPEN' }, { times: 2 })).message).toContain(
      'Expected 2 transitions with event OPEN; found 1.',
    );
  });

  it('finds failures by their message, that of the cause included', () => {
    recorder.expectFailure(
      { machine: 'front', kind: 'step', event: 'BREAK', message: /hinge/ },
      { times: 1 },
    );
    recorder.expectFailure({ message: 'the hinge is gone' });
    expect(errorOf(() => recorder.expectFailure({ message: 'the lock' })).message).toContain('found none');
    expect(errorOf(() => recorder.expectNoFailures()).message).toContain('Expected no failures; found 1.');
  });

  it('finds effects that were noted', () => {
    recorder.note({ kind: 'activity', name: 'watch', machine: 'front', params: undefined });
    recorder.expectEffect({ kind: 'activity', name: 'watch', machine: 'front' }, { times: 1 });
    recorder.expectNoEffect({ kind: 'action' });
    expect(errorOf(() => recorder.expectEffect({ name: 'ring' })).message).toContain(
      'Expected an effect with name ring; found none.',
    );
  });

  it('forgets and stops when told', async () => {
    recorder.clear();
    expect(recorder.describe()).toBe('  (nothing was recorded)');
    recorder.stop();
    await group.spawn(door);
    expect(recorder.entries).toEqual([]);
  });
});
