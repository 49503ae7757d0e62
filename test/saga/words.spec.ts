import { message, type } from '@nestjs-orchestrator/core';
import {
  buildSaga,
  defineSaga,
  keyed,
  type AnySaga,
  type SagaBehaviour,
} from '@nestjs-orchestrator/core/saga';
import { afterEach, describe, expect, it } from 'vitest';
import { openRig, type Rig } from './rig.js';
import { storeKinds } from './support.js';

interface Ref {
  id: string;
}
class Began extends message('x.began', type<Ref>()) {}
class First extends message('x.first', type<Ref & { go: boolean }>()) {}
class Second extends message('x.second', type<Ref>()) {}
class Third extends message('x.third', type<Ref>()) {}
class Over extends message('x.over', type<Ref>()) {}
class Note extends message('x.note', type<{ text: string }>()) {}

const ADA = { by: 'ada', reason: 'the customer called' };
const id = 'x';

let rig: Rig<AnySaga> | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

const words = { version: 1, correlateBy: 'id', data: type<Ref & { seen: string[] }>() } as const;

describe.each(storeKinds)('words of a saga where they meet, on $kind', (kind) => {
  const open = async (behaviour: SagaBehaviour) =>
    (rig = await openRig(kind, behaviour, { commands: [Note] }));
  const seen = async () => (await rig?.find(id))?.data.seen as unknown;

  it('a composite event is left alone by a member whose handler leads out of its states', async () => {
    const saga = defineSaga({
      ...words,
      name: 'leading',
      states: ['here', 'there'],
      ends: { over: 'success' },
      events: [Began, First, Second, Over],
      compositeEvents: { both: { of: [First, Second], during: 'here' } },
    });
    const { play, standing } = await open(
      buildSaga(saga, (door) => {
        door
          .initially()
          .when(Began)
          .then(({ event }) => ({ id: event.id, seen: [] }))
          .transitionTo('here');
        door
          .during('here')
          .when(First)
          .then(({ event }) => (event.go ? 'there' : 'here'))
          .transitionToOneOf('here', 'there');
        door
          .during('here', 'there')
          .when('both')
          .then((ctx) => void ctx.data.seen.push('both'));
        door.during('there').when(Second).transitionTo('here').when(Over).finalize('over');
      }),
    );
    await play(new Began({ id }), new Second({ id }), new First({ id, go: true }));
    expect([await standing(id), await seen()]).toEqual(['there running', []]);
    // What had come was forgotten with the state.
    await play(new Second({ id }), new First({ id, go: false }));
    expect([await standing(id), await seen()]).toEqual(['here running', []]);
    await play(new Second({ id }));
    expect([await standing(id), await seen()]).toEqual(['here running', ['both']]);
  });

  it('composite events of regions count apart, though they share a member', async () => {
    const region = { initial: 'open', states: { open: {}, done: { type: 'final' } } } as const;
    const saga = defineSaga({
      ...words,
      name: 'regions',
      states: { both: { type: 'parallel', states: { left: region, right: region } } },
      ends: { over: 'success' },
      events: [Began, First, Second, Third],
      compositeEvents: {
        one: { of: [First, Second], during: 'both.left.open' },
        two: { of: [Third, Second], during: 'both.right.open' },
      },
    });
    const { play, standing } = await open(
      buildSaga(saga, (door) => {
        door
          .initially()
          .when(Began)
          .then(({ event }) => ({ id: event.id, seen: [] }))
          .transitionTo('both');
        door.during('both.left.open').when('one').transitionTo('both.left.done');
        door.during('both.right.open').when('two').transitionTo('both.right.done');
        door.during('both').done().finalize('over');
      }),
    );
    await play(new Began({ id }), new Third({ id }), new First({ id, go: true }));
    expect(await standing(id)).toBe('both.left.open|both.right.open running');
    // One message completes both; both regions are done in the one macrostep.
    await play(new Second({ id }));
    expect(await standing(id)).toBe('over completed');
  });

  it('an end reached from inside leaves all regions, from the inside out, with their timers and activities', async () => {
    const saga = defineSaga({
      ...words,
      name: 'leaving',
      states: {
        both: {
          type: 'parallel',
          states: {
            left: { initial: 'deep', states: { deep: { initial: 'in', states: { in: {} } } } },
            right: { initial: 'busy', states: { busy: {} } },
          },
        },
      },
      ends: { over: 'success', late: 'success' },
      events: [Began, Over],
      activities: { work: { input: type<Ref>(), output: type<Ref>() } },
    });
    const aborted: string[] = [];
    const { play, advance, history, standing } = await open(
      buildSaga(saga, (door) => {
        door
          .initially()
          .when(Began)
          .then((ctx) => {
            ctx.invoke('work', { id });
            return { id: ctx.event.id, seen: [] };
          })
          .transitionTo('both');
        door.during('both.left.deep.in').when(Over).finalize('over');
        door
          .during('both.right.busy')
          .onDone('work')
          .finalize('late')
          .onFailed('work')
          .finalize('late')
          .after('1h')
          .finalize('late');
        for (const path of [
          'both',
          'both.left',
          'both.left.deep',
          'both.left.deep.in',
          'both.right.busy',
        ] as const)
          door.onExit(path, (ctx) => void ctx.data.seen.push(path));
        door.activity(
          'work',
          (_, { signal }) =>
            new Promise((_resolve, reject) =>
              signal.addEventListener('abort', () => {
                aborted.push((signal.reason as Error).name);
                reject(signal.reason as Error);
              }),
            ),
        );
      }),
    );
    await play(new Began({ id }), new Over({ id }));
    expect(await seen()).toEqual([
      'both.right.busy',
      'both.left.deep.in',
      'both.left.deep',
      'both.left',
      'both',
    ]);
    expect(aborted).toEqual(['ActivityCancelledError']);
    await advance('2h');
    expect(await standing(id)).toBe('over completed');
    expect(await history(id)).toEqual([
      'created x.began  → both.left.deep.in|both.right.busy',
      'transition x.over both.left.deep.in|both.right.busy → over',
      'activity-cancelled work',
    ]);
  });

  it('timers that are set and ended in one handler: its last word counts, also for its own', async () => {
    const saga = defineSaga({
      ...words,
      name: 'timers',
      states: ['open'],
      ends: { over: 'success' },
      events: [Began, Over],
      schedules: ['set', 'ended', 'moved', 'again'],
    });
    const { play, advance } = await open(
      buildSaga(saga, (door) => {
        door
          .initially()
          .when(Began)
          .then((ctx) => {
            ctx.unschedule('set');
            ctx.schedule('set', '5m');
            ctx.schedule('ended', '5m');
            ctx.unschedule('ended');
            ctx.schedule('moved', '5m');
            ctx.schedule('moved', '20m');
            ctx.schedule('again', '10m');
            return { id: ctx.event.id, seen: [] };
          })
          .transitionTo('open');
        const scope = door.during('open').when(Over).finalize('over');
        for (const name of ['set', 'ended', 'moved'] as const)
          scope.scheduled(name).then((ctx) => void ctx.data.seen.push(name));
        scope.scheduled('again').then((ctx) => {
          ctx.data.seen.push('again');
          ctx.unschedule('again');
          if (ctx.data.seen.length < 4) ctx.schedule('again', '0s');
        });
      }),
    );
    await play(new Began({ id }));
    await advance('15m');
    expect(await seen()).toEqual(['set', 'again', 'again', 'again']);
    await advance('1h');
    expect(await seen()).toEqual(['set', 'again', 'again', 'again', 'moved']);
  });

  it('what was recorded between steps of a scope is undone between them', async () => {
    const ref = type<{ no: number }>();
    const saga = defineSaga({
      ...words,
      name: 'scopes',
      states: ['open'],
      ends: { failed: 'undo' },
      events: [Began, Over],
      compensations: { step: ref },
    });
    const ran: string[] = [];
    let release = (): void => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const { play, clock, standing } = await open(
      buildSaga(saga, (door) => {
        door
          .initially()
          .when(Began)
          .then((ctx) => {
            ctx.compensateWith('step', { no: 1 }, { scope: 'a' });
            ctx.compensateWith('step', { no: 2 });
            ctx.compensateWith('step', { no: 3 }, { scope: 'a' });
            ctx.compensateWith('step', { no: 4 }, { scope: 'a' });
            return { id: ctx.event.id, seen: [] };
          })
          .transitionTo('open');
        door.during('open').when(Over).finalize('failed');
        door.compensate('step', async ({ no }) => {
          ran.push(`${no} begins`);
          if (no > 2) await gate;
          ran.push(`${no} ends`);
        });
      }),
    );
    await play(new Began({ id }), new Over({ id }));
    expect([...ran].sort()).toEqual(['3 begins', '4 begins']);
    release();
    await clock.settled();
    expect(ran.slice(4)).toEqual(['2 begins', '2 ends', '1 begins', '1 ends']);
    expect(await standing(id)).toBe('failed compensated');
  });

  it('a condition that returns a promise, and a target that was not declared, hold the instance and say why', async () => {
    const saga = defineSaga({
      ...words,
      name: 'faulty',
      states: { open: { initial: 'in', states: { in: {}, out: {} } } },
      ends: { over: 'success' },
      events: [Began, First, Second, Over],
    });
    const { play, advance, host, find, standing } = await open(
      buildSaga(saga, (door) => {
        door
          .initially()
          .when(Began)
          .then(({ event }) => ({ id: event.id, seen: [] }))
          .transitionTo('open');
        door
          .during('open.in')
          .when(First)
          .then(() => 'open.nowhere' as 'open.out')
          .transitionToOneOf('open.out')
          .when(Second)
          .if((async () => false) as unknown as () => boolean)
          .transitionTo('open.out');
        door.during('open').when(Over).finalize('over');
      }),
    );
    await play(new Began({ id }));
    const why = async (event: object): Promise<string> => {
      await play(event);
      await advance('10m');
      expect(await standing(id)).toBe('open.in held');
      const at = { saga, id: (await find(id))?.id ?? '' };
      const refused: unknown = await host.operator.replay(at, ADA).catch((error: unknown) => error);
      await host.operator.skip(at, ADA);
      return (refused as Error).message;
    };
    expect(await why(new First({ id, go: true }))).toMatch(
      /during\(open\.in\)\.when\(x\.first\) must return one of open\.out; it returned open\.nowhere\./,
    );
    expect(await why(new Second({ id }))).toMatch(/its condition returned a promise\. Conditions can't wait/);
    expect(await standing(id)).toBe('open.in running');
  });

  it('keys: an instance may have several values of one, and record each as often as it likes', async () => {
    class Parcel extends message('x.parcel', type<Ref & { no: string }>()) {}
    class Scanned extends message('x.scanned', type<{ no: string; at: string }>()) {}
    const saga = defineSaga({
      ...words,
      name: 'parcels',
      keys: { parcel: 'at most one' },
      states: ['open'],
      ends: { over: 'success' },
      events: [Began, Parcel, Over, keyed(Scanned, ({ no }) => no, { key: 'parcel' })],
    });
    const { play, standing } = await open(
      buildSaga(saga, (door) => {
        door
          .initially()
          .when(Began)
          .then(({ event }) => ({ id: event.id, seen: [] }))
          .transitionTo('open');
        door
          .during('open')
          .when(Parcel)
          .then((ctx) => {
            ctx.correlateWith('parcel', ctx.event.no);
            ctx.correlateWith('parcel', ctx.event.no);
          })
          .when(Scanned)
          .then((ctx) => void ctx.data.seen.push(`${ctx.event.no} ${ctx.event.at}`))
          .when(Over)
          .finalize('over');
      }),
    );
    await play(
      new Began({ id }),
      new Parcel({ id, no: 'p1' }),
      new Parcel({ id, no: 'p2' }),
      new Parcel({ id, no: 'p1' }),
    );
    await play(new Scanned({ no: 'p1', at: 'Bonn' }), new Scanned({ no: 'p2', at: 'Kiel' }));
    expect([await standing(id), await seen()]).toEqual(['open running', ['p1 Bonn', 'p2 Kiel']]);
  });
});
