import { type ChannelGroup, createOrchestrator, globalOrchestrator } from '@nestjs-orchestrator/core';
import { memoryNetwork, memoryTransport } from '@nestjs-orchestrator/core/memory';
import { defineMachine } from '@nestjs-orchestrator/statechart';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createMachine, fromPromise } from 'xstate';
import { gate, groupOf, rejection } from './support.js';

const light = defineMachine({
  id: 'light',
  initial: 'off',
  states: { off: { on: { ON: { target: 'on', actions: 'act' } } }, on: { on: { OFF: 'off' } } },
});
const withAction = (act: () => void | Promise<void>): { actions: { act: () => void | Promise<void> } } => ({
  actions: { act },
});

/** A bystander that must notice nothing of what others do. */
async function bystander(group: ChannelGroup): Promise<() => Promise<void>> {
  const calm = defineMachine({ id: 'calm', initial: 'a', states: { a: { on: { TICK: {} } } } });
  const ref = await group.register(calm).spawn();
  return async () => {
    await expect(ref.request({ type: 'TICK' })).resolves.toMatchObject({ changed: true });
  };
}

describe('registration refuses', () => {
  it('names that nobody bound, and lists them all', () => {
    const machine = defineMachine({
      id: 'unbound',
      initial: 'a',
      states: {
        a: { entry: 'x', after: { soon: 'b' }, on: { GO: { target: 'b', guard: 'may' } } },
        b: { invoke: { src: 'work' } },
      },
    });
    const group = groupOf('unbound');
    expect(() => group.register(machine, { actions: { x() {} } })).toThrow(
      expect.objectContaining({
        code: 'UNBOUND_NAMES',
        machine: 'unbound',
        names: [
          expect.objectContaining({ kind: 'guard', name: 'may' }),
          expect.objectContaining({ kind: 'delay', name: 'soon' }),
          expect.objectContaining({ kind: 'activity', name: 'work', path: 'unbound.states.b.invoke.src' }),
        ],
      }),
    );
    const all = {
      actions: { x() {} },
      guards: { may: () => true },
      delays: { soon: 5 },
      activities: { work() {} },
    };
    expect(group.register(machine, all).machine).toBe(machine);
  });

  it('a definition twice, and another one of its id', () => {
    const group = groupOf('twice');
    group.register(
      light,
      withAction(() => {}),
    );
    expect(() =>
      group.register(
        light,
        withAction(() => {}),
      ),
    ).toThrow(expect.objectContaining({ code: 'DUPLICATE_MACHINE' }));
    const other = defineMachine({ id: 'light', initial: 'a', states: { a: {} } });
    expect(() => group.register(other)).toThrow(
      expect.objectContaining({ code: 'DUPLICATE_MACHINE', machine: 'light' }),
    );
  });

  it('logic that is not run here', () => {
    const machine = defineMachine(
      createMachine({
        id: 'foreign',
        initial: 'a',
        states: { a: { invoke: { src: fromPromise(async () => 1) } } },
      }) as object,
    );
    expect(() => groupOf('foreign').register(machine)).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_LOGIC' }),
    );
  });
});

describe('a machine is not started', () => {
  it.each([['with#hash'], [''], ['x'.repeat(257)], [7 as never], ['half a \ud83d'], ['\ude42']])(
    'under the id %j',
    async (id) => {
      const group = groupOf('ids');
      group.register(
        light,
        withAction(() => {}),
      );
      expect(await rejection(group.spawn(light, { id }))).toMatchObject({ code: 'MACHINE_ID', id });
    },
  );

  it('under an id in use, of an unknown definition, or beyond the limit', async () => {
    const group = groupOf('starts', { maxMachines: 2 });
    expect(await rejection(group.spawn(light))).toMatchObject({
      code: 'UNKNOWN_MACHINE',
      kind: 'definition',
      machine: 'light',
    });
    group.register(
      light,
      withAction(() => {}),
    );
    const ref = await group.spawn(light, { id: 'x' });
    expect(await rejection(group.spawn(light, { id: 'x' }))).toMatchObject({
      code: 'DUPLICATE_MACHINE_ID',
      id: 'x',
    });
    expect(group.ref('x')).toBe(ref);
    await group.spawn(light);
    expect(await rejection(group.spawn(light))).toMatchObject({
      code: 'QUEUE_CEILING',
      limit: 'maxMachines',
      most: 2,
    });
  });
});

describe('an event is refused', () => {
  const cycle: Record<string, unknown> = { type: 'ON', order: { items: [1] } };
  (cycle['order'] as Record<string, unknown>)['back'] = { up: cycle['order'] };
  let deep: object = {};
  for (let at = 0; at < 100; at += 1) deep = { deep };

  it.each([
    ['undefined', undefined, { code: 'EVENT_INVALID' }],
    ['a text', 'ON', { code: 'EVENT_INVALID', found: "'ON'" }],
    [
      'an object without a type',
      { name: 'ON' },
      { code: 'EVENT_INVALID', found: 'an object without a type' },
    ],
    ['an empty type', { type: '' }, { code: 'EVENT_INVALID' }],
    ['a type that is no text', { type: 5 }, { code: 'EVENT_INVALID' }],
    ['a wildcard', { type: '*' }, { code: 'EVENT_INVALID' }],
    ["the engine's own", { type: 'xstate.done.actor.x' }, { code: 'EVENT_INVALID' }],
    ['a cycle', cycle, { code: 'EVENT_PAYLOAD', path: 'event.order.back.up', reason: 'cycle' }],
    ['too deep a payload', { type: 'ON', deep }, { code: 'EVENT_PAYLOAD', reason: 'too-deep' }],
    [
      'too large a payload',
      { type: 'ON', list: Array.from({ length: 80 }, () => [1]) },
      { code: 'EVENT_PAYLOAD', reason: 'too-large' },
    ],
  ])('%s, wherever it is sent', async (_, event, error) => {
    const group = groupOf('events', { maxEventValues: 70 });
    const undisturbed = await bystander(group);
    const errors: unknown[] = [];
    const sender = defineMachine({
      id: 'sender',
      initial: 'a',
      states: { a: { on: { GO: { actions: 'act' } } } },
    });
    const ref = await group
      .register(
        light,
        withAction(() => {}),
      )
      .spawn({ id: 'x' });
    const bad = event as never;
    expect(await rejection(ref.send(bad))).toMatchObject(error);
    expect(() => ref.trySend(bad)).toThrow(expect.objectContaining(error));
    expect(await rejection(ref.request(bad))).toMatchObject(error);
    expect(await rejection(group.broadcast(bad))).toMatchObject(error);
    const sends = await group
      .register(sender, {
        actions: {
          act(ctx) {
            for (const send of [
              () => ctx.send('x', bad),
              () => ctx.sendSelf(bad),
              () => ctx.sendAfter(1, bad),
            ]) {
              try {
                send();
              } catch (caught) {
                errors.push(caught);
              }
            }
          },
        },
      })
      .spawn();
    await sends.request({ type: 'GO' });
    expect(errors).toMatchObject([error, error, error]);
    expect(group.stats()).toMatchObject({ queued: 0, failed: 0 });
    await undisturbed();
  });

  it('by a machine that was stopped, and by nobody of that name', async () => {
    const group = groupOf('stopped');
    const ref = await group
      .register(
        light,
        withAction(() => {}),
      )
      .spawn({ id: 'x' });
    await ref.stop();
    await ref.stop();
    const error = { code: 'MACHINE_STOPPED', machine: 'x', reason: 'stopped' };
    expect(await rejection(ref.send({ type: 'ON' }))).toMatchObject(error);
    expect(() => ref.trySend({ type: 'ON' })).toThrow(expect.objectContaining(error));
    expect(await rejection(ref.request({ type: 'ON' }))).toMatchObject(error);
    expect(() => group.ref('x')).toThrow(
      expect.objectContaining({ code: 'UNKNOWN_MACHINE', machine: 'x', kind: 'id' }),
    );
    expect(group.find('x')).toBeUndefined();
  });
});

describe('a target', () => {
  it.each([null, undefined, 7, true])(
    'of %s is no machine, in the same process and over a transport',
    async (target) => {
      const address = expect.objectContaining({ code: 'MACHINE_ADDRESS', address: String(target) }) as Error;
      const transports = { memory: memoryTransport(memoryNetwork()) };
      for (const type of ['in-process', 'memory']) {
        const group = await createOrchestrator({ name: `targets-${type}`, type, transports });
        onTestFinished(() => group.release());
        group.register(light, { actions: { act: (ctx) => ctx.send(target as never, { type: 'OFF' }) } });
        expect(() => group.ref(target as never)).toThrow(address);
        const failed = await rejection((await group.spawn(light)).request({ type: 'ON' }));
        expect(failed.cause).toEqual(address);
      }
    },
  );
});

describe('a full channel', () => {
  it('lets outside senders wait in line, says no to trySend, and refuses beyond the limit', async () => {
    const group = groupOf('full', { maxWaitingSenders: 2 });
    const held = gate();
    const log: string[] = [];
    const noting = defineMachine({
      id: 'noting',
      initial: 'a',
      states: { a: { on: { HOLD: { actions: 'hold' }, N: { actions: 'note' } } } },
    });
    const ref = await group
      .register(noting, {
        actions: {
          hold: () => held.opened,
          note: (ctx) => void log.push(String((ctx.event as { n?: number }).n)),
        },
      })
      .spawn();
    const undisturbed = await bystander(group);
    await ref.send({ type: 'HOLD' });
    await group.settled();
    let n = 0;
    while (ref.trySend({ type: 'N', n })) n += 1;
    expect(n).toBeGreaterThan(100);
    const waiting = ref.send({ type: 'N', n });
    expect(ref.trySend({ type: 'N', n: -1 })).toBe(false);
    const asked = ref.request({ type: 'N', n: n + 1 });
    expect(group.stats()).toMatchObject({ waitingSenders: 2, throttled: 4 });
    expect(group.health()).toMatchObject({ status: 'degraded', reasons: ['2 senders wait for room'] });
    expect(await rejection(ref.send({ type: 'N', n: -1 }))).toMatchObject({
      code: 'QUEUE_CEILING',
      limit: 'maxWaitingSenders',
    });
    await undisturbed();
    held.open();
    await waiting;
    await asked;
    expect(log).toEqual(Array.from({ length: n + 2 }, (_, at) => String(at)));
    expect(group.health().status).toBe('healthy');
  });

  it('forgets a request that waited in line for too long, and stops those in line with the machine', async () => {
    const group = groupOf('line');
    const held = gate();
    const ref = await group
      .register(
        light,
        withAction(() => held.opened),
      )
      .spawn();
    await ref.send({ type: 'ON' });
    await group.settled();
    while (ref.trySend({ type: 'OFF' }));
    const abort = new AbortController();
    const asked = rejection(ref.request({ type: 'OFF' }, { signal: abort.signal }));
    const waiting = rejection(ref.send({ type: 'OFF' }));
    abort.abort(new Error('enough'));
    expect(await asked).toEqual(new Error('enough'));
    expect(group.stats().waitingSenders).toBe(1);
    const stopping = ref.stop();
    expect(await waiting).toMatchObject({ code: 'MACHINE_STOPPED' });
    held.open();
    await stopping;
    expect(group.stats()).toMatchObject({ waitingSenders: 0, queued: 0, running: 0 });
  });
});

describe('options are refused', () => {
  it.each([
    ['maxMachines', 0],
    ['maxQueued', 1.5],
    ['actionTimeoutMs', -1],
    ['requestTimeoutMs', Number.NaN],
    ['releaseTimeoutMs', '5'],
  ])('of a group: %s = %j', (option, value) => {
    const make = (): unknown => globalOrchestrator().createChannelGroup('x', { [option]: value });
    expect(make).toThrow(expect.objectContaining({ code: 'ORCHESTRATOR_OPTION', option, value }));
  });

  it.each([
    ['poolSize', 0],
    ['maxPoolSize', 3],
    ['growthFactor', 1],
    ['shrinkThreshold', 1],
    ['allowGrowth', 'yes'],
    ['sliceMs', 0],
  ])('of the pool: %s = %j', (option, value) => {
    expect(() => globalOrchestrator({ [option]: value })).toThrow(
      expect.objectContaining({ code: 'ORCHESTRATOR_OPTION', option, value }),
    );
  });

  it('a group without a name', () => {
    expect(() => globalOrchestrator().createChannelGroup('')).toThrow(
      expect.objectContaining({ code: 'ORCHESTRATOR_OPTION', option: 'name' }),
    );
  });
});
