import type { ActivityContext } from '@nestjs-orchestrator/core';
import { defineMachine, matches } from '@nestjs-orchestrator/statechart';
import { describe, expect, it } from 'vitest';
import { gate, groupOf, recordsOf } from './support.js';

describe('activities', () => {
  const worker = defineMachine({
    id: 'worker',
    initial: 'idle',
    context: { n: 3 },
    states: {
      idle: { on: { START: 'busy' } },
      busy: {
        invoke: {
          src: 'work',
          id: 'w',
          input: ({ context }: { context: { n: number } }) => context.n * 2,
          onDone: 'done',
          onError: 'failed',
        },
        on: { LEAVE: 'idle', AGAIN: { target: 'busy', reenter: true }, PING: {} },
      },
      done: {},
      failed: {},
    },
  });

  it('run beside their machine, with input, and their outcome is an event', async () => {
    const group = groupOf('activity');
    const held = gate();
    const contexts: ActivityContext<typeof worker, number>[] = [];
    const workers = group.register(worker, {
      activities: {
        async work(ctx: ActivityContext<typeof worker, number>) {
          contexts.push(ctx);
          await held.opened;
          if (ctx.machine.id === 'bad') throw new Error('no');
          return ctx.input;
        },
      },
    });
    const transitions = recordsOf(group, 'transition');
    const [good, bad] = [await workers.spawn({ id: 'good' }), await workers.spawn({ id: 'bad' })];
    await Promise.all([good.request({ type: 'START' }), bad.request({ type: 'START' })]);
    expect(group.stats().activities).toBe(2);
    await expect(good.request({ type: 'PING' })).resolves.toMatchObject({ changed: true });
    expect(contexts[0]).toMatchObject({ input: 6, id: 'w', data: { n: 3 }, machine: { id: 'good' } });
    const ended = [good.waitFor('done'), bad.waitFor('failed')];
    held.open();
    await Promise.all(ended);
    const outcomes = transitions.map(({ event }) => event).filter(({ type }) => type.startsWith('xstate.'));
    expect(outcomes).toEqual([
      { type: 'xstate.done.actor.w', output: 6, actorId: 'w' },
      { type: 'xstate.error.actor.w', error: new Error('no'), actorId: 'w' },
    ]);
    expect(group.stats().activities).toBe(0);
  });

  it('are aborted when their state is left, and what comes of them later is recorded, not delivered', async () => {
    const group = groupOf('left');
    const runs: { readonly gate: ReturnType<typeof gate>; readonly ctx: ActivityContext }[] = [];
    const failures = recordsOf(group, 'failure');
    const ref = await group
      .register(worker, {
        activities: {
          async work(ctx) {
            const run = { gate: gate(), ctx: ctx as ActivityContext };
            runs.push(run);
            await run.gate.opened;
            if (runs.indexOf(run) === 0) throw new Error('too late');
          },
        },
      })
      .spawn();
    await ref.request({ type: 'START' });
    await ref.request({ type: 'AGAIN' });
    expect(runs.map(({ ctx }) => ctx.signal.aborted)).toEqual([true, false]);
    runs[0]?.gate.open();
    await Promise.resolve();
    await group.drain();
    await ref.request({ type: 'PING' });
    expect(failures).toMatchObject([{ kind: 'late-activity', error: new Error('too late') }]);
    expect(matches(ref.snapshot(), 'busy')).toBe(true);
    runs[1]?.gate.open();
    await ref.waitFor('done');
    await runs[1]?.ctx.sendSelf({ type: 'START' });
  });

  it('that return a function are cleaned up by it, and may send meanwhile', async () => {
    const group = groupOf('cleaned');
    const log: string[] = [];
    const ref = await group
      .register(worker, {
        activities: {
          work(ctx) {
            void ctx.sendSelf({ type: 'LEAVE' }).then(() => log.push('sent'));
            return () => log.push('cleaned');
          },
        },
      })
      .spawn();
    await ref.request({ type: 'START' });
    await ref.waitFor('idle');
    await group.drain();
    expect(log.toSorted()).toEqual(['cleaned', 'sent']);
  });

  it('that throw at once, or return a value, bring their outcome as well', async () => {
    const group = groupOf('at-once');
    const workers = group.register(worker, {
      activities: {
        work(ctx) {
          if (ctx.machine.id === 'bad') throw new Error('no');
          return 5;
        },
      },
    });
    const [good, bad] = [await workers.spawn({ id: 'good' }), await workers.spawn({ id: 'bad' })];
    const ended = [good.waitFor('done'), bad.waitFor('failed')];
    await group.broadcast({ type: 'START' });
    await expect(Promise.all(ended)).resolves.toHaveLength(2);
  });

  it('whose error nobody answers end the machine with it', async () => {
    const fragile = defineMachine({
      id: 'fragile',
      initial: 'a',
      states: { a: { invoke: { src: 'work' } } },
    });
    const group = groupOf('fragile');
    const [failures, stopped] = [recordsOf(group, 'failure'), recordsOf(group, 'stopped')];
    const held = gate();
    const ref = await group
      .register(fragile, {
        activities: {
          work: async () => {
            await held.opened;
            throw new Error('no');
          },
        },
      })
      .spawn({ id: 'x' });
    held.open();
    const ended = ref.waitFor(({ status }) => status === 'error');
    await expect(ended).resolves.toMatchObject({ error: new Error('no') });
    expect(failures).toMatchObject([{ machine: { id: 'x' }, error: new Error('no') }]);
    expect(stopped).toMatchObject([{ reason: 'error' }]);
    expect(group.find('x')).toBeUndefined();
  });
});
