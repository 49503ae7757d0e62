import { message, type } from '@nestjs-orchestrator/core';
import type { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import type { DeadLetter } from '@nestjs-orchestrator/core/ports';
import { buildSaga, defineSaga, type DeadLetterOptions } from '@nestjs-orchestrator/core/saga';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openPlainCluster, type PlainCluster } from '../messaging/support.js';
import { storeKinds } from './support.js';

const ref = z.object({ id: z.string() });
class Began extends message('d.began', ref) {}
class Added extends message('d.added', ref.extend({ text: z.string() })) {}
class Closed extends message('d.closed', ref) {}
/** The same message of a build that asks for more. */
class AddedOften extends message('d.added', ref.extend({ text: z.string(), times: z.int() })) {}

/** A saga that gives up a message without an instance at once. */
function bag(version: number, added: typeof Added | typeof AddedOften | undefined) {
  const definition = defineSaga({
    name: 'bag',
    version,
    data: type<{ id: string; texts: string[] }>(),
    correlateBy: 'id',
    states: ['open'],
    ends: { closed: 'success' },
    absent: 'fault',
    patience: '10m',
    events: added === undefined ? [Began, Closed] : [Began, Closed, added],
    ...(version > 1 ? { migrate: { 1: {} } } : {}),
  });
  return buildSaga(definition, (saga) => {
    saga
      .initially()
      .when(Began)
      .then(({ event }) => ({ id: event.id, texts: [] }))
      .transitionTo('open');
    saga.during('open').when(Closed).transitionTo('closed');
    if (added === undefined) return;
    saga
      .during('open')
      .when(added as typeof Added)
      .then((ctx) => void ctx.data.texts.push(ctx.event.text));
  });
}

const first = bag(1, Added);
const register = (host: OrchestratorHost): void => host.register(first);
const ADA = { by: 'ada', reason: 'repaired' };
const id = 'x';

let cluster: PlainCluster | undefined;
afterEach(async () => cluster?.close());

describe.each(storeKinds)('dead letters, on $kind', (kind) => {
  const letters = async (host: OrchestratorHost, options: DeadLetterOptions = {}): Promise<DeadLetter[]> => {
    const found: DeadLetter[] = [];
    for await (const letter of host.operator.deadLetters(options)) found.push(letter);
    return found;
  };
  const texts = async (host: OrchestratorHost): Promise<unknown> =>
    (await host.repository(first.definition).findByCorrelation(id))?.data.texts;
  const publish = async (host: OrchestratorHost, ...events: readonly object[]): Promise<void> => {
    for (const event of events) await host.bus.publish(event);
    await cluster?.clock.settled();
  };

  it('are all listed, newest first, however many tenants have some of the same instant', async () => {
    cluster = await openPlainCluster(kind);
    const { host } = await cluster.node('one', register);
    const tenants = ['a', 'b', 'c'];
    for (let at = 0; at < 40; at += 1) {
      await Promise.all(
        tenants.map((tenant) => host.bus.publish(new Added({ id, text: `${tenant}-${at}` }), { tenant })),
      );
    }
    await cluster.clock.settled();
    const found = (await letters(host)).map(({ payload }) => /[abc]-\d+/.exec(payload)?.[0] ?? '');
    const all = tenants.flatMap((tenant) => Array.from({ length: 40 }, (_, at) => `${tenant}-${at}`));
    expect(found.toSorted()).toEqual(all.toSorted());
    expect(await letters(host, { tenant: 'b' })).toHaveLength(40);
  });

  it('are settled once, whichever of several nodes is told to, and are handled once then', async () => {
    cluster = await openPlainCluster(kind);
    const [one, two] = [await cluster.node('one', register), await cluster.node('two', register)];
    await publish(one.host, new Added({ id, text: 'early' }), new Began({ id }));
    const [letter = expect.unreachable()] = await letters(one.host);
    const settled = await Promise.all([
      one.host.operator.replayLetter(letter, ADA),
      two.host.operator.replayLetter(letter, ADA),
      two.host.operator.discardLetter(letter, ADA),
    ]);
    expect(settled.filter((was) => was)).toHaveLength(1);
    await cluster.clock.advance('1m');
    const replayed = settled[2] ? [] : ['early'];
    expect(await texts(two.host)).toEqual(replayed);
    expect(await letters(one.host)).toEqual([]);
    expect(await one.host.operator.replayLetter(letter, ADA)).toBe(false);
    await cluster.clock.advance('1m');
    expect(await texts(one.host)).toEqual(replayed);
  });

  it('hold the id of their message: a repeat of it does nothing before the replay, nor after it', async () => {
    cluster = await openPlainCluster(kind);
    const { host } = await cluster.node('one', register);
    const offer = async (): Promise<void> => {
      await host.bus.publish(new Added({ id, text: 'once' }), { id: 'm-1' });
      await cluster?.clock.settled();
    };
    await offer();
    await publish(host, new Began({ id }));
    await offer();
    expect(await texts(host)).toEqual([]);
    const [letter = expect.unreachable()] = await letters(host);
    expect(await host.operator.replayLetter(letter, ADA)).toBe(true);
    await cluster.clock.advance('1m');
    expect(await texts(host)).toEqual(['once']);
    await offer();
    expect(await texts(host)).toEqual(['once']);
    expect(await letters(host)).toEqual([]);
  });

  it('become letters again, which say why, where the build of today refuses them', async () => {
    cluster = await openPlainCluster(kind);
    const old = await cluster.node('old', register);
    await publish(old.host, new Added({ id, text: 'early' }), new Began({ id }));
    await old.host.close();
    const { host } = await cluster.node('new', (node) => node.register(bag(2, AddedOften)));
    const [letter = expect.unreachable()] = await letters(host);
    expect(await host.operator.replayLetter(letter, ADA)).toBe(true);
    await cluster.clock.advance('10m');
    expect(await texts(host)).toEqual([]);
    expect(await letters(host)).toMatchObject([{ reason: expect.stringMatching(/times/) as string }]);
    expect(await letters(host, { settled: true })).toMatchObject([{ settled: { by: 'ada' } }]);
  });

  it('of a message that the build of today does not know become letters again, which say so', async () => {
    cluster = await openPlainCluster(kind);
    const old = await cluster.node('old', register);
    await publish(old.host, new Added({ id, text: 'early' }), new Began({ id }));
    await old.host.close();
    const without = await cluster.node('without', (node) => node.register(bag(2, undefined)));
    const [letter = expect.unreachable()] = await letters(without.host);
    expect(await without.host.operator.replayLetter(letter, ADA)).toBe(true);
    await cluster.clock.advance('9m');
    expect(await letters(without.host)).toEqual([]);
    await cluster.clock.advance('3m');
    const again = await letters(without.host);
    expect(again).toMatchObject([
      { reason: expect.stringMatching(/no event 'd\.added' in version 2/) as string },
    ]);
    await without.host.close();
    const { host } = await cluster.node('with', (node) => node.register(bag(2, Added)));
    expect(await host.operator.replayLetter(again[0] as DeadLetter, ADA)).toBe(true);
    await cluster.clock.advance('1m');
    expect(await texts(host)).toEqual(['early']);
  });

  it('are late where their instance has ended, and leave nothing behind where it was removed', async () => {
    cluster = await openPlainCluster(kind);
    const { host } = await cluster.node('one', register);
    await publish(host, new Added({ id, text: 'one' }), new Added({ id, text: 'two' }));
    await publish(host, new Began({ id }), new Closed({ id }));
    const [two = expect.unreachable(), one = expect.unreachable()] = await letters(host);
    expect(await host.operator.replayLetter(one, ADA)).toBe(true);
    await cluster.clock.advance('1m');
    const bags = host.repository(first.definition);
    const ended = await bags.findByCorrelation(id);
    expect(ended).toMatchObject({ state: 'closed', data: { texts: [] } });
    expect((await bags.history(ended?.id ?? '')).map(({ kind: line }) => line)).toContain('late');
    await bags.archive(ended as never, ADA);
    expect(await host.operator.replayLetter(two, ADA)).toBe(true);
    await cluster.clock.advance('10m');
    expect(await letters(host)).toEqual([]);
    expect(await bags.findByCorrelation(id)).toBeUndefined();
  });
});
