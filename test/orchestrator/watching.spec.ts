import type { OrchestratorRecord } from '@nestjs-orchestrator/core';
import { defineMachine } from '@nestjs-orchestrator/statechart';
import { describe, expect, it } from 'vitest';
import { gate, groupOf, rejection, timedGroup } from './support.js';

const light = defineMachine({
  id: 'light',
  initial: 'off',
  states: { off: { on: { FLIP: { target: 'on', actions: 'act' } } }, on: { on: { FLIP: 'off' } } },
});
const harmless = { actions: { act() {} } };

describe('subscribers', () => {
  it('are told everything in order, or what they ask for, until they leave', async () => {
    const group = groupOf('listeners');
    const [all, some]: [OrchestratorRecord[], OrchestratorRecord[]] = [[], []];
    group.subscribe((record) => void all.push(record));
    const leave = group.subscribe((record) => void some.push(record), { only: ['stopped', 'transition'] });
    const ref = await group.register(light, harmless).spawn({ id: 'x' });
    await ref.request({ type: 'FLIP' });
    await ref.request({ type: 'UNKNOWN' } as never);
    leave();
    await ref.stop();
    expect(all.map(({ type }) => type)).toEqual(['spawned', 'transition', 'stopped']);
    expect(some).toMatchObject([
      { type: 'transition', event: { type: 'FLIP' }, machine: { id: 'x', definition: 'light' } },
    ]);
    const [flip] = some as [Extract<OrchestratorRecord, { type: 'transition' }>];
    expect([flip.before, flip.after].map(({ configuration }) => configuration.toJSON())).toEqual([
      ['light.off'],
      ['light.on'],
    ]);
  });

  it('that iterate get what comes while they are slow, and a count of what was too much', async () => {
    const group = groupOf('stream');
    const stream = group.subscribe({ only: ['transition'], buffer: 3 });
    const ref = await group.register(light, harmless).spawn();
    const first = stream.next();
    for (let at = 0; at < 6; at += 1) await ref.request({ type: 'FLIP' });
    expect(stream.lost).toBe(2);
    await expect(first).resolves.toMatchObject({ done: false, value: { type: 'transition' } });
    const rest: OrchestratorRecord[] = [];
    for await (const record of stream) {
      rest.push(record);
      if (rest.length === 2) break;
    }
    await ref.request({ type: 'FLIP' });
    await expect(stream.next()).resolves.toMatchObject({ done: false });
    await expect(stream.next()).resolves.toEqual({ done: true, value: undefined });
  });

  it('that throw disturb nobody, and neither does a logger', async () => {
    const bad = (): never => {
      throw new Error('bad');
    };
    const group = groupOf('throwing', { logger: { debug: bad, info: bad, warn: bad, error: bad } });
    const thrown: unknown[] = [];
    const previous = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => thrown.push(error));
    try {
      const seen: string[] = [];
      group.subscribe(bad, { only: ['spawned'] });
      group.subscribe(({ type }) => void seen.push(type), { only: ['spawned', 'transition'] });
      const lights = group.register(light, {
        actions: { act: (ctx) => (ctx.machine.id === 'bad' ? bad() : undefined) },
      });
      const [failing, sound] = [await lights.spawn({ id: 'bad' }), await lights.spawn({ id: 'good' })];
      expect(await rejection(failing.request({ type: 'FLIP' }))).toMatchObject({ code: 'STEP_FAILED' });
      await expect(sound.request({ type: 'FLIP' })).resolves.toMatchObject({ changed: true });
      await group.settled();
      await new Promise((resolve) => setImmediate(resolve));
      expect(seen).toEqual(['spawned', 'spawned', 'transition']);
      expect(thrown).toEqual([new Error('bad'), new Error('bad'), new Error('bad')]);
    } finally {
      process.removeAllListeners('uncaughtException');
      for (const listener of previous) process.on('uncaughtException', listener);
    }
  });
});

describe('metrics', () => {
  it('move with what they count, and listeners are told of each', async () => {
    const { group, clock } = timedGroup('metrics', { actionTimeoutMs: 100 });
    const counted: Record<string, number> = {};
    const leave = group.observe({
      count(name, definition) {
        const key = `${name} ${definition}`;
        counted[key] = (counted[key] ?? 0) + 1;
      },
    });
    const held = gate();
    let act: () => void | Promise<void> = () => {
      throw new Error('no');
    };
    const ref = await group.register(light, { actions: { act: () => act() } }).spawn();
    await rejection(ref.request({ type: 'FLIP' }));
    act = () => held.opened;
    const late = rejection(ref.request({ type: 'FLIP' }));
    const queued = rejection(ref.request({ type: 'FLIP' }, { timeoutMs: 50 }));
    await clock.settled();
    expect(group.stats()).toMatchObject({ machines: 1, running: 1, queued: 1, pendingRequests: 2 });
    await clock.advance(100);
    await Promise.all([late, queued]);
    await ref.send({ type: 'FLIP' });
    await clock.settled();
    while (ref.trySend({ type: 'FLIP' }));
    const stopping = ref.stop();
    held.open();
    await stopping;
    expect(counted).toEqual({
      'registered light': 1,
      'processed light': 1,
      'failed light': 2,
      'timedOut light': 2,
      'throttled light': 1,
      'disposed light': 1,
    });
    const { registered, processed, failed, timedOut, throttled, disposed } = group.stats();
    expect([registered, processed, failed, timedOut, throttled, disposed]).toEqual([1, 1, 2, 2, 1, 1]);
    leave();
    await group.spawn(light);
    expect(counted['registered light']).toBe(1);
  });

  it('measure requests from acceptance to the end of their step', async () => {
    let now = 0;
    const clock = {
      now: () => now,
      monotonic: () => now,
      storeNow: () => null,
      schedule: () => ({ cancel() {} }),
    };
    const scheduler = { soon: queueMicrotask, nextTurn: (task: () => void) => void setImmediate(task) };
    const group = groupOf('latency', { clock, scheduler });
    const told: unknown[] = [];
    group.observe({ latency: (milliseconds, definition) => told.push([milliseconds, definition]) });
    const ref = await group.register(light, { actions: { act: () => void (now += 8) } }).spawn();
    await ref.request({ type: 'FLIP' });
    await ref.request({ type: 'FLIP' });
    expect(told).toEqual([
      [8, 'light'],
      [0, 'light'],
    ]);
    expect(group.stats().latency).toMatchObject({ count: 2, max: 8, mean: 4 });
  });
});
