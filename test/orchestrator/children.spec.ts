import {
  assign,
  defineMachine,
  emit,
  log,
  sendParent,
  sendTo,
  spawnChild,
  stopChild,
} from '@nestjs-orchestrator/statechart';
import { describe, expect, it } from 'vitest';
import { groupOf, recordsOf } from './support.js';

const noteEvents = {
  note: assign<{ notes: readonly string[] }>(({ context, event }) => ({
    notes: [...context.notes, event.type],
  })),
};
const notes = (ref: { snapshot(): { context: unknown } }): readonly string[] =>
  (ref.snapshot().context as { notes: readonly string[] }).notes;

describe('machines and their children', () => {
  const child = defineMachine(
    {
      id: 'child',
      initial: 'on',
      context: ({ input }: { input: unknown }) => ({ notes: [] as readonly string[], input }),
      states: {
        on: {
          on: {
            HELLO: { actions: ['note', sendParent({ type: 'ANSWER' })] },
            END: 'over',
            BREAK: { actions: 'fail' },
          },
        },
        over: { type: 'final' },
      },
      output: ({ context }: { context: unknown }) => context,
    },
    { actions: { ...noteEvents, fail: undefined } },
  );
  const parent = defineMachine(
    {
      id: 'parent',
      initial: 'idle',
      context: { notes: [] as readonly string[] },
      on: { ANSWER: { actions: 'note' }, 'xstate.done.actor.*': { actions: 'note' } },
      states: {
        idle: {
          on: {
            INVOKE: 'with',
            SPAWN: { actions: spawnChild('child', { id: 'kid', input: 5, systemId: 'the-kid' }) },
            UNSPAWN: { actions: stopChild('kid') },
            TELL: { actions: sendTo('kid', { type: 'HELLO' }) },
          },
        },
        with: {
          invoke: { src: 'child', id: 'inner', input: 7, onDone: { target: 'idle', actions: 'note' } },
          on: { TELL: { actions: sendTo('inner', { type: 'HELLO' }) }, LEAVE: 'idle' },
        },
      },
    },
    { actions: noteEvents },
  );

  it('invoke one while in a state: events both ways, the outcome, and its end with the state', async () => {
    const group = groupOf('invoked');
    group.register(child, { actions: { fail() {} } });
    const ref = await group.register(parent).spawn({ id: 'p' });
    await ref.request({ type: 'INVOKE' });
    const inner = group.ref('p/inner');
    await ref.request({ type: 'TELL' });
    await group.drain();
    expect(notes(inner)).toEqual(['HELLO']);
    expect(inner.snapshot().context).toMatchObject({ input: 7 });
    expect(notes(ref)).toEqual(['ANSWER']);
    await inner.send({ type: 'END' });
    await ref.waitFor('idle');
    expect(notes(ref)).toEqual(['ANSWER', 'xstate.done.actor.inner']);
    expect(group.find('p/inner')).toBeUndefined();
    await ref.request({ type: 'INVOKE' });
    const second = group.ref('p/inner');
    await ref.request({ type: 'LEAVE' });
    expect(group.find('p/inner')).toBeUndefined();
    await expect(second.send({ type: 'HELLO' })).rejects.toMatchObject({
      code: 'MACHINE_STOPPED',
      reason: 'parent',
    });
  });

  it('spawn one that no state owns, stop it, and end with it', async () => {
    const group = groupOf('spawned');
    const failures = recordsOf(group, 'failure');
    group.register(child, { actions: { fail() {} } });
    const ref = await group.register(parent).spawn({ id: 'p' });
    await ref.request({ type: 'SPAWN' });
    await ref.request({ type: 'TELL' });
    await group.drain();
    expect(notes(ref)).toEqual(['ANSWER']);
    await expect(ref.request({ type: 'SPAWN' })).rejects.toMatchObject({
      cause: { code: 'DUPLICATE_MACHINE_ID', id: 'kid' },
    });
    await ref.request({ type: 'UNSPAWN' });
    expect(group.find('p/kid')).toBeUndefined();
    await ref.request({ type: 'TELL' });
    expect(failures.map(({ kind }) => kind)).toEqual(['step', 'undeliverable']);
    await ref.request({ type: 'SPAWN' });
    await ref.stop();
    expect(group.stats().machines).toBe(0);
  });

  it('hear of a child that cannot start', async () => {
    const group = groupOf('bad-child');
    const broken = defineMachine({ id: 'child', initial: 'a', states: { a: { entry: 'fail' } } });
    group.register(broken, {
      actions: {
        fail() {
          throw new Error('no');
        },
      },
    });
    const transitions = recordsOf(group, 'stopped');
    const ref = await group.register(parent).spawn({ id: 'p' });
    await ref.request({ type: 'INVOKE' });
    await expect(ref.waitFor(({ status }) => status === 'error')).resolves.toMatchObject({
      error: { code: 'STEP_FAILED', cause: new Error('no') },
    });
    expect(transitions).toMatchObject([{ machine: { id: 'p' }, reason: 'error' }]);
  });

  it('take a definition in place of a name', async () => {
    const group = groupOf('definition');
    const simple = defineMachine({
      id: 'simple',
      initial: 'a',
      states: { a: { on: { END: 'b' } }, b: { type: 'final' } },
    });
    const ref = await group.register(parent, { activities: { child: simple } }).spawn({ id: 'p' });
    await ref.request({ type: 'INVOKE' });
    await group.ref('p/inner').send({ type: 'END' });
    await expect(ref.waitFor('idle')).resolves.toMatchObject({ status: 'active' });
  });
});

it('a machine that reaches its final state ends with its output, and its id is free again', async () => {
  const brief = defineMachine({
    id: 'brief',
    initial: 'a',
    states: { a: { on: { END: 'z' } }, z: { type: 'final' } },
    output: 42,
  });
  const group = groupOf('final');
  const stopped = recordsOf(group, 'stopped');
  const ref = await group.register(brief).spawn({ id: 'x' });
  const result = await ref.request({ type: 'END' });
  expect(result.snapshot).toMatchObject({ status: 'done', output: 42 });
  expect(ref.snapshot()).toBe(result.snapshot);
  await expect(ref.send({ type: 'END' })).rejects.toMatchObject({ code: 'MACHINE_STOPPED', reason: 'done' });
  expect(stopped).toMatchObject([{ reason: 'done', machine: { id: 'x' } }]);
  await expect(group.spawn(brief, { id: 'x' })).resolves.not.toBe(ref);
});

it('what a machine emits and logs comes out', async () => {
  const lines: unknown[] = [];
  const logger = {
    debug() {},
    info: (message: string, fields?: object) => void lines.push([message, fields]),
    warn() {},
    error() {},
  };
  const speaker = defineMachine({
    id: 'speaker',
    initial: 'a',
    states: { a: { on: { SAY: { actions: [emit({ type: 'SAID', text: 'hi' }), log('words', 'label')] } } } },
  });
  const group = groupOf('speaks', { logger });
  const emitted = recordsOf(group, 'emitted');
  const ref = await group.register(speaker).spawn({ id: 'x' });
  await ref.request({ type: 'SAY' });
  expect(emitted).toMatchObject([{ machine: { id: 'x' }, event: { type: 'SAID', text: 'hi' } }]);
  expect(lines).toEqual([["label: 'words'", { group: 'speaks', machine: 'x' }]]);
});
