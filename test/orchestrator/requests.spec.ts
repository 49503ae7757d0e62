import { defineMachine } from '@nestjs-orchestrator/statechart';
import { describe, expect, it } from 'vitest';
import { gate, groupOf, rejection, timedGroup } from './support.js';

const asked = defineMachine({
  id: 'asked',
  initial: 'a',
  states: { a: { on: { ASK: { actions: 'act' }, OTHER: { target: 'b' } } }, b: {} },
});

describe('a request', () => {
  it('is withdrawn when its time is over and it is still queued', async () => {
    const { group, clock } = timedGroup('withdrawn');
    const held = gate();
    const ref = await group.register(asked, { actions: { act: () => held.opened } }).spawn({ id: 'x' });
    const running = ref.request({ type: 'ASK' });
    const queued = rejection(ref.request({ type: 'OTHER' }, { timeoutMs: 500 }));
    await clock.settled();
    expect(group.stats()).toMatchObject({ queued: 1, pendingRequests: 2 });
    await clock.advance(500);
    expect(await queued).toMatchObject({
      code: 'REQUEST_TIMEOUT',
      machine: 'x',
      event: 'OTHER',
      timeoutMs: 500,
      withdrawn: true,
      retryable: true,
    });
    expect(group.stats()).toMatchObject({ queued: 0, pendingRequests: 1, timedOut: 1 });
    held.open();
    await running;
    await group.drain();
    expect(ref.snapshot().configuration.toJSON()).toEqual(['asked.a']);
  });

  it('whose event is being handled when its time is over says so, and the step goes on', async () => {
    const { group, clock } = timedGroup('under-way', { requestTimeoutMs: 200 });
    const held = gate();
    const ref = await group.register(asked, { actions: { act: () => held.opened } }).spawn();
    const late = rejection(ref.request({ type: 'ASK' }));
    await clock.advance(200);
    expect(await late).toMatchObject({ code: 'REQUEST_TIMEOUT', withdrawn: false });
    held.open();
    await group.drain();
    expect(group.stats()).toMatchObject({ processed: 2, failed: 0, pendingRequests: 0 });
  });

  it('is given up by its signal', async () => {
    const group = groupOf('signal');
    const held = gate();
    const ref = await group.register(asked, { actions: { act: () => held.opened } }).spawn();
    const running = ref.request({ type: 'ASK' });
    await group.settled();
    const abort = new AbortController();
    const queued = rejection(ref.request({ type: 'OTHER' }, { signal: abort.signal }));
    abort.abort(new Error('enough'));
    expect(await queued).toEqual(new Error('enough'));
    expect(await rejection(ref.request({ type: 'OTHER' }, { signal: abort.signal }))).toEqual(
      new Error('enough'),
    );
    expect(group.stats().queued).toBe(0);
    held.open();
    await running;
  });

  it('fails when the machine is stopped or the group released, queued or under way', async () => {
    const group = groupOf('failed');
    const asks = group.register(asked, {
      actions: {
        act: (ctx) => new Promise((resolve) => ctx.signal.addEventListener('abort', () => resolve())),
      },
    });
    const [one, two] = await Promise.all([asks.spawn({ id: 'one' }), asks.spawn({ id: 'two' })]);
    const ofOne = [rejection(one.request({ type: 'ASK' })), rejection(one.request({ type: 'OTHER' }))];
    const ofTwo = [rejection(two.request({ type: 'ASK' })), rejection(two.request({ type: 'OTHER' }))];
    await one.stop();
    for (const error of await Promise.all(ofOne))
      expect(error).toMatchObject({ code: 'MACHINE_STOPPED', machine: 'one', reason: 'stopped' });
    await group.release();
    for (const error of await Promise.all(ofTwo)) expect(error).toMatchObject({ code: 'GROUP_RELEASED' });
    expect(group.stats()).toMatchObject({ pendingRequests: 0, queued: 0, running: 0 });
  });
});

describe('a request of an action', () => {
  const caller = defineMachine({
    id: 'caller',
    initial: 'a',
    states: { a: { on: { CALL: { actions: 'call' } } } },
  });

  it('gets the answer, and holds its own mailbox meanwhile', async () => {
    const group = groupOf('answers');
    const held = gate();
    group.register(asked, {
      actions: {
        act: async (ctx) => {
          await held.opened;
          ctx.reply('here');
        },
      },
    });
    const answers: unknown[] = [];
    const callers = group.register(caller, {
      actions: {
        call: async (ctx) => void answers.push((await ctx.request('asked', { type: 'ASK' })).reply),
      },
    });
    await group.spawn(asked, { id: 'asked' });
    const ref = await callers.spawn();
    const calls = [ref.request({ type: 'CALL' }), ref.request({ type: 'CALL' })];
    expect(answers).toEqual([]);
    held.open();
    await Promise.all(calls);
    expect(answers).toEqual(['here', 'here']);
  });

  it('that would wait for itself is refused, over any number of machines', async () => {
    const group = groupOf('cycles');
    const errors: unknown[] = [];
    const callers = group.register(caller, {
      actions: {
        async call(ctx) {
          const next = { a: 'b', b: 'c', c: 'a', self: 'self' }[ctx.machine.id];
          await ctx.request(next ?? '', { type: 'CALL' }).catch((error: unknown) => errors.push(error));
        },
      },
    });
    for (const id of ['a', 'b', 'c', 'self']) await callers.spawn({ id });
    await group.ref('a').request({ type: 'CALL' });
    expect(errors).toMatchObject([{ code: 'REQUEST_CYCLE', chain: ['c', 'a', 'b', 'c'] }]);
    await group.ref('self').request({ type: 'CALL' });
    expect(errors[1]).toMatchObject({ code: 'REQUEST_CYCLE', chain: ['self', 'self'] });
    await group.ref('c').request({ type: 'CALL' });
    expect(errors.slice(2)).toMatchObject([{ chain: ['b', 'c', 'a', 'b'] }]);
  });

  it('that would wait for itself by way of an unrelated step is refused as well', async () => {
    const group = groupOf('crossed');
    const [first, second] = [gate(), gate()];
    const errors: unknown[] = [];
    const callers = group.register(caller, {
      actions: {
        async call(ctx) {
          await (ctx.machine.id === 'a' ? first : second).opened;
          await ctx.request(ctx.machine.id === 'a' ? 'b' : 'a', { type: 'CALL' }).catch((error: unknown) => {
            errors.push(error);
            throw error;
          });
        },
      },
    });
    const [a, b] = [await callers.spawn({ id: 'a' }), await callers.spawn({ id: 'b' })];
    const calls = [rejection(a.request({ type: 'CALL' })), rejection(b.request({ type: 'CALL' }))];
    await group.settled();
    first.open();
    await Promise.resolve();
    second.open();
    await Promise.all(calls);
    expect(errors[0]).toMatchObject({ code: 'REQUEST_CYCLE', chain: ['b', 'a', 'b'] });
  });

  it('is taken back when its step ends first', async () => {
    const other = groupOf('holding', { reachableFrom: ['taken-back'] });
    const { group, clock } = timedGroup('taken-back', { actionTimeoutMs: 100 });
    const held = gate();
    const target = await other
      .register(asked, { actions: { act: () => held.opened } })
      .spawn({ id: 'asked' });
    const busy = target.request({ type: 'ASK' });
    const callers = group.register(caller, {
      actions: {
        call: async (ctx) =>
          void (await ctx.request({ group: 'holding', machine: 'asked' }, { type: 'OTHER' })),
      },
    });
    const ref = await callers.spawn();
    const call = rejection(ref.request({ type: 'CALL' }));
    await clock.settled();
    expect(other.stats().queued).toBe(1);
    await clock.advance(100);
    expect(await call).toMatchObject({ cause: { code: 'ACTION_TIMEOUT' } });
    expect(other.stats()).toMatchObject({ queued: 0, pendingRequests: 1 });
    held.open();
    await busy;
  });
});

describe('waitFor', () => {
  it('settles with the state, at once or when it comes', async () => {
    const group = groupOf('waits');
    const ref = await group.register(asked, { actions: { act() {} } }).spawn();
    await expect(ref.waitFor('a')).resolves.toBe(ref.snapshot());
    const there = ref.waitFor('b');
    const byPredicate = ref.waitFor((snapshot) => snapshot.configuration.toJSON().includes('asked.b'));
    await ref.send({ type: 'OTHER' });
    await expect(there).resolves.toBe(await byPredicate);
  });

  it('ends with its time, its signal, the machine, or a predicate that throws', async () => {
    const { group, clock } = timedGroup('ends');
    const asks = group.register(asked, { actions: { act() {} } });
    const ref = await asks.spawn({ id: 'x' });
    const abort = new AbortController();
    const waits = [
      rejection(ref.waitFor('b', { timeoutMs: 50 })),
      rejection(ref.waitFor('b', { signal: abort.signal })),
      rejection(
        ref.waitFor(() => {
          throw new Error('bad');
        }),
      ),
      rejection(ref.waitFor('b')),
    ];
    abort.abort(new Error('enough'));
    await clock.advance(50);
    await ref.stop();
    expect(await Promise.all(waits)).toMatchObject([
      { code: 'WAIT_TIMEOUT', machine: 'x', waitedFor: "'b'", timeoutMs: 50 },
      new Error('enough'),
      new Error('bad'),
      { code: 'MACHINE_STOPPED', reason: 'stopped' },
    ]);
    await expect(ref.waitFor('a')).resolves.toBe(ref.snapshot());
    expect(await rejection(ref.waitFor('b'))).toMatchObject({ code: 'MACHINE_STOPPED' });
  });
});
