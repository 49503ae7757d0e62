import { message, type } from '@nestjs-orchestrator/core';
import type { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import { buildSaga, defineSaga } from '@nestjs-orchestrator/core/saga';
import { afterEach, describe, expect, it } from 'vitest';
import { openPlainCluster, type PlainCluster } from '../messaging/support.js';
import { CALM, storeKinds } from './support.js';

interface Ref {
  id: string;
}
class Began extends message('x.began', type<Ref>()) {}
class First extends message('x.first', type<Ref>()) {}
class Second extends message('x.second', type<Ref>()) {}
class Third extends message('x.third', type<Ref>()) {}
class Over extends message('x.over', type<Ref>()) {}
class Note extends message('x.note', type<{ text: string }>()) {}

const ADA = { by: 'ada', reason: 'the customer called' };
const id = 'x';

let cluster: PlainCluster | undefined;
afterEach(async () => {
  await cluster?.close();
  cluster = undefined;
});

describe.each(storeKinds)('two nodes and one instance, on $kind', (kind) => {
  const saga = defineSaga({
    version: 1,
    correlateBy: 'id',
    data: type<Ref & { seen: string[] }>(),
    name: 'shared',
    states: ['open', 'more'],
    ends: { over: 'success', failed: 'undo' },
    events: [Began, First, Second, Third, Over],
    compositeEvents: { both: { of: [Second, Third], during: 'open' } },
    compensations: { back: type<Ref>() },
  });
  /** What the first node's handlers wait for. */
  let gate: Promise<void> | undefined;
  let entered = (): void => {};
  const asked: string[] = [];
  const undone: string[] = [];

  async function two() {
    gate = undefined;
    asked.length = undone.length = 0;
    const nodes = (cluster = await openPlainCluster(kind));
    const register = (name: string) => (host: OrchestratorHost) => {
      const door = buildSaga(saga, (build) => {
        build
          .initially()
          .when(Began)
          .then((ctx) => {
            ctx.compensateWith('back', { id: ctx.event.id });
            return { id: ctx.event.id, seen: [] };
          })
          .transitionTo('open');
        build
          .during('open')
          .when(First)
          .if(({ data }) => (asked.push(`${name} ${data.seen.length}`), data.seen.length === 0))
          .then(async (ctx) => {
            ctx.data.seen.push('first');
            ctx.send(new Note({ text: 'first' }));
            entered();
            if (name === 'one') await gate;
          })
          .else()
          .then((ctx) => void ctx.data.seen.push('else'))
          .when(Over)
          .finalize('over')
          .when('both')
          .then((ctx) => void ctx.data.seen.push('both'))
          .transitionTo('more');
        build.during('open').when(Second).ignore();
        build.during('more').when(Over).finalize('over').after('7d').finalize('failed');
        build.compensate('back', async () => void undone.push(name));
      });
      host.register(door);
      host.registerHandler({
        message: Note,
        name: 'notes',
        handle: ({ message: { text } }) => void notes.push(text),
      });
    };
    const notes: string[] = [];
    const options = { ...CALM, handlerTimeoutMs: 600_000 };
    const one = await nodes.node('one', register('one'), options);
    const other = await nodes.node('other', register('other'), options);
    const repository = other.host.repository(saga);
    const instance = () => repository.findByCorrelation(id);
    return { nodes, clock: nodes.clock, one, other, notes, instance };
  }

  it('a condition is asked once for each try, and after a lost race of what the winner has left', async () => {
    const { clock, one, other, notes, instance } = await two();
    await one.host.bus.publish(new Began({ id }));
    await clock.settled();
    let release = (): void => {};
    gate = new Promise((resolve) => (release = resolve));
    const running = new Promise<void>((resolve) => (entered = resolve));
    await one.host.bus.publish(new First({ id }));
    await running;
    entered = (): void => {};
    await other.host.bus.publish(new First({ id }));
    await clock.settled();
    release();
    await clock.advance('1s');
    expect((await instance())?.data.seen).toEqual(['first', 'else']);
    expect(asked).toEqual(['one 0', 'other 0', 'one 1']);
    // What the lost try recorded never left.
    expect(notes).toEqual(['first']);
  });

  it('an operator cancels while a handler runs elsewhere: what that wanted does not happen', async () => {
    const { clock, one, other, notes, instance } = await two();
    await one.host.bus.publish(new Began({ id }));
    await clock.settled();
    let release = (): void => {};
    gate = new Promise((resolve) => (release = resolve));
    const running = new Promise<void>((resolve) => (entered = resolve));
    await one.host.bus.publish(new First({ id }));
    await running;
    await other.host.operator.cancel({ saga, id: (await instance())?.id ?? '' }, ADA);
    release();
    await clock.advance('1s');
    expect(await instance()).toMatchObject({ state: 'open', status: 'cancelled', data: { seen: [] } });
    expect(notes).toEqual([]);
    expect(undone).toHaveLength(1);
  });

  it.each(['saga.commit.before', 'saga.commit.after'])(
    'a composite event whose parts come to different nodes fires once, though one dies at %s',
    async (point) => {
      const { clock, one, other, instance } = await two();
      await other.host.bus.publish(new Began({ id }));
      await other.host.bus.publish(new Third({ id }), { id: 'third' });
      await clock.settled();
      const crash = one.faults.crashAt(point).then(() => one.kill());
      await one.host.bus.publish(new Second({ id }), { id: 'second' });
      await crash;
      await clock.advance('2m');
      expect(await instance()).toMatchObject({ state: 'more', data: { seen: ['both'] } });
      await other.host.bus.publish(new Second({ id }), { id: 'second' });
      await other.host.bus.publish(new Third({ id }), { id: 'third' });
      await clock.settled();
      expect(await instance()).toMatchObject({ state: 'more', data: { seen: ['both'] } });
    },
  );
});
