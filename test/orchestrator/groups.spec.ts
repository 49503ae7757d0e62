import { globalOrchestrator } from '@nestjs-orchestrator/core';
import { assign, defineMachine, sendTo } from '@nestjs-orchestrator/statechart';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { gate, groupOf, recordsOf, rejection, timedGroup } from './support.js';

const sink = defineMachine(
  { id: 'sink', initial: 'on', context: { got: 0 }, states: { on: { on: { HIT: { actions: 'count' } } } } },
  { actions: { count: assign<{ got: number }>(({ context }) => ({ got: context.got + 1 })) } },
);
const sender = defineMachine({
  id: 'sender',
  initial: 'a',
  states: { a: { on: { GO: { actions: 'act' } } } },
});

describe('between groups', () => {
  it('nobody is reached by a plain id, and only by address where the other group allows it', async () => {
    const [open, shut, from] = [
      groupOf('open', { reachableFrom: ['from'] }),
      groupOf('shut'),
      groupOf('from'),
    ];
    const inside = await open.register(sink).spawn({ id: 'sink' });
    const closed = await shut.register(sink).spawn({ id: 'sink' });
    const errors: unknown[] = [];
    const attempt = (send: () => void): void => {
      try {
        send();
      } catch (error) {
        errors.push(error);
      }
    };
    const ref = await from
      .register(sender, {
        actions: {
          act(ctx) {
            attempt(() => ctx.send('sink', { type: 'HIT' }));
            attempt(() => ctx.send({ group: 'open', machine: 'sink' }, { type: 'HIT' }));
            attempt(() => ctx.send({ group: open.groupId, machine: 'sink' }, { type: 'HIT' }));
            attempt(() => ctx.send(inside, { type: 'HIT' }));
            attempt(() => ctx.send({ group: 'shut', machine: 'sink' }, { type: 'HIT' }));
            attempt(() => ctx.send(closed, { type: 'HIT' }));
            attempt(() => ctx.send({ group: 'nowhere', machine: 'sink' }, { type: 'HIT' }));
            attempt(() => ctx.send({ group: 'open', machine: 'nobody' }, { type: 'HIT' }));
          },
        },
      })
      .spawn();
    await ref.request({ type: 'GO' });
    await open.drain();
    expect(inside.snapshot().context.got).toBe(3);
    expect(closed.snapshot().context.got).toBe(0);
    expect(errors).toMatchObject([
      { code: 'UNKNOWN_MACHINE', machine: 'sink', group: 'from' },
      { code: 'GROUP_UNREACHABLE', group: 'shut', reason: 'not-allowed' },
      { code: 'GROUP_UNREACHABLE', group: 'shut', reason: 'not-allowed' },
      { code: 'GROUP_UNREACHABLE', group: 'nowhere', reason: 'unknown' },
      { code: 'UNKNOWN_MACHINE', machine: 'nobody', group: 'open' },
    ]);
  });

  it('refs and broadcasts by address follow the same rule', async () => {
    const rule = vi.fn<(group: { name: string }) => boolean>(({ name }) => name === 'friend');
    const target = groupOf('target', { reachableFrom: rule });
    const ref = await target.register(sink).spawn({ id: 'sink' });
    const [friend, stranger] = [groupOf('friend'), groupOf('stranger')];
    expect(friend.ref({ group: 'target', machine: 'sink' })).toBe(ref);
    await expect(friend.broadcast('target', { type: 'HIT' })).resolves.toBe(1);
    expect(() => stranger.ref(sink, { group: 'target', machine: 'sink' })).toThrow(
      expect.objectContaining({ code: 'GROUP_UNREACHABLE' }),
    );
    expect(await rejection(stranger.broadcast('target', { type: 'HIT' }))).toMatchObject({
      code: 'GROUP_UNREACHABLE',
    });
    expect(() => friend.ref(sender, { group: 'target', machine: 'sink' })).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_MACHINE' }),
    );
    await target.drain();
    expect(ref.snapshot().context.got).toBe(1);
    expect(rule).toHaveBeenCalledWith({ groupId: friend.groupId, name: 'friend' });
  });

  it('a name that several groups bear is refused, their numbers are not', async () => {
    const [one] = [groupOf('double', { reachableFrom: ['asker'] }), groupOf('double')];
    await one?.register(sink).spawn({ id: 'sink' });
    const asker = groupOf('asker');
    expect(() => asker.ref({ group: 'double', machine: 'sink' })).toThrow(
      expect.objectContaining({ code: 'GROUP_UNREACHABLE', reason: 'ambiguous' }),
    );
    expect(asker.ref({ group: one?.groupId ?? 0, machine: 'sink' }).id).toBe('sink');
  });

  it('a config that sends to nobody is reported, and its step is adopted', async () => {
    const group = groupOf('nobody');
    const failures = recordsOf(group, 'failure');
    const lost = defineMachine({
      id: 'lost',
      initial: 'a',
      states: { a: { on: { GO: { target: 'b', actions: sendTo('nobody', { type: 'HI' }) } } }, b: {} },
    });
    const ref = await group.register(lost).spawn({ id: 'x' });
    await expect(ref.request({ type: 'GO' })).resolves.toMatchObject({ changed: true });
    expect(failures).toMatchObject([
      { kind: 'undeliverable', event: { type: 'HI' }, error: { code: 'UNKNOWN_MACHINE', machine: 'nobody' } },
    ]);
  });
});

describe('release', () => {
  it('aborts activities and actions, cancels timers, fails waits, and waits for what runs', async () => {
    const { group, clock } = timedGroup('release');
    const held = gate();
    const log: string[] = [];
    const busy = defineMachine({
      id: 'busy',
      initial: 'a',
      states: { a: { invoke: { src: 'work' }, after: { 1000: 'b' }, on: { GO: { actions: 'act' } } }, b: {} },
    });
    const ref = await group
      .register(busy, {
        activities: {
          async work(ctx) {
            await new Promise<void>((resolve) => ctx.signal.addEventListener('abort', () => resolve()));
            log.push('activity told');
            await held.opened;
            log.push('activity ended');
          },
        },
        actions: {
          async act(ctx) {
            await new Promise<void>((resolve) => ctx.signal.addEventListener('abort', () => resolve()));
            log.push(`action told: ${(ctx.signal.reason as { code: string }).code}`);
            await held.opened;
            log.push('action ended');
          },
        },
      })
      .spawn();
    const going = rejection(ref.request({ type: 'GO' }));
    const waiting = rejection(ref.waitFor('b'));
    await clock.settled();
    const releasing = group.release().then(() => log.push('released'));
    expect(await going).toMatchObject({ code: 'GROUP_RELEASED' });
    expect(await waiting).toMatchObject({ code: 'GROUP_RELEASED' });
    await clock.settled();
    expect(log).toEqual(['action told: GROUP_RELEASED', 'activity told']);
    expect(group.stats()).toMatchObject({
      machines: 0,
      timers: 0,
      activities: 0,
      running: 0,
      pendingRequests: 0,
    });
    held.open();
    await releasing;
    expect(log.slice(2).toSorted()).toEqual(['action ended', 'activity ended', 'released']);
    expect(log.at(-1)).toBe('released');
    expect(clock.scheduled).toBe(0);
  });

  it('of many machines lets the event loop go on in between, and lets nothing be done meanwhile', async () => {
    const group = groupOf('many');
    const sinks = group.register(sink);
    const refs = await Promise.all(Array.from({ length: 2_000 }, () => sinks.spawn()));
    await expect(group.broadcast({ type: 'HIT' })).resolves.toBe(2_000);
    await group.drain();
    expect(refs.every((ref) => ref.snapshot().context.got === 1)).toBe(true);
    const last = refs.at(-1) as (typeof refs)[number];
    const queued = rejection(last.request({ type: 'HIT' }));
    const releasing = group.release();
    const { machines } = group.stats();
    expect([machines > 0, machines < 2_000]).toEqual([true, true]);
    expect(globalOrchestrator().groups()).not.toContain(group);
    expect(await queued).toMatchObject({ code: 'GROUP_RELEASED' });
    await releasing;
    expect(group.stats()).toMatchObject({ machines: 0, queued: 0, disposed: 2_000, processed: 4_000 });
  });

  it('waits no longer than its limit for what heeds no signal', async () => {
    const lines: string[] = [];
    const logger = { debug() {}, info() {}, warn: (line: string) => void lines.push(line), error() {} };
    const { group, clock } = timedGroup('stubborn', { releaseTimeoutMs: 300, logger });
    const stubborn = defineMachine({
      id: 'stubborn',
      initial: 'a',
      states: { a: { invoke: { src: 'work' } } },
    });
    const held = gate();
    await group.register(stubborn, { activities: { work: () => held.opened } }).spawn();
    let released = false;
    const releasing = group.release().then(() => (released = true));
    await clock.advance(299);
    expect(released).toBe(false);
    await clock.advance(1);
    await releasing;
    expect(lines).toEqual(['1 actions or activities did not heed their signal within 300 ms']);
    held.open();
  });

  it('is what `await using` does, and ends subscriptions', async () => {
    const group = globalOrchestrator().createChannelGroup('used');
    const stream = group.subscribe();
    await group.register(sink).spawn({ id: 'x' });
    await group[Symbol.asyncDispose]();
    const types: string[] = [];
    for await (const { type } of stream) types.push(type);
    expect(types).toEqual(['spawned', 'stopped']);
    expect(group.released).toBe(true);
    const refused = expect.objectContaining({ code: 'GROUP_RELEASED', group: 'used' });
    expect(() => group.register(sender)).toThrow(refused);
    expect(() => group.subscribe()).toThrow(refused);
    expect(await rejection(group.spawn(sink))).toEqual(refused);
    expect(await rejection(group.broadcast({ type: 'HIT' }))).toEqual(refused);
    await expect(group.drain()).resolves.toBeUndefined();
  });
});

describe('drain', () => {
  it('settles when nothing is queued and no action under way, or gives up', async () => {
    const { group, clock } = timedGroup('drain');
    await expect(group.drain()).resolves.toBeUndefined();
    const held = gate();
    const ref = await group.register(sender, { actions: { act: () => held.opened } }).spawn();
    await ref.send({ type: 'GO' });
    await ref.send({ type: 'GO' });
    const abort = new AbortController();
    const waits = [
      rejection(group.drain({ timeoutMs: 40 })),
      rejection(group.drain({ signal: abort.signal })),
    ];
    const drained = group.drain();
    await clock.advance(40);
    abort.abort(new Error('enough'));
    expect(await Promise.all(waits)).toMatchObject([
      { code: 'DRAIN_TIMEOUT', queued: 1, running: 1 },
      new Error('enough'),
    ]);
    held.open();
    await drained;
    expect(group.stats()).toMatchObject({ queued: 0, running: 0, processed: 3 });
  });
});

describe('the process', () => {
  const key = Symbol.for('@nestjs-orchestrator/core');
  const place = globalThis as { [key]?: { protocol: number } };
  const original = place[key];
  afterEach(() => {
    if (original === undefined) delete place[key];
    else place[key] = original;
    vi.resetModules();
  });

  it('has one orchestrator for two copies of the package', async () => {
    const mine = groupOf('mine', { reachableFrom: ['theirs'] });
    const ref = await mine.register(sink).spawn({ id: 'sink' });
    vi.resetModules();
    const copy = await import('@nestjs-orchestrator/core');
    const engine = await import('@nestjs-orchestrator/statechart');
    expect(copy.globalOrchestrator).not.toBe(globalOrchestrator);
    const theirs = copy.globalOrchestrator().createChannelGroup('theirs');
    expect(theirs.groupId).toBeGreaterThan(mine.groupId);
    const machine = engine.defineMachine({
      id: 'other',
      initial: 'a',
      states: { a: { on: { GO: { actions: 'act' } } } },
    });
    const other = await theirs
      .register(machine, {
        actions: { act: (ctx) => ctx.send({ group: 'mine', machine: 'sink' }, { type: 'HIT' }) },
      })
      .spawn();
    await other.request({ type: 'GO' });
    await mine.drain();
    expect(ref.snapshot().context.got).toBe(1);
    expect(copy.globalOrchestrator().stats()).toEqual(globalOrchestrator().stats());
    expect(globalOrchestrator().groups()).toContain(theirs);
    await theirs.release();
  });

  it('has clusters in which a name that is not clear here is sought elsewhere, whichever copy has the groups', async () => {
    groupOf('namesakes');
    groupOf('namesakes');
    vi.resetModules();
    const { createOrchestrator } = await import('@nestjs-orchestrator/core');
    const { memoryNetwork, memoryTransport } = await import('@nestjs-orchestrator/core/memory');
    const member = await createOrchestrator({
      name: 'member',
      cluster: 'copies',
      endpoint: 'one',
      type: 'memory',
      transports: { memory: memoryTransport(memoryNetwork()) },
    });
    const elsewhere = member.ref({ cluster: 'copies', group: 'namesakes', machine: 'nobody' });
    await expect(elsewhere.send({ type: 'HIT' })).rejects.toMatchObject({ code: 'UNKNOWN_MACHINE' });
    await member.release();
  });

  it('refuses a copy with another protocol', () => {
    globalOrchestrator();
    place[key] = { protocol: 99 };
    expect(() => globalOrchestrator()).toThrow(
      expect.objectContaining({ code: 'ORCHESTRATOR_PROTOCOL', found: 99, expected: 1 }),
    );
  });

  it('gives the pool to the first comer, and warns of other wishes', async () => {
    delete place[key];
    vi.resetModules();
    const { globalOrchestrator: first } = await import('@nestjs-orchestrator/core');
    const lines: unknown[] = [];
    const logger = { debug() {}, info() {}, warn: (...line: unknown[]) => void lines.push(line), error() {} };
    expect(first({ poolSize: 4, logger }).stats().pool.channels).toBe(4);
    first({ poolSize: 4, logger });
    expect(lines).toEqual([]);
    expect(first({ poolSize: 8, logger }).stats().pool.channels).toBe(4);
    expect(lines).toEqual([
      ["The pool of this process exists already: option 'poolSize' stays 4", { wished: 8 }],
    ]);
  });

  it('counts nothing where metrics are off', async () => {
    delete place[key];
    vi.resetModules();
    const { globalOrchestrator: first } = await import('@nestjs-orchestrator/core');
    const engine = await import('@nestjs-orchestrator/statechart');
    const group = first({ enableMetrics: false }).createChannelGroup('unmetered');
    const counted: string[] = [];
    group.observe({ count: (name) => counted.push(name) });
    const machine = engine.defineMachine({ id: 'm', initial: 'a', states: { a: { on: { GO: {} } } } });
    const ref = await group.register(machine).spawn();
    await ref.request({ type: 'GO' });
    expect(group.stats()).toMatchObject({ processed: 0, registered: 0, machines: 1, latency: { count: 0 } });
    expect(counted).toEqual([]);
    await group.release();
  });
});
