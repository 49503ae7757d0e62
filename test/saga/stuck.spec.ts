import { message, type } from '@nestjs-orchestrator/core';
import type { InstanceStore } from '@nestjs-orchestrator/core/ports';
import { buildSaga, defineSaga, type AnySaga } from '@nestjs-orchestrator/core/saga';
import { afterEach, describe, expect, it } from 'vitest';
import { openRig, type Rig } from './rig.js';
import { storeKinds, type StoreKind } from './support.js';

interface Ref {
  id: string;
}
class Began extends message('s.began', type<Ref>()) {}
class Opened extends message('s.opened', type<Ref>()) {}
class Added extends message('s.added', type<Ref & { text: string }>()) {}

const flat = {
  version: 1,
  data: type<Ref & { texts: string[] }>(),
  correlateBy: 'id',
  ends: { closed: 'success' },
  events: [Began, Added],
} as const;
const bag = defineSaga({ ...flat, name: 'bag', states: ['open'] });

/** Texts that a handler can't bear, and those that handlers were given. */
const poison = new Set<string>();
const given: string[] = [];
function take(text: string): void {
  given.push(text);
  if (poison.has(text)) throw new Error(`can't bear ${text}`);
}
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
      take(ctx.event.text);
      ctx.data.texts.push(ctx.event.text);
    })
    .after('1s')
    .transitionTo('closed');
  saga
    .during('ended')
    .when(Added)
    .then((ctx) => take(ctx.event.text));
});

/** A saga that ends as it begins. */
const flash = defineSaga({ ...flat, name: 'flash', states: ['open'], events: [Began, Opened, Added] });
const flashes = buildSaga(flash, (saga) => {
  saga
    .initially()
    .when(Began)
    .then(({ event }) => ({ id: event.id, texts: [] }))
    .transitionTo('closed')
    .when(Opened)
    .then(({ event }) => ({ id: event.id, texts: [] }))
    .transitionTo('open');
  saga.during('open').when(Added).transitionTo('closed');
  saga
    .during('ended')
    .when(Added)
    .then((ctx) => take(ctx.event.text));
});

let rig: Rig<AnySaga> | undefined;
afterEach(async () => {
  poison.clear();
  given.length = 0;
  await rig?.close();
  rig = undefined;
});

const id = 'x';
const add = (text: string) => [new Added({ id, text }), { id: text }] as const;

describe.each(storeKinds)('a message that waited and fails, on $kind', (kind) => {
  it('costs those that come after it a few questions', async () => {
    const asked = { load: 0, deliveries: 0 };
    rig = await openRig<AnySaga>(counting(kind, asked), behaviour);
    poison.add('early');
    const { play, advance, standing, deadLetters } = rig;
    await play(add('early'), new Began({ id }));
    await play(...[1, 2, 3, 4, 5].map((n) => add(`later ${n}`)));
    await advance('20m');
    expect(await standing(id)).toBe('open held');
    expect(await deadLetters()).toEqual([]);
    // Two rows try it ten times each; each of those that come after it asks a few times before they leave that to them.
    expect(given.length).toBeLessThanOrEqual(30);
    expect(asked.deliveries).toBeLessThanOrEqual(40);
    expect(asked.load).toBeLessThanOrEqual(200);
    const calm = asked.load;
    await advance('20m');
    expect(asked.load).toBe(calm);
    poison.clear();
    given.length = 0;
    await rig.host.operator.replay({ saga: bag, id: (await rig.find(id))?.id ?? '' }, { by: 'ada' });
    await advance('1s');
    expect(given[0]).toBe('early');
    expect(given.slice(1).toSorted()).toEqual([1, 2, 3, 4, 5].map((n) => `later ${n}`));
  });

  it('is a dead letter where the instance has ended meanwhile, and nobody goes on asking', async () => {
    const asked = { load: 0 };
    rig = await openRig<AnySaga>(counting(kind, asked), flashes);
    poison.add('early');
    const { play, advance, standing, deadLetters } = rig;
    await play(add('early'), new Began({ id }), add('later'));
    await advance('20m');
    expect(await standing(id)).toBe('closed completed');
    expect(await deadLetters()).toMatchObject([{ id: 'early', attempts: 10 }]);
    expect(given.filter((text) => text !== 'early')).toEqual(['later']);
    const calm = asked.load;
    await advance('2h');
    expect(asked.load).toBe(calm);
  });
});

/** Counts what is asked of a store. */
function counting(kind: StoreKind, asked: Record<string, number>): StoreKind {
  const watched = (store: InstanceStore): InstanceStore =>
    new Proxy(store, {
      get: (of, name) => {
        const value: unknown = Reflect.get(of, name);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown => {
          if (String(name) in asked) asked[String(name)] = (asked[String(name)] ?? 0) + 1;
          return Reflect.apply(value, of, args);
        };
      },
    });
  return {
    ...kind,
    open: async () => {
      const { connect, close } = await kind.open();
      const connected = async () => {
        const connection = await connect();
        return { ...connection, store: watched(connection.store) };
      };
      return { connect: connected, close };
    },
  };
}
