import {
  assign,
  defineMachine,
  DistributedStateStore,
  type DurableActionContext,
  durableMachines,
  type DurableMachines,
  DurableLogicError,
  emit,
  matches,
  OwnerFencedError,
  sendTo,
} from '@nestjs-orchestrator/core';
import { memoryStore } from '@nestjs-orchestrator/core/memory';
import type { InstanceStore } from '@nestjs-orchestrator/core/ports';
import { countedIds, faultPoints, VirtualClock } from '@nestjs-orchestrator/testing';
import { array, assert, asyncProperty, constant, constantFrom, integer, oneof, record } from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';

const counter = defineMachine({
  id: 'counter',
  context: { count: 0 },
  initial: 'open',
  states: {
    open: {
      on: {
        ADD: {
          actions: [assign({ count: ({ context }) => (context as { count: number }).count + 1 }), 'tell'],
        },
        CLOSE: 'closed',
        TELL: { actions: 'say' },
      },
      after: { 60_000: 'late' },
    },
    late: { entry: 'tell' },
    closed: { type: 'final' },
  },
});

let store: InstanceStore;
let clock: VirtualClock;
let told: { readonly id: string; readonly effect: string }[];

beforeEach(() => {
  store = memoryStore();
  clock = new VirtualClock();
  told = [];
});

const actions = {
  tell: (ctx: DurableActionContext) => {
    told.push({ id: ctx.machine.id, effect: ctx.effectId });
    ctx.reply(`told ${told.length}`);
  },
  say: (ctx: DurableActionContext) => ctx.send((ctx.event as unknown as { to: string }).to, { type: 'ADD' }),
};

/** A process with counters in it. */
async function process(name: string, faults = faultPoints()): Promise<DurableMachines> {
  const machines = durableMachines({ store, clock, ids: countedIds(name), faults });
  machines.register(counter, { actions });
  await machines.start();
  return machines;
}

describe('a durable machine', () => {
  it('keeps its state over the end of its process, and its id is taken for good', async () => {
    const first = await process('a');
    const ref = await first.spawn(counter, { id: 'c-1' });
    expect(await ref.request({ type: 'ADD' })).toEqual({ changed: true, duplicate: false, reply: 'told 1' });
    await first.close();
    await expect(ref.send({ type: 'ADD' })).rejects.toMatchObject({ code: 'GROUP_RELEASED' });
    const second = await process('b');
    const again = second.ref(counter, 'c-1');
    expect((await again.snapshot()).context).toEqual({ count: 1 });
    await again.send({ type: 'ADD' });
    expect((await again.snapshot()).context).toEqual({ count: 2 });
    await expect(second.spawn(counter, { id: 'c-1' })).rejects.toMatchObject({
      code: 'DUPLICATE_MACHINE_ID',
    });
  });

  it('handles one event of an id, whichever process it comes to', async () => {
    const first = await process('a');
    const ref = await first.spawn(counter, { id: 'c-1' });
    await ref.request({ type: 'ADD' }, { messageId: 'm-1' });
    expect(await ref.request({ type: 'ADD' }, { messageId: 'm-1' })).toMatchObject({ duplicate: true });
    await first.close();
    const second = await process('b');
    const again = await second.ref(counter, 'c-1').request({ type: 'ADD' }, { messageId: 'm-1' });
    expect(again).toEqual({ changed: false, duplicate: true, reply: undefined });
    expect((await ref.snapshot()).context).toEqual({ count: 1 });
  });

  it('a process that ends after the commit leaves what is to be done to the next one, under the same id', async () => {
    const faults = faultPoints();
    const first = await process('a', faults);
    const ref = await first.spawn(counter, { id: 'c-1' });
    const dead = faults.crashAt('durable.commit.after');
    void ref.request({ type: 'ADD' });
    await dead;
    expect(told).toEqual([]);
    const second = await process('b');
    expect(told.map(({ id }) => id)).toEqual(['c-1']);
    const [effect] = told;
    // The next commit clears it: it is not done again.
    await second.ref(counter, 'c-1').send({ type: 'TELL', to: 'c-2' } as never);
    await second.close();
    await process('c');
    expect(told.filter(({ effect: id }) => id === effect?.effect)).toHaveLength(1);
  });

  it('what is done is cleared with the next commit: the next process does only what may not have been', async () => {
    const first = await process('a');
    const ref = await first.spawn(counter, { id: 'c-1' });
    for (let each = 0; each < 3; each += 1) await ref.request({ type: 'ADD' });
    const effects = told.map(({ effect }) => effect);
    // It ends without a word: of the last effect nobody knows that it is done.
    await process('b');
    expect(told.map(({ effect }) => effect)).toEqual([...effects, effects.at(-1)]);
  });

  it('a timer and an outcome of a stay that is over count for nothing, also where they come before that is safe', async () => {
    const faults = faultPoints();
    let finish = (): void => undefined;
    const job = defineMachine({
      id: 'job',
      initial: 'working',
      context: {},
      states: {
        working: {
          invoke: { src: 'work', id: 'w', onDone: 'done' },
          after: { 10_000: 'late' },
          on: { RESTART: { target: 'working', reenter: true } },
        },
        done: {},
        late: {},
      },
    });
    const started: string[] = [];
    const machines = durableMachines({ store, clock, ids: countedIds('a'), faults });
    const work = (ctx: { activityId: string }): Promise<void> => {
      started.push(ctx.activityId);
      return new Promise((resolve) => (finish = resolve));
    };
    machines.register(job, { activities: { work } });
    await machines.start();
    const ref = await machines.spawn(job, { id: 'j-1' });
    const pause = faults.pauseAt('durable.commit.before');
    const restarted = ref.request({ type: 'RESTART' });
    await pause.reached;
    finish();
    await clock.advance(10_000);
    pause.resume();
    await restarted;
    expect(matches(await ref.snapshot(), 'working')).toBe(true);
    expect(new Set(started).size).toBe(2);
    finish();
    await clock.advance(1);
    expect(matches(await ref.snapshot(), 'done')).toBe(true);
  });

  it('a process that ends before the commit leaves nothing, and the event that comes again is handled', async () => {
    const faults = faultPoints();
    const first = await process('a', faults);
    const ref = await first.spawn(counter, { id: 'c-1' });
    const dead = faults.crashAt('durable.commit.before');
    void ref.request({ type: 'ADD' }, { messageId: 'm-1' });
    await dead;
    const second = await process('b');
    const result = await second.ref(counter, 'c-1').request({ type: 'ADD' }, { messageId: 'm-1' });
    expect(result.duplicate).toBe(false);
    expect((await second.ref(counter, 'c-1').snapshot()).context).toEqual({ count: 1 });
  });

  it('a timer is due at its instant, also where nobody was there in between', async () => {
    const first = await process('a');
    await first.spawn(counter, { id: 'c-1' });
    await clock.advance(20_000);
    await first.close();
    await clock.advance(30_000);
    const second = await process('b');
    await clock.advance(9_999);
    expect(told).toEqual([]);
    await clock.advance(1);
    expect(told.map(({ id }) => id)).toEqual(['c-1']);
    await second.close();
    await process('c');
    await clock.advance(60_000);
    expect(told).toHaveLength(1);
  });

  it('what an action sends arrives once, also where the action is repeated', async () => {
    const faults = faultPoints();
    const first = await process('a', faults);
    await first.spawn(counter, { id: 'c-2' });
    const ref = await first.spawn(counter, { id: 'c-1' });
    const dead = faults.crashAt('durable.effect.after');
    void ref.request({ type: 'TELL', to: 'c-2' } as never);
    await dead;
    const second = await process('b');
    await clock.advance(1);
    expect((await second.ref(counter, 'c-2').snapshot()).context).toEqual({ count: 1 });
    await second.close();
    const third = await process('c');
    await clock.advance(1);
    expect((await third.ref(counter, 'c-2').snapshot()).context).toEqual({ count: 1 });
  });

  it('a machine may send to itself', async () => {
    const machines = await process('a');
    const ref = await machines.spawn(counter, { id: 'c-1' });
    await ref.request({ type: 'TELL', to: 'c-1' } as never);
    await clock.advance(1);
    expect((await ref.snapshot()).context).toEqual({ count: 1 });
  });

  it('an action that fails is tried again, and given up after so many attempts; the machine goes on', async () => {
    let failures = 0;
    const machines = durableMachines({
      store,
      clock,
      ids: countedIds('a'),
      maxEffectAttempts: 3,
      effectRetryMs: 10,
    });
    const tell = (ctx: DurableActionContext): void => {
      failures += 1;
      if (failures < 3 || failures > 5) throw new Error('not now');
      ctx.reply('done');
    };
    machines.register(counter, { actions: { ...actions, tell } });
    await machines.start();
    const ref = await machines.spawn(counter, { id: 'c-1' });
    const first = ref.request({ type: 'ADD' });
    await clock.advance(30);
    expect(await first).toMatchObject({ reply: 'done' });
    failures = 5;
    const second = ref.request({ type: 'ADD' });
    await clock.advance(30);
    expect(await second).toMatchObject({ changed: true, reply: undefined });
    expect(failures).toBe(8);
  });

  it('an activity is started again where its machine goes, and its outcome counts once', async () => {
    const job = defineMachine({
      id: 'job',
      initial: 'working',
      context: {},
      states: {
        working: { invoke: { src: 'work', id: 'w', onDone: 'done' } },
        done: { entry: [emit({ type: 'FINISHED' }), sendTo('c-1', { type: 'ADD' })] },
      },
    });
    const started: string[] = [];
    const emitted: string[] = [];
    const make = async (name: string, work: () => unknown): Promise<DurableMachines> => {
      const onEmit = (_machine: string, { type }: { type: string }): number => emitted.push(type);
      const machines = durableMachines({ store, clock, ids: countedIds(name), onEmit });
      const run = (ctx: { activityId: string }): unknown => {
        started.push(ctx.activityId);
        return work();
      };
      machines.register(job, { activities: { work: run } });
      machines.register(counter, { actions });
      await machines.start();
      return machines;
    };
    const first = await make('a', () => new Promise(() => undefined));
    await first.spawn(counter, { id: 'c-1' });
    await first.spawn(job, { id: 'j-1' });
    await first.close();
    const second = await make('b', () => 'ready');
    await clock.advance(1);
    expect(started).toHaveLength(2);
    expect(started[0]).toBe(started[1]);
    expect(emitted).toEqual(['FINISHED']);
    expect((await second.ref(counter, 'c-1').snapshot()).context).toEqual({ count: 1 });
  });

  it('refuses children, whatever is no JSON, and events after its end', async () => {
    const machines = await process('a');
    const parent = defineMachine({
      id: 'parent',
      initial: 'a',
      states: { a: { invoke: { src: 'child', id: 'x' } } },
    });
    expect(() => machines.register(parent, { activities: { child: counter } })).toThrow(DurableLogicError);
    const ref = await machines.spawn(counter, { id: 'c-1' });
    await expect(ref.request({ type: 'ADD', at: new Date() } as never)).rejects.toMatchObject({
      code: 'NOT_JSON',
    });
    expect((await ref.snapshot()).context).toEqual({ count: 0 });
    await ref.request({ type: 'CLOSE' });
    await expect(ref.request({ type: 'ADD' })).rejects.toMatchObject({ code: 'MACHINE_STOPPED' });
    await expect(machines.ref(counter, 'nobody').send({ type: 'ADD' })).rejects.toMatchObject({
      code: 'UNKNOWN_MACHINE',
    });
  });

  it('an action that ends each process that runs it is given up after so many, and the machine goes on', async () => {
    let faults = faultPoints();
    const first = await process('life-0', faults);
    await first.spawn(counter, { id: 'c-1' });
    let dead = faults.crashAt('durable.effect.before');
    void first.ref(counter, 'c-1').request({ type: 'ADD' });
    await dead;
    for (let life = 1; life <= 5; life += 1) {
      faults = faultPoints();
      dead = faults.crashAt('durable.effect.before');
      void process(`life-${life}`, faults);
      await dead;
    }
    const last = await process('life-6');
    expect(await last.ref(counter, 'c-1').request({ type: 'ADD' })).toMatchObject({ reply: 'told 1' });
    expect((await last.ref(counter, 'c-1').snapshot()).context).toEqual({ count: 2 });
  });

  it('any order of events, repeats, deaths and restarts leaves each event applied once', async () => {
    const operation = oneof(
      record({ kind: constant('event' as const), message: integer({ min: 0, max: 6 }) }),
      record({
        kind: constant('death' as const),
        at: constantFrom('durable.commit.before', 'durable.commit.after', 'durable.effect.before'),
        message: integer({ min: 0, max: 6 }),
      }),
    );
    await assert(
      asyncProperty(array(operation, { maxLength: 12 }), async (operations) => {
        store = memoryStore();
        told = [];
        const applied = new Set<number>();
        let lives = 0;
        let faults = faultPoints();
        let machines = await process(`life-${lives}`, faults);
        await machines.spawn(counter, { id: 'c-1' });
        for (const each of operations) {
          const ref = machines.ref(counter, 'c-1');
          const messageId = `m-${each.message}`;
          if (each.kind === 'event') await ref.request({ type: 'ADD' }, { messageId });
          else {
            const repeat = applied.has(each.message);
            const dead = faults.crashAt(each.at);
            const asked = ref.request({ type: 'ADD' }, { messageId });
            // A repeat of what this process has not met may pass a commit point; one that it has done reaches none.
            await Promise.race([dead, asked]);
            if (repeat || each.at !== 'durable.commit.before') applied.add(each.message);
            lives += 1;
            faults = faultPoints();
            machines = await process(`life-${lives}`, faults);
            continue;
          }
          applied.add(each.message);
        }
        const { context } = await machines.ref(counter, 'c-1').snapshot();
        expect(context).toEqual({ count: applied.size });
        expect(new Set(told.map(({ effect }) => effect)).size).toBe(applied.size);
      }),
      { numRuns: 60 },
    );
  });
});

describe('an owner epoch', () => {
  const options = { group: 'g', owner: 'n' };

  it('a former owner can not write once the new one has taken over', async () => {
    const states = new DistributedStateStore({ ...options, store, clock });
    const machines = durableMachines({ store, clock, group: 'g', ids: countedIds('a') });
    machines.register(counter, { actions });
    await machines.start();
    const ref = await machines.spawn(counter, { id: 'c-1' });
    const found = await states.load('c-1', '');
    const stored = found?.read(counter);
    if (stored === undefined) throw new Error('There is no record.');
    // Another owner, of a later epoch, has it now.
    expect(await states.write(counter, 'c-1', { ...stored, epoch: 7 }, null, null)).toEqual({ version: 2 });
    await expect(ref.request({ type: 'ADD' })).rejects.toBeInstanceOf(OwnerFencedError);
    expect((await states.load('c-1', ''))?.version).toBe(2);
    expect(await states.write(counter, 'c-1', stored, 'm', null)).toBe('conflict');
  });

  it('the living machines of a partition are found, page by page', async () => {
    const states = new DistributedStateStore({ ...options, store, clock });
    const machines = durableMachines({ store, clock, group: 'other' });
    machines.register(counter, { actions });
    await machines.spawn(counter, { id: 'x' });
    const found = await new DistributedStateStore({ ...options, group: 'other', store, clock }).load('x', '');
    const stored = found?.read(counter);
    if (stored === undefined) throw new Error('There is no record.');
    for (let n = 0; n < 20; n += 1) {
      await states.write(counter, `c-${n}`, { ...stored, version: 0 }, null, n % 2);
    }
    const ids: string[] = [];
    for await (const { id } of states.living(1)) ids.push(id);
    expect(ids.toSorted()).toEqual(Array.from({ length: 10 }, (_, n) => `c-${2 * n + 1}`).toSorted());
    expect(await states.remove('c-1')).toBe(true);
    expect(await states.load('c-1', '')).toBeUndefined();
  });
});
