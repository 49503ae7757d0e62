import { message, type } from '@nestjs-orchestrator/core';
import { buildSaga, defineSaga, type AnySaga } from '@nestjs-orchestrator/core/saga';
import { afterEach, describe, expect, it } from 'vitest';
import { openRig, type Rig } from './rig.js';
import { storeKinds } from './support.js';

interface Ref {
  id: string;
}
class Began extends message('p.began', type<Ref>()) {}
class Added extends message('p.added', type<Ref & { text: string }>()) {}
class Closed extends message('p.closed', type<Ref>()) {}

const bag = defineSaga({
  name: 'bag',
  version: 1,
  data: type<Ref & { texts: string[] }>(),
  correlateBy: 'id',
  states: ['open'],
  ends: { closed: 'success' },
  events: [Began, Added, Closed],
});

/** Texts that a handler can't bear. */
const poison = new Set<string>();
const behaviour = buildSaga(bag, (saga) => {
  saga
    .initially()
    .when(Began)
    .then(({ event }) => ({ id: event.id, texts: [] }))
    .transitionTo('open');
  saga
    .during('open')
    .when(Added)
    .then((ctx) => {
      if (poison.has(ctx.event.text)) throw new Error(`can't bear ${ctx.event.text}`);
      ctx.data.texts.push(ctx.event.text);
    })
    .when(Closed)
    .transitionTo('closed')
    .after('2h')
    .then((ctx) => {
      if (poison.has('timer')) throw new Error("can't bear the time");
      ctx.data.texts.push('timer');
    });
});

let rig: Rig<AnySaga> | undefined;
afterEach(async () => {
  poison.clear();
  await rig?.close();
  rig = undefined;
});

const id = 'x';
const ADA = { by: 'ada', reason: 'repaired' };
const add = (text: string) => [new Added({ id, text }), { id: text }] as const;

describe.each(storeKinds)('poison, on $kind', (kind) => {
  const open = async (options = {}) => (rig = await openRig<AnySaga>(kind, behaviour, options));
  const target = async () => ({ saga: bag, id: (await rig?.find(id))?.id ?? '' });
  const texts = async (): Promise<unknown> => (await rig?.find(id))?.data.texts;

  it('holds its instance after the last try; what comes then waits, and replay takes the poison first', async () => {
    const { play, advance, standing, host, deadLetters, history } = await open();
    await play(new Began({ id }));
    poison.add('bad');
    await play(add('bad'));
    expect(await standing(id)).toBe('open running');
    await advance('10m');
    expect(await standing(id)).toBe('open held');
    await play(add('later 1'), add('later 2'), add('later 1'), add('bad'));
    await advance('3h');
    expect(await texts()).toEqual([]);
    expect(await deadLetters()).toEqual([]);
    await expect(host.operator.replay(await target(), ADA)).rejects.toThrow("can't bear bad");
    expect(await standing(id)).toBe('open held');
    poison.clear();
    expect(await host.operator.replay(await target(), ADA)).toMatchObject({ status: 'running' });
    await advance(1);
    expect(await texts()).toEqual(['bad', 'later 1', 'later 2', 'timer']);
    expect(await standing(id)).toBe('open running');
    await play(add('bad'), add('later 2'));
    expect(await texts()).toHaveLength(4);
    expect((await history(id)).filter((line) => /^held|^operator/.test(line))).toEqual([
      'held p.added',
      'operator replay',
    ]);
  });

  it('that an operator skips is gone, and the rest goes on', async () => {
    const { play, advance, standing, host, clock } = await open();
    await play(new Began({ id }));
    poison.add('bad');
    await play(add('bad'));
    await advance('10m');
    await play(add('later'));
    await expect(host.operator.retry(await target(), ADA)).rejects.toThrow(/'replay' or 'skip' that/);
    await host.operator.skip(await target(), ADA);
    await clock.settled();
    expect(await texts()).toEqual(['later']);
    expect(await standing(id)).toBe('open running');
  });

  it('may be a timer', async () => {
    const { play, advance, standing, host, clock } = await open();
    await play(new Began({ id }));
    poison.add('timer');
    await advance('3h');
    expect(await standing(id)).toBe('open held');
    poison.clear();
    await host.operator.replay(await target(), ADA);
    await clock.settled();
    expect(await texts()).toEqual(['timer']);
  });

  it('may be a message that has waited: who comes after it does not pay for it', async () => {
    const { play, advance, standing, host, clock, deadLetters } = await open();
    poison.add('early');
    await play(add('early'));
    await play(new Began({ id }), add('later'));
    expect(await texts()).toEqual([]);
    await advance('6m');
    expect(await standing(id)).toBe('open held');
    expect(await deadLetters()).toEqual([]);
    poison.clear();
    await host.operator.replay(await target(), ADA);
    await clock.settled();
    expect(await texts()).toEqual(['early', 'later']);
  });

  it('of one tenant is not seen by another', async () => {
    const { play, advance, find, host } = await open();
    await play([new Began({ id }), { tenant: 'a' }], [new Began({ id }), { tenant: 'b' }]);
    poison.add('bad');
    await play([new Added({ id, text: 'bad' }), { tenant: 'a' }]);
    await advance('10m');
    expect((await find(id, 'a'))?.status).toBe('held');
    expect((await find(id, 'b'))?.status).toBe('running');
    const held = (await find(id, 'a'))?.id ?? '';
    await expect(host.operator.replay({ saga: bag, id: held, tenant: 'b' }, ADA)).rejects.toThrow(/no such/);
  });

  it('cancelled by an operator ends the instance', async () => {
    const { play, advance, standing, host } = await open();
    await play(new Began({ id }));
    poison.add('bad');
    await play(add('bad'));
    await advance('10m');
    await host.operator.cancel(await target(), ADA);
    expect(await standing(id)).toBe('open cancelled');
  });

  it('without an instance becomes a dead letter with its error, and is replayed or discarded once', async () => {
    const { play, host, clock, find, deadLetters } = await open();
    await play([new Added({ id: 'y', text: 'waits' }), { id: 'm-1' }]);
    await rig?.advance('25h');
    const [letter] = await deadLetters();
    expect(letter).toMatchObject({ id: 'm-1', reason: expect.stringMatching(/nobody answered/) as string });
    if (letter === undefined) return;
    await play(new Began({ id: 'y' }));
    expect(await host.operator.replayLetter(letter, ADA)).toBe(true);
    expect(await host.operator.discardLetter(letter, ADA)).toBe(false);
    await clock.settled();
    expect((await find('y'))?.data.texts).toEqual(['waits']);
    const settled: unknown[] = [];
    for await (const each of host.operator.deadLetters({ settled: true })) settled.push(each.settled);
    expect(settled).toMatchObject([{ verb: 'replayed', by: 'ada', reason: 'repaired' }]);
  });

  it('without an instance is given up when the node next looks for what is past its time', async () => {
    const { play, advance, deadLetters } = await open({ sweepIntervalMs: 3_600_000 });
    await advance('1m');
    await play(new Added({ id: 'y', text: 'waits' }));
    await advance('24h');
    expect(await deadLetters()).toEqual([]);
    await advance('59m');
    expect(await deadLetters()).toHaveLength(1);
  });
});
