import { message, type } from '@nestjs-orchestrator/core';
import { buildSaga, defineSaga, type AnySaga, type SagaBehaviour } from '@nestjs-orchestrator/core/saga';
import { afterEach, describe, expect, it } from 'vitest';
import { openRig, type Rig } from './rig.js';
import { storeKinds } from './support.js';

interface Ref {
  id: string;
}
class Began extends message('d.began', type<Ref>()) {}
class Done extends message('d.done', type<Ref & { ok: boolean }>()) {}
class First extends message('d.first', type<Ref>()) {}
class Second extends message('d.second', type<Ref>()) {}
class Left extends message('d.left', type<Ref>()) {}
class Back extends message('d.back', type<Ref>()) {}
class Note extends message('d.note', type<Ref & { text: string }>()) {}

let rig: Rig<AnySaga> | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

const id = 'x';

describe.each(storeKinds)('a saga, on $kind', (kind) => {
  const open = async (behaviour: SagaBehaviour, commands = [Note]) =>
    (rig = await openRig(kind, behaviour, { commands }));

  it('looks at always with the data that the handler has left', async () => {
    const door = defineSaga({
      name: 'always',
      version: 1,
      data: type<Ref & { ok: boolean }>(),
      correlateBy: 'id',
      states: ['waiting', 'deciding'],
      ends: { approved: 'success', rejected: 'success' },
      events: [Began, Done],
    });
    const asked: boolean[] = [];
    const { play, standing, history } = await open(
      buildSaga(door, (saga) => {
        saga
          .initially()
          .when(Began)
          .then(({ event }) => ({ id: event.id, ok: false }))
          .transitionTo('waiting');
        saga
          .during('waiting')
          .when(Done)
          .then((ctx) => void (ctx.data.ok = ctx.event.ok))
          .transitionTo('deciding');
        saga
          .during('deciding')
          .always()
          .if(({ data }) => (asked.push(data.ok), data.ok))
          .finalize('approved')
          .else()
          .finalize('rejected');
      }),
    );
    await play(new Began({ id }), new Done({ id, ok: true }));
    expect(await standing(id)).toBe('approved completed');
    await play(new Began({ id: 'y' }), new Done({ id: 'y', ok: false }));
    expect(await standing('y')).toBe('rejected completed');
    expect(asked).toEqual([true, false]);
    expect(await history(id)).toEqual(['created d.began  → waiting', 'transition d.done waiting → approved']);
  });

  it('runs exit, transition and entry handlers in that order, on one draft', async () => {
    const saga = defineSaga({
      name: 'hooks',
      version: 1,
      data: type<Ref & { trace: string[] }>(),
      correlateBy: 'id',
      states: ['here', 'there'],
      ends: { over: 'success' },
      events: [Began, First, Second, Done],
    });
    const { play, find } = await open(
      buildSaga(saga, (door) => {
        door
          .initially()
          .when(Began)
          .then(({ event }) => ({ id: event.id, trace: ['start'] }))
          .transitionTo('here');
        door
          .during('here')
          .when(First)
          .then((ctx) => void ctx.data.trace.push('first'))
          .when(Second)
          .then(async (ctx) => {
            ctx.data.trace.push('second');
            return 'there' as const;
          })
          .transitionToOneOf('there');
        door.during('there').when(Done).finalize('over');
        door.onEntry(['here', 'there', 'over'], (ctx) => void ctx.data.trace.push('entry'));
        door.onExit('here', (ctx) => {
          ctx.data.trace.push('exit here');
          ctx.send(new Note({ id: ctx.data.id, text: 'left' }));
        });
      }),
    );
    await play(new Began({ id }), new First({ id }), new Second({ id }), new Done({ id, ok: true }));
    expect((await find(id))?.data.trace).toEqual([
      'start',
      'entry',
      'first',
      'second',
      'exit here',
      'entry',
      'entry',
    ]);
    expect(rig?.handled.map(({ body }) => body)).toEqual([{ id, text: 'left' }]);
  });

  describe('joins events', () => {
    const joining = defineSaga({
      name: 'join',
      version: 1,
      data: type<Ref & { fired: number; seen: string[] }>(),
      correlateBy: 'id',
      states: ['collecting', 'elsewhere'],
      ends: { over: 'success' },
      events: [Began, First, Second, Left, Back, Done],
      compositeEvents: { both: { of: [First, Second], during: 'collecting' } },
    });
    const behaviour = buildSaga(joining, (saga) => {
      saga
        .initially()
        .when(Began)
        .then(({ event }) => ({ id: event.id, fired: 0, seen: [] }))
        .transitionTo('collecting');
      saga
        .during('collecting')
        .when('both')
        .then((ctx) => void (ctx.data.fired += 1))
        .when(First)
        .then((ctx) => void ctx.data.seen.push('first'))
        .when(Left)
        .transitionTo('elsewhere');
      saga.during('elsewhere').when(Back).transitionTo('collecting').when(Done).finalize('over');
    });
    const fired = async () => (await rig?.find(id))?.data.fired as unknown;

    it('that come in any order, once for all of them', async () => {
      const { play } = await open(behaviour);
      await play(new Began({ id }), new Second({ id }));
      expect(await fired()).toBe(0);
      await play(new First({ id }));
      expect(await fired()).toBe(1);
      expect((await rig?.find(id))?.data.seen).toEqual(['first']);
    });

    it('of which duplicates don’t count, whatever their ids', async () => {
      const { play } = await open(behaviour);
      await play(new Began({ id }), new First({ id }), new First({ id }));
      await play([new First({ id }), { id: 'again' }], [new First({ id }), { id: 'again' }]);
      expect(await fired()).toBe(0);
      await play(new Second({ id }));
      expect(await fired()).toBe(1);
    });

    it('anew when they have fired', async () => {
      const { play } = await open(behaviour);
      await play(new Began({ id }), new First({ id }), new Second({ id }), new Second({ id }));
      expect(await fired()).toBe(1);
      await play(new First({ id }));
      expect(await fired()).toBe(2);
    });

    it('and forgets them when their states are left', async () => {
      const { play } = await open(behaviour);
      await play(
        new Began({ id }),
        new First({ id }),
        new Left({ id }),
        new Back({ id }),
        new Second({ id }),
      );
      expect(await fired()).toBe(0);
      await play(new First({ id }));
      expect(await fired()).toBe(1);
    });

    it('and does not take those for members that come outside', async () => {
      const { play, history } = await open(behaviour);
      await play(new Began({ id }), new Left({ id }), new First({ id }));
      expect((await history(id)).at(-1)).toBe('deferred d.first');
      // Deferred, it counts when the states are entered again.
      await play(new Back({ id }), new Second({ id }));
      expect(await fired()).toBe(1);
    });
  });

  describe('sets timers by name', () => {
    const timed = defineSaga({
      name: 'timed',
      version: 1,
      data: type<Ref & { rings: number }>(),
      correlateBy: 'id',
      states: ['sleeping', 'awake'],
      ends: { over: 'success' },
      events: [Began, First, Second, Left, Back, Done],
      schedules: ['alarm'],
    });
    const behaviour = buildSaga(timed, (saga) => {
      saga
        .initially()
        .when(Began)
        .then((ctx) => {
          ctx.schedule('alarm', '10m');
          return { id: ctx.event.id, rings: 0 };
        })
        .transitionTo('sleeping');
      saga
        .during('sleeping')
        .scheduled('alarm')
        .then((ctx) => void (ctx.data.rings += 1))
        .when(First)
        .then((ctx) => ctx.schedule('alarm', '10m'))
        .when(Second)
        .then((ctx) => ctx.unschedule('alarm'))
        .when(Left)
        .transitionTo('awake');
      saga.during('awake').when(Back).transitionTo('sleeping').when(Done).finalize('over');
    });
    const rings = async () => (await rig?.find(id))?.data.rings as unknown;

    it('that ring once', async () => {
      const { play, advance } = await open(behaviour);
      await play(new Began({ id }));
      await advance('9m');
      expect(await rings()).toBe(0);
      await advance('2m');
      expect(await rings()).toBe(1);
      await advance('1h');
      expect(await rings()).toBe(1);
    });

    it('of which the last setting counts', async () => {
      const { play, advance } = await open(behaviour);
      await play(new Began({ id }));
      await advance('9m');
      await play(new First({ id }));
      await advance('9m');
      expect(await rings()).toBe(0);
      await advance('2m');
      expect(await rings()).toBe(1);
    });

    it('and ends them', async () => {
      const { play, advance } = await open(behaviour);
      await play(new Began({ id }), new Second({ id }));
      await advance('1h');
      expect(await rings()).toBe(0);
      await play(new First({ id }));
      await advance('1h');
      expect(await rings()).toBe(1);
    });

    it('that outlive a state, but ring only where they are answered', async () => {
      const { play, advance, history } = await open(behaviour);
      await play(new Began({ id }), new Left({ id }), new Back({ id }));
      await advance('11m');
      expect(await rings()).toBe(1);
      await play(new First({ id }), new Left({ id }));
      await advance('11m');
      expect((await history(id)).at(-1)).toBe('ignored schedule alarm');
      await play(new Back({ id }));
      await advance('1h');
      expect(await rings()).toBe(1);
    });

    it('that end with the saga', async () => {
      const { play, advance, history } = await open(behaviour);
      await play(new Began({ id }), new Left({ id }), new Done({ id, ok: true }));
      const before = await history(id);
      await advance('1h');
      expect(await history(id)).toEqual(before);
    });
  });
});
