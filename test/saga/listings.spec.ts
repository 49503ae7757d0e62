import { message, type } from '@nestjs-orchestrator/core';
import { buildSaga, defineSaga, type SagaInstance } from '@nestjs-orchestrator/core/saga';
import { afterEach, describe, expect, it } from 'vitest';
import { openRig, type Rig } from './rig.js';
import { storeKinds } from './support.js';

interface Ref {
  id: string;
}
class Began extends message('l.began', type<Ref & { group: string }>()) {}
class Went extends message('l.went', type<Ref>()) {}
class Ended extends message('l.ended', type<Ref>()) {}

const visit = defineSaga({
  name: 'visit',
  version: 1,
  data: type<Ref>(),
  correlateBy: 'id',
  keys: { group: 'many' },
  states: ['waiting', 'walking'],
  ends: { home: 'success' },
  events: [Began, Went, Ended],
});
const visits = buildSaga(visit, (saga) => {
  saga
    .initially()
    .when(Began)
    .then((ctx) => {
      ctx.correlateWith('group', ctx.event.group);
      return { id: ctx.event.id };
    })
    .transitionTo('waiting');
  saga.during('waiting').when(Went).transitionTo('walking');
  saga.duringAny().when(Ended).finalize('home');
});

/** More than one page of a listing holds. */
const COUNT = 210;

let rig: Rig<typeof visit> | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

describe.each(storeKinds)('instances that change while they are listed, on $kind', (kind) => {
  /** `v-000` to `v-209`, some at each instant. */
  const open = async (count = COUNT): Promise<Rig<typeof visit>> => {
    rig = await openRig(kind, visits);
    for (let at = 0; at < count; at += 10) {
      await Promise.all(
        Array.from({ length: Math.min(10, count - at) }, (_, next) => begin(String(at + next))),
      );
      await rig.clock.settled();
      await rig.advance(1);
    }
    return rig;
  };
  const begin = async (number: string) =>
    rig?.host.bus.publish(new Began({ id: `v-${number.padStart(3, '0')}`, group: 'g' }));
  const all = Array.from({ length: COUNT }, (_, at) => `v-${String(at).padStart(3, '0')}`);
  const ids = async (
    listing: AsyncIterable<SagaInstance<typeof visit>>,
    each: (id: string, at: number) => Promise<void> = async () => {},
  ): Promise<string[]> => {
    const found: string[] = [];
    for await (const { data } of listing) {
      await each(data.id, found.length);
      found.push(data.id);
    }
    return found;
  };

  it('are each found once by the state that they had, though they leave it meanwhile', async () => {
    const { host, play } = await open();
    const orders = host.repository(visit);
    const found = await ids(orders.findByState('waiting'), async (id, at) => {
      if (at % 10 === 0) await play(new Went({ id }));
    });
    expect(found.toSorted()).toEqual(all);
    expect(await ids(orders.findByState('waiting'))).toHaveLength(COUNT - 21);
    expect(await ids(orders.findByState('walking'))).toHaveLength(21);
  });

  it('are passed over on later pages where they have left before those are read; newer ones come last', async () => {
    const { host, play, clock } = await open();
    const found = await ids(host.repository(visit).findByState('waiting'), async (_, at) => {
      if (at !== 0) return;
      await play(new Went({ id: 'v-205' }), new Ended({ id: 'v-206' }));
      await begin('900');
      await clock.settled();
    });
    expect(found.at(-1)).toBe('v-900');
    expect(found.slice(0, -1).toSorted()).toEqual(all.filter((id) => id !== 'v-205' && id !== 'v-206'));
  });

  it('are found idle once each, though being found changes them', async () => {
    const { host, play, advance } = await open();
    await advance('1h');
    const found = await ids(host.repository(visit).findStale('30m'), async (id, at) => {
      if (at % 10 === 0) await play(new Went({ id }));
    });
    expect(found.toSorted()).toEqual(all);
    expect(await ids(host.repository(visit).findStale('30m'))).toHaveLength(COUNT - 21);
  });

  it('are found by a key that they share, though they end and are removed meanwhile', async () => {
    const { host, play, find } = await open();
    const orders = host.repository(visit);
    const found = await ids(orders.findByKey('group', 'g'), async (id, at) => {
      if (at % 50 !== 0) return;
      await play(new Ended({ id }));
      await orders.archive((await find(id)) as never, { by: 'ada' });
    });
    expect(found.toSorted()).toEqual(all);
  });

  it('are paged by whoever lists them: a page, and where the next one begins', async () => {
    const { host, play } = await open(25);
    const orders = host.repository(visit);
    const first = await orders.list({ limit: 10 });
    expect(first.items).toHaveLength(10);
    await play(new Went({ id: first.items[3]?.data.id ?? '' }));
    const second = await orders.list({ limit: 10, cursor: first.next ?? '' });
    const third = await orders.list({ limit: 10, cursor: second.next ?? '' });
    const listed = [first, second, third].flatMap(({ items }) => items.map(({ data }) => data.id));
    expect([first.next, second.next].every((next) => next !== null)).toBe(true);
    expect(third.next).toBeNull();
    expect(listed.toSorted()).toEqual(all.slice(0, 25));
    const code = 'SAGA_LISTING';
    await expect(orders.list({ cursor: 'none' })).rejects.toMatchObject({ code, option: 'cursor' });
    for (const limit of [0, -1, 1.5, 1_001])
      await expect(orders.list({ limit })).rejects.toMatchObject({ code, option: 'limit', value: limit });
  });
});
