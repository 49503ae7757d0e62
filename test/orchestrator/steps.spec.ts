import type { ActionContext } from '@nestjs-orchestrator/core';
import { assign, defineMachine, matches, raise } from '@nestjs-orchestrator/statechart';
import { describe, expect, it } from 'vitest';
import { gate, groupOf, recordsOf, rejection, timedGroup } from './support.js';

/** Goes from a to b by way of the action `act`, and back. */
const twoStates = defineMachine({
  id: 'two',
  initial: 'a',
  states: { a: { on: { GO: { target: 'b', actions: 'act' } } }, b: { on: { BACK: 'a' } } },
});
const sink = defineMachine(
  { id: 'sink', initial: 'on', context: { got: 0 }, states: { on: { on: { HIT: { actions: 'count' } } } } },
  { actions: { count: assign<{ got: number }>(({ context }) => ({ got: context.got + 1 })) } },
);

describe('a step', () => {
  it('is adopted when its actions have succeeded, and then sends', async () => {
    const group = groupOf('adopted');
    const held = gate();
    const sinks = await group.register(sink).spawn({ id: 'sink' });
    const two = group.register(twoStates, {
      actions: {
        async act(ctx) {
          ctx.send('sink', { type: 'HIT' });
          await held.opened;
          ctx.send(sinks, { type: 'HIT' });
        },
      },
    });
    const ref = await two.spawn();
    const asked = ref.request({ type: 'GO' });
    await sinks.request({ type: 'HIT' });
    expect(matches(ref.snapshot(), 'a')).toBe(true);
    expect(sinks.snapshot().context.got).toBe(1);
    held.open();
    await expect(asked).resolves.toMatchObject({ changed: true });
    expect(matches(ref.snapshot(), 'b')).toBe(true);
    await group.drain();
    expect(sinks.snapshot().context.got).toBe(3);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no'))],
  ])('whose action %s leaves the machine where it was, and drops its sends', async (_, end) => {
    const group = groupOf('failing');
    const failures = recordsOf(group, 'failure');
    const sinks = await group.register(sink).spawn({ id: 'sink' });
    let fails = true;
    const two = group.register(twoStates, {
      actions: {
        act(ctx) {
          ctx.send('sink', { type: 'HIT' });
          ctx.sendAfter(1, { type: 'BACK' });
          return fails ? end() : undefined;
        },
      },
    });
    const ref = await two.spawn({ id: 'x' });
    const error = await rejection(ref.request({ type: 'GO' }));
    expect(error).toMatchObject({
      code: 'STEP_FAILED',
      machine: 'x',
      event: 'GO',
      action: 'act',
      cause: new Error('no'),
    });
    expect(failures).toMatchObject([{ kind: 'step', machine: { id: 'x' }, event: { type: 'GO' }, error }]);
    expect(group.stats()).toMatchObject({ failed: 1, timers: 0 });
    fails = false;
    await ref.request({ type: 'GO' });
    expect(matches(ref.snapshot(), 'b')).toBe(true);
    await group.drain();
    expect(sinks.snapshot().context.got).toBe(1);
  });

  it('whose action takes too long fails, is told by its signal, and what it does later is ignored', async () => {
    const { group, clock } = timedGroup('late', { actionTimeoutMs: 1_000 });
    const held = gate();
    let context: ActionContext<typeof twoStates> | undefined;
    const settled: unknown[] = [];
    const two = group.register(twoStates, {
      actions: {
        async act(ctx) {
          context = ctx;
          ctx.signal.addEventListener('abort', () => settled.push(ctx.signal.reason));
          await held.opened;
          ctx.sendSelf({ type: 'BACK' });
        },
      },
    });
    const ref = await two.spawn({ id: 'x' });
    const asked = rejection(ref.request({ type: 'GO' }));
    const next = ref.request({ type: 'BACK' });
    await clock.advance(999);
    expect(settled).toEqual([]);
    await clock.advance(1);
    expect(await asked).toMatchObject({
      code: 'STEP_FAILED',
      cause: { code: 'ACTION_TIMEOUT', action: 'act', timeoutMs: 1_000 },
    });
    expect(settled).toMatchObject([{ code: 'ACTION_TIMEOUT' }]);
    await expect(next).resolves.toMatchObject({ changed: false });
    expect(group.stats().timedOut).toBe(1);
    held.open();
    await clock.settled();
    expect(matches(ref.snapshot(), 'a')).toBe(true);
    expect(() => context?.send(ref, { type: 'GO' })).toThrow(
      expect.objectContaining({ code: 'STEP_ENDED', verb: 'send' }),
    );
    expect(context?.signal.aborted).toBe(true);
  });

  it('with an asynchronous action holds its own mailbox only, and keeps the order', async () => {
    const group = groupOf('own-mailbox');
    const held = gate();
    const two = group.register(twoStates, {
      actions: { act: (ctx) => (ctx.machine.id === 'slow' ? held.opened : undefined) },
    });
    const [slow, quick] = await Promise.all([two.spawn({ id: 'slow' }), two.spawn({ id: 'quick' })]);
    const events = [
      slow.request({ type: 'GO' }),
      slow.request({ type: 'BACK' }),
      slow.request({ type: 'GO' }),
    ];
    await quick.request({ type: 'GO' });
    await group.settled();
    expect(group.stats()).toMatchObject({ running: 1, queued: 2 });
    held.open();
    expect((await Promise.all(events)).map(({ changed }) => changed)).toEqual([true, true, true]);
    expect(matches(slow.snapshot(), 'b')).toBe(true);
  });

  it('with synchronous actions ends before any microtask', async () => {
    const group = groupOf('synchronous');
    const log: string[] = [];
    const two = group.register(twoStates, {
      actions: {
        act(ctx) {
          log.push('act');
          queueMicrotask(() => log.push('microtask'));
          ctx.sendSelf({ type: 'BACK' });
        },
      },
    });
    group.subscribe(({ type }) => log.push(type), { only: ['transition'] });
    const ref = await two.spawn();
    await ref.request({ type: 'GO' });
    expect(log.slice(0, 2)).toEqual(['act', 'transition']);
    expect(log).toContain('microtask');
  });

  it('whose guard throws fails, and the machine stays', async () => {
    const guarded = defineMachine({
      id: 'guarded',
      initial: 'a',
      states: { a: { on: { GO: { target: 'b', guard: 'may' }, OK: 'b' } }, b: {} },
    });
    const group = groupOf('guards');
    const ref = await group
      .register(guarded, {
        guards: {
          may() {
            throw new Error('bad guard');
          },
        },
      })
      .spawn({ id: 'x' });
    const error = await rejection(ref.request({ type: 'GO' }));
    expect(error).toMatchObject({
      code: 'STEP_FAILED',
      action: undefined,
      cause: { code: 'STATECHART_GUARD' },
    });
    await expect(ref.request({ type: 'OK' })).resolves.toMatchObject({ changed: true });
  });

  it('gives each action the event and the context of its own microstep', async () => {
    const chain = defineMachine(
      {
        id: 'chain',
        initial: 'a',
        context: { at: 'a' },
        states: {
          a: { on: { GO: { target: 'b', actions: ['note', raise({ type: 'ON' })] } } },
          b: { entry: [assign({ at: 'b' }), 'note'], on: { ON: { target: 'c', actions: 'note' } } },
          c: { entry: [assign({ at: 'c' }), 'note'], always: { target: 'd', actions: 'note' } },
          d: {},
        },
      },
      { actions: ['note'] },
    );
    const group = groupOf('microsteps');
    const notes: string[] = [];
    const ref = await group
      .register(chain, {
        actions: {
          note(ctx) {
            const { at } = ctx.data as { at: string };
            notes.push(`${ctx.event.type} ${at} ${String(ctx.context === ctx.data)}`);
          },
        },
      })
      .spawn();
    await ref.request({ type: 'GO' });
    expect(notes).toEqual(['GO b true', 'GO b true', 'ON c true', 'ON c true', 'ON c true']);
  });

  it('hands params, machine, group and reply through, and XState functions run unchanged', async () => {
    const inline: unknown[] = [];
    const machine = defineMachine({
      id: 'params',
      initial: 'a',
      context: { n: 7 },
      states: {
        a: {
          on: {
            ASK: {
              actions: [
                { type: 'answer', params: { factor: 6 } },
                ({ context, event }: { context: { n: number }; event: { type: string } }) =>
                  void inline.push(context.n, event.type),
              ],
            },
          },
        },
      },
    });
    const group = groupOf('params');
    const ref = await group
      .register(machine, {
        actions: {
          answer(ctx, { factor }: { factor: number }) {
            ctx.reply(1);
            ctx.reply([
              ctx.machine.id,
              ctx.group.name,
              ctx.ref === group.ref('x'),
              (ctx.data as { n: number }).n * factor,
            ]);
          },
        },
      })
      .spawn({ id: 'x' });
    expect((await ref.request({ type: 'ASK' })).reply).toEqual(['x', 'params', true, 42]);
    expect(inline).toEqual([7, 'ASK']);
  });

  it('that sends more than a mailbox may hold fails as a whole', async () => {
    const group = groupOf('ceiling', { maxQueuedPerMachine: 3 });
    const held = gate();
    const two = group.register(twoStates, { actions: { act: () => held.opened } });
    const full = await two.spawn({ id: 'full' });
    const flood = defineMachine({
      id: 'flood',
      initial: 'a',
      states: { a: { on: { GO: { target: 'b', actions: 'send' } } }, b: {} },
    });
    const sender = await group
      .register(flood, {
        actions: {
          send: (ctx) => {
            for (let at = 0; at < 4; at += 1) ctx.send('full', { type: 'BACK' });
          },
        },
      })
      .spawn();
    const going = full.request({ type: 'GO' });
    const error = await rejection(sender.request({ type: 'GO' }));
    expect(error).toMatchObject({
      cause: { code: 'QUEUE_CEILING', limit: 'maxQueuedPerMachine', most: 3, retryable: true },
    });
    expect(matches(sender.snapshot(), 'a')).toBe(true);
    expect(group.stats().queued).toBe(0);
    held.open();
    await going;
  });
});

describe('the start of a machine', () => {
  const starting = defineMachine({
    id: 'starting',
    initial: 'a',
    context: ({ input }: { input: unknown }) => ({ input }),
    states: { a: { entry: 'act', on: { HIT: {} } } },
  });

  it('sees its input, and waits for its actions', async () => {
    const group = groupOf('starts');
    const held = gate();
    const spawned = recordsOf(group, 'spawned');
    const starts = group.register(starting, { actions: { act: () => held.opened } });
    const pending = starts.spawn({ id: 'x', input: { n: 1 } });
    expect(() => group.ref('x').snapshot()).toThrow(expect.objectContaining({ code: 'MACHINE_STARTING' }));
    const early = group.ref('x').request({ type: 'HIT' });
    expect(spawned).toEqual([]);
    held.open();
    const ref = await pending;
    expect(ref.snapshot().context).toEqual({ input: { n: 1 } });
    await expect(early).resolves.toMatchObject({ changed: true });
    expect(spawned).toMatchObject([{ machine: { id: 'x', definition: 'starting' } }]);
  });

  it('that fails rejects and leaves nothing behind', async () => {
    const group = groupOf('bad-starts');
    const failures = recordsOf(group, 'failure');
    const stopped = recordsOf(group, 'stopped');
    let fails = true;
    const starts = group.register(starting, {
      actions: { act: () => (fails ? Promise.reject(new Error('no')) : undefined) },
    });
    const pending = rejection(starts.spawn({ id: 'x' }));
    const early = rejection(group.ref('x').request({ type: 'HIT' }));
    expect(await pending).toMatchObject({
      code: 'STEP_FAILED',
      event: 'xstate.init',
      cause: new Error('no'),
    });
    expect(await early).toMatchObject({ code: 'MACHINE_STOPPED', reason: 'error' });
    expect(failures).toMatchObject([{ kind: 'start', machine: { id: 'x' } }]);
    expect(stopped).toEqual([]);
    expect(group.stats()).toMatchObject({ machines: 0, queued: 0, running: 0, registered: 0, disposed: 0 });
    fails = false;
    await expect(starts.spawn({ id: 'x' })).resolves.toMatchObject({ id: 'x' });
  });
});
