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
class Late extends message('d.late', type<Ref>()) {}
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

  describe('answers late messages', () => {
    const late = defineSaga({
      name: 'late',
      version: 1,
      data: type<Ref & { seen: string[] }>(),
      correlateBy: 'id',
      states: ['open'],
      ends: { completed: 'success', failed: 'undo' },
      events: [Began, Done, Late, Left],
      compensations: { early: type<Ref>(), late: type<Ref>() },
    });
    const undone: string[] = [];
    /** Set: the next undo waits for it. */
    let gate: Promise<void> | undefined;
    const behaviour = buildSaga(late, (saga) => {
      saga
        .initially()
        .when(Began)
        .then((ctx) => {
          ctx.compensateWith('early', { id: ctx.event.id });
          return { id: ctx.event.id, seen: [] };
        })
        .transitionTo('open');
      saga
        .during('open')
        .when(Done)
        .then(({ event }) => (event.ok ? 'completed' : 'failed'))
        .transitionToOneOf('completed', 'failed');
      for (const phase of ['compensating', 'ended'] as const) {
        saga
          .during(phase)
          .when(Late)
          .then((ctx) => {
            ctx.data.seen.push(phase);
            ctx.compensateWith('late', { id: ctx.event.id });
            ctx.send(new Note({ id: ctx.event.id, text: phase }));
          });
      }
      saga.compensate('early', async () => {
        undone.push('early');
        await gate;
      });
      saga.compensate('late', async () => void undone.push('late'));
    });
    const reset = (): void => void ((undone.length = 0), (gate = undefined));

    it('after a failure: what they record is undone as well, and nothing else changes', async () => {
      reset();
      const { play, standing, find } = await open(behaviour);
      await play(new Began({ id }), new Done({ id, ok: false }));
      expect(await standing(id)).toBe('failed compensated');
      await play(new Late({ id }));
      expect(undone).toEqual(['early', 'late']);
      expect(await standing(id)).toBe('failed compensated');
      expect((await find(id))?.data.seen).toEqual([]);
      expect(rig?.handled.map(({ body }) => body)).toEqual([{ id, text: 'ended' }]);
    });

    it('after a success: only what they record is undone, and the success stands', async () => {
      reset();
      const { play, standing, find } = await open(behaviour);
      await play(new Began({ id }), new Done({ id, ok: true }), new Late({ id }));
      expect(undone).toEqual(['late']);
      expect(await standing(id)).toBe('completed completed');
      expect((await find(id))?.undo).toMatchObject([
        { name: 'early', status: 'kept' },
        { name: 'late', status: 'done' },
      ]);
    });

    it('while it is undone: what they record is undone next', async () => {
      reset();
      let release = (): void => {};
      gate = new Promise((resolve) => (release = resolve));
      const { play, standing, find } = await open(behaviour);
      await play(new Began({ id }), new Done({ id, ok: false }));
      expect(await standing(id)).toBe('failed compensating');
      await play(new Late({ id }));
      expect(undone).toEqual(['early']);
      release();
      await rig?.clock.settled();
      expect(undone).toEqual(['early', 'late']);
      expect(await standing(id)).toBe('failed compensated');
      expect((await find(id))?.data.seen).toEqual(['compensating']);
    });

    it('and records as late what it does not answer', async () => {
      reset();
      const { play, history } = await open(behaviour);
      await play(new Began({ id }), new Done({ id, ok: true }), new Left({ id }));
      expect((await history(id)).at(-1)).toBe('late d.left');
    });
  });

  it('keeps what was recorded before a point of no return', async () => {
    const saga = defineSaga({
      name: 'pivot',
      version: 1,
      data: type<Ref>(),
      correlateBy: 'id',
      states: ['charging', 'shipping'],
      ends: { shipped: 'success', failed: 'undo' },
      events: [Began, First, Second],
      compensations: { refund: type<Ref>(), recall: type<Ref>() },
    });
    const undone: string[] = [];
    const { play, find, standing } = await open(
      buildSaga(saga, (door) => {
        door
          .initially()
          .when(Began)
          .then((ctx) => {
            ctx.compensateWith('refund', { id: ctx.event.id });
            return { id: ctx.event.id };
          })
          .transitionTo('charging');
        door
          .during('charging')
          .when(First)
          .then((ctx) => {
            ctx.pivot();
            ctx.compensateWith('recall', { id: ctx.data.id });
          })
          .transitionTo('shipping');
        door.during('shipping').when(Second).finalize('failed').after('1h').finalize('shipped');
        door.compensate('refund', async () => void undone.push('refund'));
        door.compensate('recall', async () => void undone.push('recall'));
      }),
    );
    await play(new Began({ id }), new First({ id }), new Second({ id }));
    expect(undone).toEqual(['recall']);
    expect(await standing(id)).toBe('failed compensated');
    expect((await find(id))?.undo).toMatchObject([
      { name: 'refund', status: 'kept' },
      { name: 'recall', status: 'done' },
    ]);
  });
});
