import { message, protectSaga, type, type SagaProtection } from '@nestjs-orchestrator/core';
import {
  circuitBreaker,
  memoryBucketStore,
  rateLimiter,
  SharedRateLimiter,
} from '@nestjs-orchestrator/core/resilience';
import { buildSaga, defineSaga } from '@nestjs-orchestrator/core/saga';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { openRig } from '../saga/rig.js';
import { storeKinds, type StoreKind } from '../saga/support.js';

const body = z.object({ tab: z.string() });
class Opened extends message('tab.opened', body) {}
class Paid extends message('tab.paid', body) {}
class Looked extends message('tab.looked', body) {}
class Refused extends message('tab.refused', body.extend({ why: z.string(), afterMs: z.number() })) {}
class Receipt extends message('tab.receipt', z.object({ text: z.string() })) {}

interface Tab {
  tab: string;
  looks: number;
}

const tabSaga = defineSaga({
  name: 'tab',
  version: 1,
  data: type<Tab>(),
  correlateBy: 'tab',
  states: ['open', 'refused'],
  ends: { settled: 'success' },
  events: [Opened, Paid, Looked, Refused],
});

type Protect = (clock: VirtualClock) => SagaProtection<typeof tabSaga>;

/** A node with tabs behind a protection, and a till that may be broken. */
async function stage(kind: StoreKind, protect: Protect) {
  const clock = new VirtualClock();
  const till = { broken: false };
  const tries: string[] = [];
  const behaviour = buildSaga(tabSaga, (saga) => {
    saga
      .initially()
      .when(Opened)
      .then(({ event }) => ({ tab: event.tab, looks: 0 }))
      .transitionTo('open');
    saga
      .during('open')
      .when(Looked)
      .then(({ data }) => void (data.looks += 1));
    saga
      .during('open')
      .when(Paid)
      .then((ctx) => {
        tries.push(ctx.event.tab);
        if (till.broken) throw new Error('the till is broken');
        ctx.reply(new Receipt({ text: 'paid' }));
      })
      .transitionTo('settled');
    saga
      .during('open')
      .when(Refused)
      .then((ctx) => ctx.reply(new Receipt({ text: ctx.event.why })))
      .transitionTo('refused');
    saga.during('refused').after('1d').finalize('settled');
  });
  const rig = await openRig(kind, protectSaga(behaviour, protect(clock)), { clock });
  onTestFinished(() => rig.close());
  const open = async (...tabs: string[]): Promise<void> => {
    for (const tab of tabs) await rig.play(new Opened({ tab }));
  };
  const states = async (...tabs: string[]): Promise<readonly string[]> =>
    Promise.all(tabs.map(async (tab) => (await rig.find(tab))?.state ?? 'absent'));
  return { rig, clock, till, tries, open, states };
}

const perSecond = (clock: VirtualClock, burst = 2) =>
  rateLimiter({ maxTransitionsPerSecond: 1, burstCapacity: burst, clock });
const TABS = ['a', 'b', 'c', 'd', 'e'];

describe.each(storeKinds)('a limited saga ($kind)', (kind) => {
  it('takes so many of a message, the others later, each tenant and message by itself', async () => {
    const { rig, open, states } = await stage(kind, (clock) => ({
      limiter: perSecond(clock),
      monitoredTriggers: [Paid],
    }));
    await open(...TABS);
    await rig.play([new Opened({ tab: 'a' }), { tenant: 'other' }]);
    for (const tab of TABS) await rig.play(new Paid({ tab }));
    await rig.play([new Paid({ tab: 'a' }), { tenant: 'other' }]);
    expect(await states(...TABS)).toEqual(['settled', 'settled', 'open', 'open', 'open']);
    expect((await rig.find('a', 'other'))?.state).toBe('settled');
    await rig.play(new Looked({ tab: 'e' }));
    expect((await rig.find('e'))?.data.looks).toBe(1);
    expect(rig.host.statistics().sagas.get('tab')).toMatchObject({ throttled: 3, failed: 0 });
    await rig.advance(1_000);
    expect((await states(...TABS)).filter((state) => state === 'open')).toHaveLength(2);
    await rig.advance('1m');
    expect(await states(...TABS)).toEqual(TABS.map(() => 'settled'));
    expect(await rig.deadLetters()).toEqual([]);
  });

  it('keeps a message that is rejected more often than it may fail', async () => {
    const breakers: ReturnType<typeof circuitBreaker>[] = [];
    const { rig, open, states, tries } = await stage(kind, (clock) => ({
      breaker: () => {
        const made = circuitBreaker({ clock });
        breakers.push(made);
        made.isolate();
        return made;
      },
      monitoredTriggers: [Paid],
    }));
    await open('a');
    await rig.play(new Paid({ tab: 'a' }));
    await rig.advance('1m');
    expect(rig.host.statistics().sagas.get('tab')?.throttled).toBeGreaterThan(30);
    expect(await rig.standing('a')).toBe('open running');
    for (const each of breakers) each.reset();
    await rig.advance('2s');
    expect(await states('a')).toEqual(['settled']);
    expect([tries, await rig.deadLetters()]).toEqual([['a'], []]);
  });

  it('is told by an event in place of the message, once, and whoever asked is answered', async () => {
    const { rig, clock, open, states, tries } = await stage(kind, (clock) => ({
      limiter: perSecond(clock, 1),
      monitoredTriggers: [Paid],
      onRejected: ({ instance, error }) => {
        const afterMs = 'retryAfterMs' in error ? (error.retryAfterMs ?? 0) : 0;
        return new Refused({ tab: instance, why: error.code, afterMs });
      },
    }));
    await open('a', 'b');
    await rig.play([new Paid({ tab: 'a' }), { id: 'pay-a' }]);
    const reply = rig.host.bus.request(new Paid({ tab: 'b' }), { reply: Receipt });
    await clock.settled();
    expect(await reply).toMatchObject({ text: 'RATE_LIMIT_EXCEEDED' });
    expect(await states('a', 'b')).toEqual(['settled', 'refused']);
    expect(await rig.history('b')).toContain('transition tab.refused open → refused');
    // A repeat of what was handled is no new message, though the limiter would refuse it.
    await rig.play([new Paid({ tab: 'a' }), { id: 'pay-a' }]);
    expect(await rig.history('a')).not.toContainEqual(expect.stringContaining('tab.refused'));
    await rig.advance('1m');
    expect([tries, await rig.deadLetters()]).toEqual([['a'], []]);
  });

  it('counts each instance by itself if told so, and may be limited by all nodes together', async () => {
    const { rig, open } = await stage(kind, (clock) => ({
      limiter: new SharedRateLimiter(clock.tracked(memoryBucketStore(clock), 'the buckets'), {
        name: 'tabs',
        maxTransitionsPerSecond: 1,
        burstCapacity: 2,
        clock,
      }),
      per: 'instance',
      cost: (message) => (message instanceof Looked ? 2 : 1),
    }));
    await open('a', 'b');
    for (const tab of ['a', 'b', 'a', 'b']) await rig.play(new Looked({ tab }));
    const looks = async () => [(await rig.find('a'))?.data.looks, (await rig.find('b'))?.data.looks];
    expect(await looks()).toEqual([1, 1]);
    await rig.advance(10_000);
    expect(await looks()).toEqual([2, 2]);
  });
});

describe.each(storeKinds)('a saga behind a breaker ($kind)', (kind) => {
  it('is not called while its handlers fail, and is asked again after the break; nothing is held', async () => {
    const { rig, till, tries, open, states } = await stage(kind, (clock) => ({
      breaker: (key) => circuitBreaker({ name: key, consecutiveFailures: 3, breakDuration: 60_000, clock }),
      monitoredTriggers: [Paid],
    }));
    await open(...TABS);
    await rig.play([new Opened({ tab: 'a' }), { tenant: 'other' }]);
    till.broken = true;
    for (const tab of TABS.slice(0, 3)) await rig.play(new Paid({ tab }));
    expect(tries).toEqual(['a', 'b', 'c']);
    await rig.play(new Paid({ tab: 'd' }), new Paid({ tab: 'e' }));
    await rig.advance('59s');
    expect(tries).toHaveLength(3);
    till.broken = false;
    await rig.play([new Paid({ tab: 'a' }), { tenant: 'other' }]);
    expect((await rig.find('a', 'other'))?.state).toBe('settled');
    await rig.advance('10m');
    expect(await states(...TABS)).toEqual(TABS.map(() => 'settled'));
    expect(tries.toSorted()).toEqual(['a', 'a', 'a', 'b', 'b', 'c', 'c', 'd', 'e']);
    expect(await rig.deadLetters()).toEqual([]);
  });
});

describe('what a protection is given is refused:', () => {
  const behaviour = buildSaga(tabSaga, (saga) => {
    saga
      .initially()
      .when(Opened)
      .then(({ event }) => ({ tab: event.tab, looks: 0 }))
      .transitionTo('settled');
  });

  it.each([
    ['limiter', {}],
    ['per', { limiter: rateLimiter(), per: 'planet' }],
    ['onRejected', { limiter: rateLimiter(), onRejected: 'shrug' }],
    ['maxBreakers', { breaker: () => circuitBreaker(), maxBreakers: Number.NaN }],
    ['monitoredTriggers', { limiter: rateLimiter(), monitoredTriggers: [Receipt] }],
  ])('%s', (option, wrong) => {
    expect(() => protectSaga(behaviour, wrong as never)).toThrow(
      expect.objectContaining({ code: 'RESILIENCE_OPTION', option }),
    );
  });

  it.each([
    ['an event of another saga', () => new Receipt({ text: 'no' }), 'tab.receipt'],
    ['an event for another instance', () => new Looked({ tab: 'z' }), 'z'],
  ])('%s in place of the message holds the instance with that error', async (_title, told, value) => {
    const [memory] = storeKinds as [StoreKind];
    const { rig, open } = await stage(memory, (clock) => ({
      limiter: perSecond(clock, 1),
      monitoredTriggers: [Paid],
      onRejected: () => told() as Looked,
    }));
    await open('a', 'b');
    await rig.play(new Paid({ tab: 'a' }), new Paid({ tab: 'b' }));
    expect(await rig.standing('b')).toBe('open held');
    const [held] = (await rig.host.repository(tabSaga).history((await rig.find('b'))?.id ?? '')).slice(-1);
    expect(JSON.stringify(held)).toContain(`'onRejected'`);
    expect(JSON.stringify(held)).toContain(`'${value}'`);
  });
});
