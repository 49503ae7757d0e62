import { message, type } from '@nestjs-orchestrator/core';
import { buildSaga, defineSaga } from '@nestjs-orchestrator/core/saga';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openRig, type Rig } from './rig.js';
import { storeKinds, type StoreKind } from './support.js';

const ref = z.object({ boxId: z.string() });
class Opened extends message('j.opened', ref) {}
class Wait extends message('j.wait', ref) {}
class Put extends message('j.put', ref.extend({ what: z.string() })) {}
class Note extends message('j.note', ref.extend({ what: z.string() })) {}
class Sealed extends message('j.sealed', ref) {}
class Ticked extends message('j.ticked', ref) {}

const definition = defineSaga({
  name: 'box',
  version: 1,
  data: type<{ boxId: string; things: string[] }>(),
  correlateBy: 'boxId',
  states: ['open', 'ticking'],
  ends: { sealed: 'success' },
  events: [Opened, Wait, Put, Sealed, Ticked],
  compensations: {},
});

/** A box whose handler of `Wait` takes until the test lets it go on, so that the other messages gather behind it. */
function box() {
  let go = (): void => {};
  const scene = { spoilt: new Set<string>(), go: () => go() };
  const behaviour = buildSaga(definition, (saga) => {
    saga
      .initially()
      .when(Opened)
      .then(({ event }) => ({ boxId: event.boxId, things: [] }))
      .transitionTo('open');
    saga
      .during('open')
      .when(Wait)
      .then(() => new Promise<void>((resolve) => (go = resolve)))
      .transitionTo('open');
    saga
      .during('open')
      .when(Put)
      .then((ctx) => {
        const { boxId, what } = ctx.event;
        if (scene.spoilt.delete(what)) throw new Error(`${what} is spoilt`);
        ctx.data.things.push(what);
        ctx.send(new Note({ boxId, what }));
      })
      .transitionTo('open');
    saga.during('open').when(Ticked).transitionTo('ticking');
    saga.during('ticking').when(Ticked).transitionTo('open').after('1h').transitionTo('sealed');
    saga.during('open').when(Sealed).transitionTo('sealed');
  });
  return { behaviour, scene };
}

let rig: Rig<typeof definition> | undefined;
afterEach(async () => rig?.close());

const boxId = 'b1';
const put = (what: string): Put => new Put({ boxId, what });

/** Lets the messages gather behind one that is being handled; then all go on. */
async function gathered(kind: StoreKind, messages: readonly (readonly [id: string, event: object])[]) {
  const { behaviour, scene } = box();
  rig = await openRig(kind, behaviour, { commands: [Note] });
  await rig.play(new Opened({ boxId }));
  await rig.host.bus.publish(new Wait({ boxId }), { id: 'wait' });
  for (const [id, event] of messages) await rig.host.bus.publish(event, { id });
  await rig.clock.settled();
  scene.go();
  return { rig, scene };
}

const notes = ({ handled }: Rig<typeof definition>) =>
  handled.map(({ body }) => (body as { what: string }).what).toSorted();

describe.each(storeKinds)('messages that wait for one instance, on $kind', (kind) => {
  it('are committed together, each with its effects, its inbox row and its line of history', async () => {
    const { rig: t } = await gathered(kind, [
      ['m1', put('cup')],
      ['m2', put('pot')],
      ['m3', put('jar')],
    ]);
    await t.clock.settled();
    const found = await t.find(boxId);
    expect(found).toMatchObject({ version: 2, data: { things: ['cup', 'pot', 'jar'] } });
    expect(notes(t)).toEqual(['cup', 'jar', 'pot']);
    expect(await t.history(boxId)).toEqual([
      'created j.opened  → open',
      'event j.wait',
      'event j.put',
      'event j.put',
      'event j.put',
    ]);
    for (const id of ['wait', 'm1', 'm2', 'm3']) await t.play([put('again'), { id }]);
    expect(await t.find(boxId)).toMatchObject({ version: 2, data: { things: ['cup', 'pot', 'jar'] } });
  });

  it('count once each, also where one of them waits twice', async () => {
    const { rig: t } = await gathered(kind, [
      ['m1', put('cup')],
      ['m2', put('pot')],
      ['m1', put('cup')],
      ['m3', put('jar')],
    ]);
    await t.clock.settled();
    await t.advance('1m');
    expect((await t.find(boxId))?.data.things).toEqual(['cup', 'pot', 'jar']);
    expect(notes(t)).toEqual(['cup', 'jar', 'pot']);
  });

  it('stop before the first that fails, which is tried by itself and takes nothing back', async () => {
    const { behaviour, scene } = box();
    rig = await openRig(kind, behaviour, { commands: [Note] });
    const t = rig;
    await t.play(new Opened({ boxId }));
    await t.host.bus.publish(new Wait({ boxId }), { id: 'wait' });
    for (const what of ['cup', 'egg', 'jar']) await t.host.bus.publish(put(what), { id: what });
    await t.clock.settled();
    // It fails when it is handled along, and once more in its own turn.
    scene.spoilt.add('egg');
    scene.go();
    await t.clock.settled();
    await t.advance('1m');
    expect(((await t.find(boxId))?.data.things ?? []).toSorted()).toEqual(['cup', 'egg', 'jar']);
    expect(notes(t)).toEqual(['cup', 'egg', 'jar']);
    expect(await t.deadLetters()).toEqual([]);
  });

  it('end with the one that ends the saga; what comes behind it is late', async () => {
    const { rig: t } = await gathered(kind, [
      ['m1', put('cup')],
      ['m2', new Sealed({ boxId })],
      ['m3', put('jar')],
    ]);
    await t.clock.settled();
    const found = await t.find(boxId);
    expect(found).toMatchObject({ state: 'sealed', status: 'completed', data: { things: ['cup'] } });
    expect((await t.history(boxId)).at(-1)).toBe('late j.put');
    expect(notes(t)).toEqual(['cup']);
  });

  it('leave the timer of the state in which they end, and no other', async () => {
    const tick = new Ticked({ boxId });
    const { rig: t } = await gathered(kind, [
      ['m1', tick],
      ['m2', tick],
      ['m3', tick],
    ]);
    await t.clock.settled();
    expect(await t.find(boxId)).toMatchObject({ state: 'ticking', version: 2 });
    await t.advance('59m');
    expect(await t.find(boxId)).toMatchObject({ state: 'ticking' });
    await t.advance('1m');
    expect(await t.find(boxId)).toMatchObject({ state: 'sealed', version: 3 });
  });
});
