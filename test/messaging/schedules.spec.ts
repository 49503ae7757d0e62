import { message, type MessageContext } from '@nestjs-orchestrator/core';
import type { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import { silentLogger, type Clock, type Commit, type StoredInstance } from '@nestjs-orchestrator/core/ports';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { storeKinds } from '../saga/support.js';
import { openPlainCluster, type PlainCluster } from './support.js';

class Remind extends message('t.remind', z.object({ text: z.string() })) {}

/** What was heard: id of the message, text, due time of the schedule. */
class Ear {
  readonly heard: { readonly id: string; readonly text: string; readonly due: string | undefined }[] = [];

  readonly register = (host: OrchestratorHost): void =>
    host.registerHandler({
      message: Remind,
      name: 'ear.hear',
      handle: ({ id, message: { text }, headers }: MessageContext<Remind>) => {
        this.heard.push({ id, text, due: headers['schedule-due'] });
      },
    });

  get texts(): readonly string[] {
    return this.heard.map(({ text }) => text);
  }
}

const tea = new Remind({ text: 'tea' });
const after = (clock: Clock, ms: number): Date => new Date(clock.now() + ms);

/** The commit by which somebody else writes other data into an instance. */
function spoilt(instance: StoredInstance, data: string): Commit {
  const { tenant, saga, id, version, definitionVersion, state, status, machine, undo } = instance;
  return {
    ref: { tenant, saga, id },
    expectedVersion: version,
    lease: null,
    supersedes: null,
    next: { definitionVersion, state, status, data, machine, undo, ended: false, hold: null },
    keys: [],
    inbox: null,
    work: [],
    timers: { arm: [], disarm: [] },
    history: [],
    deliveries: { add: [], done: [] },
    wakeIfParked: null,
    done: [],
  };
}

/** The commit by which somebody else makes a schedule. */
function rivalOf(scheduleId: string): Commit {
  const ref = { tenant: 'default', saga: '$schedule', id: 'rival', version: 0 };
  const next = { definitionVersion: 1, state: 'waiting', status: 'running', machine: '{}', undo: '[]' };
  const commit = spoilt({ ...ref, ...next } as StoredInstance, '{}');
  return { ...commit, keys: [{ name: 'schedule', value: scheduleId }] };
}

/** Hours go by in these tests: nodes look seldom when nothing is due. */
const patient = { pollIntervalMs: 120_000, leaseMs: 120_000, sweepIntervalMs: 600_000 };

let cluster: PlainCluster | undefined;
afterEach(async () => cluster?.close());

describe.each(storeKinds)('schedules, on $kind', (kind) => {
  it('fire each due time once, whichever of several nodes is there', async () => {
    cluster = await openPlainCluster(kind);
    const { clock } = cluster;
    const ear = new Ear();
    const first = await cluster.node('first', ear.register, patient);
    const second = await cluster.node('second', ear.register, patient);
    const start = clock.now();
    const made = [first, second].map(({ host }) => host.bus.schedule(tea, { id: 'tea', every: '10m' }));
    // Whoever loses the race waits a little before the next try.
    await clock.advance('31m');
    await Promise.all(made);
    await first.kill();
    await clock.advance('30m');
    const dues = [1, 2, 3, 4, 5, 6].map((n) => new Date(start + n * 600_000).toISOString());
    expect(ear.heard.map(({ due }) => due)).toEqual(dues);
    expect(new Set(ear.heard.map(({ id }) => id)).size).toBe(6);
    await expect(second.host.bus.findSchedule('tea')).resolves.toMatchObject({
      nextAt: new Date(start + 7 * 600_000),
      lastAt: new Date(start + 6 * 600_000),
      message: 't.remind',
    });
  });

  it('fire once at an instant or after a while, and by cron', async () => {
    cluster = await openPlainCluster(kind);
    const { clock } = cluster;
    const ear = new Ear();
    const { host } = await cluster.node('first', ear.register, patient);
    await host.bus.schedule(new Remind({ text: 'in' }), { in: '2m' });
    await host.bus.schedule(new Remind({ text: 'at' }), { at: after(clock, 60_000) });
    await host.bus.schedule(new Remind({ text: 'past' }), { at: 5 });
    const cron = await host.bus.schedule(new Remind({ text: 'cron' }), { cron: '0 6 * * *' });
    expect(cron.nextAt?.getUTCHours()).toBe(6);
    await clock.advance('5m');
    expect(ear.texts).toEqual(['past', 'at', 'in']);
    const filter = { tenant: 'default', saga: '$schedule' };
    const left = await cluster.store.query(filter, { now: clock.storeNow() });
    expect(left.items.map(({ data }) => (JSON.parse(data) as { scheduleId: string }).scheduleId)).toEqual([
      cron.scheduleId,
    ]);
    await clock.advanceTo((cron.nextAt as Date).getTime());
    await clock.advance('1s');
    expect(ear.texts.at(-1)).toBe('cron');
  });

  it('are replaced by id, left alone when they mean the same, and ended', async () => {
    cluster = await openPlainCluster(kind);
    const { clock } = cluster;
    const ear = new Ear();
    const { host } = await cluster.node('first', ear.register, patient);
    const { bus } = host;
    const { nextAt } = await bus.schedule(tea, { id: 'tea', every: '10m' });
    await clock.advance('6m');
    // As an application does at each of its starts.
    await expect(bus.schedule(tea, { id: 'tea', every: '10m' })).resolves.toMatchObject({ nextAt });
    await bus.schedule(new Remind({ text: 'coffee' }), { id: 'tea', every: '10m' });
    await clock.advance('9m');
    expect(ear.texts).toEqual([]);
    await clock.advance('2m');
    expect(ear.texts).toEqual(['coffee']);
    await expect(bus.unschedule('tea')).resolves.toBe(true);
    await expect(bus.unschedule('tea')).resolves.toBe(false);
    await expect(bus.unschedule('none')).resolves.toBe(false);
    await clock.advance('1h');
    expect(ear.texts).toEqual(['coffee']);
    await bus.schedule(tea, { id: 'tea', in: '1m' });
    await clock.advance('2m');
    expect(ear.texts).toEqual(['coffee', 'tea']);
  });

  it('of an instant that has passed do not fire again when an application repeats them', async () => {
    cluster = await openPlainCluster(kind);
    const { clock } = cluster;
    const ear = new Ear();
    const { host } = await cluster.node('first', ear.register, patient);
    const launch = { id: 'launch', at: after(clock, 60_000) };
    for (let start = 0; start < 3; start += 1) {
      await host.bus.schedule(tea, launch);
      await clock.advance('2m');
    }
    expect(ear.texts).toEqual(['tea']);
  });

  it('catch up once, or skip, what was due while no node was up', async () => {
    cluster = await openPlainCluster(kind);
    const { clock } = cluster;
    const ear = new Ear();
    const first = await cluster.node('first', ear.register, patient);
    await first.host.bus.schedule(new Remind({ text: 'skip' }), { id: 's', every: '10m', missed: 'skip' });
    await first.host.bus.schedule(new Remind({ text: 'once' }), { id: 'c', every: '10m' });
    await first.kill();
    await clock.advance('1h');
    await cluster.node('second', ear.register, patient);
    await clock.advance('5m');
    expect(ear.texts).toEqual(['once']);
    await clock.advance('10m');
    expect([...ear.texts].sort()).toEqual(['once', 'once', 'skip']);
  });

  it('are kept while no node knows whom they are for, and fire when one does', async () => {
    cluster = await openPlainCluster(kind);
    const { clock } = cluster;
    const ear = new Ear();
    const first = await cluster.node('first', ear.register, patient);
    await first.host.bus.schedule(tea, { id: 'tea', in: '1m' });
    await first.kill();
    const lines: string[] = [];
    const logger = { ...silentLogger, error: (text: string) => void lines.push(text) };
    await cluster.node('deaf', () => {}, { ...patient, logger });
    await clock.advance('30m');
    expect(lines.filter((line) => /t\.remind/.test(line)).length).toBeGreaterThan(15);
    expect(lines.length).toBeLessThan(61);
    await cluster.node('third', ear.register, patient);
    await clock.advance('2m');
    expect(ear.texts).toEqual(['tea']);
  });

  it.each([
    [
      'begins, at an hour that it skips',
      '2026-03-27T12:00:00Z',
      ['2026-03-28T01:30:00.000Z', '2026-03-29T01:00:00.000Z', '2026-03-30T00:30:00.000Z'],
    ],
    [
      'ends, at an hour that comes twice',
      '2026-10-23T12:00:00Z',
      ['2026-10-24T00:30:00.000Z', '2026-10-25T00:30:00.000Z', '2026-10-26T01:30:00.000Z'],
    ],
  ])(
    'go by the time zone that they were made with where summer time %s, also in another process',
    async (_, start, dues) => {
      const calm = { pollIntervalMs: 7_200_000, leaseMs: 7_200_000, sweepIntervalMs: 86_400_000 };
      cluster = await openPlainCluster(kind, Date.parse(start));
      const { clock } = cluster;
      const ear = new Ear();
      const first = await cluster.node('first', ear.register, calm);
      const when = { cron: '30 2 * * *', timezone: 'Europe/Berlin' };
      await first.host.bus.schedule(tea, { id: 'tea', ...when });
      await first.host.bus.schedule(new Remind({ text: 'utc' }), { id: 'utc', cron: '30 2 * * *' });
      await clock.advance('20h');
      await first.kill();
      const second = await cluster.node('second', ear.register, calm);
      // As an application does at each of its starts.
      await second.host.bus.schedule(tea, { id: 'tea', ...when });
      await clock.advance('46h');
      const heard = (text: string) => ear.heard.filter((each) => each.text === text).map(({ due }) => due);
      expect(heard('tea')).toEqual(dues);
      expect(heard('utc')).toEqual(dues.map((due) => `${due.slice(0, 10)}T02:30:00.000Z`));
    },
  );

  it('are made though the store is just writing one of the same id for somebody else, who gives that up', async () => {
    cluster = await openPlainCluster(kind);
    const { clock, store } = cluster;
    const { host } = await cluster.node('first', new Ear().register, patient);
    const givenUp = new Error('given up');
    let made: Promise<unknown> | undefined;
    const rival = store.transaction(
      async (tx) => {
        expect(await tx.commit(rivalOf('tea'))).toMatchObject({ outcome: 'committed' });
        made = host.bus.schedule(tea, { id: 'tea', every: '10m' }).catch((error: unknown) => error);
        await clock.advance(100);
        throw givenUp;
      },
      { now: clock.storeNow() },
    );
    await expect(rival).rejects.toBe(givenUp);
    await clock.advance('5s');
    expect(await made).toMatchObject({ scheduleId: 'tea', nextAt: expect.any(Date) as Date });
  });

  it('belong to their tenant', async () => {
    cluster = await openPlainCluster(kind);
    const { clock } = cluster;
    const ear = new Ear();
    const { bus } = (await cluster.node('first', ear.register, patient)).host;
    await bus.schedule(tea, { id: 'tea', in: '1m', tenant: 'a' });
    await expect(bus.unschedule('tea')).resolves.toBe(false);
    await expect(bus.findSchedule('tea', { tenant: 'b' })).resolves.toBeUndefined();
    await clock.advance('2m');
    expect(ear.texts).toEqual(['tea']);
  });

  it('lose nothing and fire nothing twice when a node dies at the commit of a firing', async () => {
    cluster = await openPlainCluster(kind);
    const { clock } = cluster;
    const ear = new Ear();
    const first = await cluster.node('first', ear.register, patient);
    await first.host.bus.schedule(tea, { id: 'tea', every: '10m' });
    await clock.advance('9m');
    const crash = first.faults.crashAt('participant.before');
    await clock.advance('1m');
    await crash;
    await first.kill();
    await cluster.node('second', ear.register, patient);
    await clock.advance('5m');
    expect(ear.texts).toEqual(['tea']);
  });

  it.each([3_600_000, -3_600_000])(
    'fire by the clock of the store, though that of their node is wrong by %d ms, or jumps by it',
    async (by) => {
      cluster = await openPlainCluster(kind);
      const { clock } = cluster;
      const ear = new Ear();
      let jump = by;
      const { host } = await cluster.node('first', ear.register, {
        ...patient,
        clock: {
          now: () => clock.now() + jump,
          monotonic: () => clock.monotonic(),
          storeNow: () => clock.storeNow(),
          schedule: (delayMs, task) => clock.schedule(delayMs, task),
        },
      });
      const start = clock.now();
      await host.bus.schedule(tea, { id: 'tea', every: '10m', missed: 'skip' });
      await host.bus.schedule(new Remind({ text: 'once' }), { in: '25m' });
      await clock.advance('25m');
      expect(ear.texts).toEqual(['tea', 'tea', 'once']);
      jump = 0;
      await clock.advance('10m');
      jump = -by;
      await clock.advance('11m');
      const dues = ear.heard.filter(({ text }) => text === 'tea').map(({ due }) => due);
      expect(dues).toEqual([1, 2, 3, 4].map((n) => new Date(start + n * 600_000).toISOString()));
    },
  );

  it.each([
    'no JSON',
    '{}',
    '{"scheduleId":"tea","verb":"publish","message":{"name":"t.remind"},"due":1,"plan":{"kind":"cron"}}',
  ])(
    'of which nothing can be read (%s) end visibly, hold up no other, and may be made anew',
    async (data) => {
      cluster = await openPlainCluster(kind);
      const { clock, store } = cluster;
      const ear = new Ear();
      const errors: string[] = [];
      const logger = { ...silentLogger, error: (line: string) => void errors.push(line) };
      const { host } = await cluster.node('first', ear.register, { ...patient, logger });
      await host.bus.schedule(tea, { id: 'tea', every: '10m' });
      await host.bus.schedule(new Remind({ text: 'other' }), { id: 'other', every: '10m' });
      const filter = { tenant: 'default', saga: '$schedule' };
      const byKey = { ...filter, by: { key: { name: 'schedule', value: 'tea' } }, messageId: '' };
      const [loaded] = await store.load([byKey], { now: clock.storeNow() });
      const found = loaded?.instance as StoredInstance;
      const write = { owner: 'test', leaseMs: 0, now: clock.storeNow() };
      await store.commit([spoilt(found, data)], write);
      await clock.advance('21m');
      expect(ear.texts).toEqual(['other', 'other']);
      expect(errors).toEqual([expect.stringMatching(/can't be read.*Call schedule\(\)/)]);
      await expect(host.bus.findSchedule('tea')).rejects.toMatchObject({ code: 'UNREADABLE_SCHEDULE' });
      const ended = await store.query({ ...filter, states: ['unreadable'] }, { now: null });
      expect(ended.items).toMatchObject([{ id: found.id, data }]);
      expect((await store.history(found)).at(-1)).toMatchObject({ kind: 'unreadable' });
      // What stays is no timer that is looked at again and again.
      await clock.advance('1h');
      expect(errors).toHaveLength(1);
      await host.bus.schedule(tea, { id: 'tea', every: '10m' });
      await clock.advance('11m');
      expect(ear.texts).toContain('tea');
    },
  );
});

describe('ten thousand schedules that are due at once', () => {
  it('fire once each, in claims of a bounded size, and none waits for more claims than it must', async () => {
    cluster = await openPlainCluster(storeKinds[0] as (typeof storeKinds)[number]);
    const { clock, store } = cluster;
    const ear = new Ear();
    const claims: number[] = [];
    // A node's connection, whose claims are counted.
    const counted = new Proxy(store, {
      get: (of, name) => {
        const value: unknown = Reflect.get(of, name);
        if (typeof value !== 'function') return value;
        if (name !== 'claimTimers') return value.bind(of) as unknown;
        return async (request: Parameters<typeof store.claimTimers>[0]) => {
          const claimed = await of.claimTimers(request);
          if (claimed.items.length > 0) claims.push(claimed.items.length);
          return claimed;
        };
      },
    });
    const { host } = await cluster.node('first', ear.register, { ...patient, store: counted });
    const at = after(clock, 60_000);
    const count = 10_000;
    await Promise.all(
      Array.from({ length: count }, (_, n) =>
        host.bus.schedule(new Remind({ text: `${n}` }), { at, id: `${n}` }),
      ),
    );
    await clock.advance('2m');
    expect(new Set(ear.texts).size).toBe(count);
    expect(ear.heard).toHaveLength(count);
    expect(Math.max(...claims)).toBeLessThanOrEqual(200);
    // 99 of 100 within as many full claims as it takes.
    expect(claims.length).toBeLessThanOrEqual(Math.ceil(count / 200) + 1);
  });
});
