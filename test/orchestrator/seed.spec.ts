import { type ChannelGroup, globalOrchestrator, type MachineRef } from '@nestjs-orchestrator/core';
import { assign, defineMachine } from '@nestjs-orchestrator/statechart';
import { describe, expect, it } from 'vitest';
import { groupOf, recordsOf } from './support.js';

const counter = defineMachine(
  {
    id: 'counter',
    initial: 'counting',
    context: { seen: [] as readonly string[] },
    states: { counting: { on: { ADD: { actions: 'note' } } } },
  },
  {
    actions: {
      note: assign<{ seen: readonly string[] }>(({ context, event }) => ({
        seen: [...context.seen, event['from']],
      })),
    },
  },
);

const seen = (ref: MachineRef): readonly string[] =>
  (ref.snapshot().context as { seen: readonly string[] }).seen;

/** The test cases that the seed of the orchestrator lists, by its names. */
describe('the global orchestrator', () => {
  it('singleton: every call gives the same one', () => {
    expect(globalOrchestrator()).toBe(globalOrchestrator());
  });

  it('isolation: groups with machines of the same names hear nothing of each other', async () => {
    const groups = [groupOf('a'), groupOf('b'), groupOf('c')];
    for (const group of groups) {
      const counters = group.register(counter);
      await counters.spawn({ id: 'one' });
      await counters.spawn({ id: 'two' });
    }
    await Promise.all(
      groups.flatMap((group, at) =>
        ['one', 'two'].flatMap((id) =>
          Array.from({ length: 20 }, () => group.ref(id).send({ type: 'ADD', from: `${at}${id}` })),
        ),
      ),
    );
    await Promise.all(groups.map((group) => group.broadcast({ type: 'ADD', from: group.name })));
    await Promise.all(groups.map((group) => group.drain()));
    for (const [at, group] of groups.entries()) {
      for (const id of ['one', 'two']) {
        expect(seen(group.ref(id))).toEqual([...Array.from({ length: 20 }, () => `${at}${id}`), group.name]);
      }
    }
  });

  it('concurrent creation: a thousand groups made at once have numbers of their own', async () => {
    const made = await Promise.all(Array.from({ length: 1_000 }, async (_, at) => groupOf(`made-${at}`)));
    expect(new Set(made.map(({ groupId }) => groupId)).size).toBe(1_000);
    const all = new Set(globalOrchestrator().groups());
    expect(made.filter((group) => !all.has(group))).toEqual([]);
    await Promise.all(made.map((group) => group.release()));
    const left = new Set(globalOrchestrator().groups());
    expect(made.filter((group) => left.has(group))).toEqual([]);
  });

  it('clean-up: a released group has no machines, no queue and no listeners left', async () => {
    const group = groupOf('cleaned');
    const stopped = recordsOf(group, 'stopped');
    const counters = group.register(counter);
    const ref = await counters.spawn({ id: 'one' });
    await group.release();
    expect(group.released).toBe(true);
    expect(stopped.map(({ machine, reason }) => [machine.id, reason])).toEqual([['one', 'released']]);
    expect(group.stats()).toMatchObject({ machines: 0, queued: 0, disposed: 1 });
    expect(group.health().status).toBe('released');
    await expect(ref.send({ type: 'ADD' })).rejects.toMatchObject({
      code: 'GROUP_RELEASED',
      groupId: group.groupId,
    });
    expect(() => group.ref('one')).toThrow(expect.objectContaining({ code: 'GROUP_RELEASED' }));
    await expect(group.release()).resolves.toBeUndefined();
  });

  it('id format: {base}#{group}#{uuid}, and the base alone is unique in the group', async () => {
    const group = groupOf('ids');
    const ref = await group.register(counter).spawn({ id: 'front-door' });
    expect(ref.id).toBe('front-door');
    expect(ref.scopedId).toMatch(
      new RegExp(
        `^front-door#${group.groupId}#[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`,
      ),
    );
    expect(ref.scopedId).toBe(group.ref('front-door').scopedId);
  });

  it('auto-growth: a load above the budgets makes channels, and the events keep their order', async () => {
    const group = groupOf('growing');
    const counters = group.register(counter);
    const refs = await Promise.all(Array.from({ length: 100 }, (_, at) => counters.spawn({ id: `m${at}` })));
    const before = globalOrchestrator().stats().pool;
    for (let at = 0; at < 300; at += 1) {
      for (const ref of refs) void ref.send({ type: 'ADD', from: String(at) });
    }
    const { pool } = globalOrchestrator().stats();
    expect(pool.channels).toBeGreaterThan(16);
    expect(pool.growths).toBeGreaterThan(before.channels > 16 ? before.growths - 1 : before.growths);
    await group.drain();
    const order = Array.from({ length: 300 }, (_, at) => String(at));
    for (const ref of refs) expect(seen(ref)).toEqual(order);
  });

  it('metrics: what is done is counted, in the group and in the process', async () => {
    const before = globalOrchestrator().stats();
    const group = groupOf('metered');
    const ref = await group.register(counter).spawn();
    await ref.request({ type: 'ADD', from: 'x' });
    await ref.request({ type: 'UNKNOWN' } as never);
    await ref.stop();
    const stats = group.stats();
    expect(stats).toMatchObject({ registered: 1, disposed: 1, processed: 3, failed: 0, machines: 0 });
    expect(stats.latency.count).toBe(2);
    expect(stats.latency.max).toBeGreaterThan(0);
    await group.release();
    const after = globalOrchestrator().stats();
    expect(after.registered).toBe(before.registered + 1);
    expect(after.processed).toBe(before.processed + 3);
  });

  it('parallel execution: groups that work at the same time do not disturb each other', async () => {
    const work = async (group: ChannelGroup): Promise<readonly string[]> => {
      const ref = await group.register(counter).spawn({ id: 'same' });
      for (let at = 0; at < 50; at += 1) await ref.request({ type: 'ADD', from: `${group.name}${at}` });
      return seen(ref);
    };
    const groups = Array.from({ length: 20 }, (_, at) => groupOf(`parallel-${at}`));
    const logs = await Promise.all(groups.map(work));
    for (const [at, log] of logs.entries()) {
      expect(log).toEqual(Array.from({ length: 50 }, (_, n) => `parallel-${at}${n}`));
    }
  });
});
