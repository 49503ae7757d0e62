import { message, type } from '@nestjs-orchestrator/core';
import { buildSaga, defineSaga, type AnySaga, type SagaBehaviour } from '@nestjs-orchestrator/core/saga';
import { afterEach, describe, expect, it } from 'vitest';
import { openRig, type Rig } from './rig.js';
import { storeKinds } from './support.js';

interface Ref {
  id: string;
}
class Began extends message('n.began', type<Ref>()) {}
class Paid extends message('n.paid', type<Ref>()) {}
class Packed extends message('n.packed', type<Ref>()) {}
class Labelled extends message('n.labelled', type<Ref>()) {}
class Asked extends message('n.asked', type<Ref>()) {}
class Paused extends message('n.paused', type<Ref>()) {}
class Resumed extends message('n.resumed', type<Ref>()) {}

const order = defineSaga({
  name: 'nested',
  version: 1,
  data: type<Ref & { trace: string[] }>(),
  correlateBy: 'id',
  states: {
    preparing: {
      type: 'parallel',
      states: {
        payment: { initial: 'waiting', states: { waiting: {}, reminded: {}, done: { type: 'final' } } },
        parcel: { initial: 'packing', states: { packing: {}, labelling: {}, done: { type: 'final' } } },
        back: { type: 'history', history: 'deep' },
      },
    },
    paused: {},
  },
  ends: { ready: 'success', failed: 'success' },
  events: [Began, Paid, Packed, Labelled, Asked, Paused, Resumed],
});

const behaviour = buildSaga(order, (saga) => {
  saga
    .initially()
    .when(Began)
    .then(({ event }) => ({ id: event.id, trace: [] }))
    .transitionTo('preparing');
  saga
    .during('preparing.payment.waiting')
    .when(Paid)
    .transitionTo('preparing.payment.done')
    .after('10m')
    .then((ctx) => void ctx.data.trace.push('reminder'))
    .transitionTo('preparing.payment.reminded')
    .after('4m')
    .then((ctx) => void ctx.data.trace.push('nudge'));
  saga.during('preparing.payment.reminded').when(Paid).transitionTo('preparing.payment.done');
  saga.during('preparing.parcel.packing').when(Packed).transitionTo('preparing.parcel.labelling');
  saga
    .during('preparing.parcel.labelling')
    .when(Labelled)
    .then(async () => 'preparing.parcel.done' as const)
    .transitionToOneOf('preparing.parcel.done')
    .when(Asked)
    .then((ctx) => void ctx.data.trace.push('asked while labelling'));
  saga
    .during('preparing')
    .done()
    .finalize('ready')
    .after('1h')
    .finalize('failed')
    .when(Paused)
    .transitionTo('paused');
  saga.during('paused').when(Resumed).transitionTo('preparing.back').after('2h').finalize('failed');
  saga
    .duringAny()
    .when(Asked)
    .then((ctx) => void ctx.data.trace.push('asked'));
});

let rig: Rig<AnySaga> | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
});

const id = 'x';

describe.each(storeKinds)('nested and parallel states, on $kind', (kind) => {
  const open = async (of: SagaBehaviour = behaviour) => (rig = await openRig(kind, of));
  const trace = async () => (await rig?.find(id))?.data.trace as unknown;

  it('move apart from each other, and end together', async () => {
    const { play, standing } = await open();
    await play(new Began({ id }));
    expect(await standing(id)).toBe('preparing.payment.waiting|preparing.parcel.packing running');
    await play(new Packed({ id }), new Labelled({ id }));
    expect(await standing(id)).toBe('preparing.payment.waiting|preparing.parcel.done running');
    await play(new Paid({ id }));
    expect(await standing(id)).toBe('ready completed');
  });

  it('have timers that a sibling region’s moves don’t touch', async () => {
    const { play, advance, standing } = await open();
    await play(new Began({ id }));
    await advance('5m');
    await play(new Packed({ id }));
    await advance('4m');
    await play(new Labelled({ id }));
    expect(await trace()).toEqual(['nudge']);
    await advance('2m');
    expect(await trace()).toEqual(['nudge', 'reminder']);
    expect(await standing(id)).toBe('preparing.payment.reminded|preparing.parcel.done running');
    await advance('50m');
    expect(await standing(id)).toBe('failed completed');
  });

  it('have timers that end with their own stay', async () => {
    const { play, advance } = await open();
    await play(new Began({ id }), new Paid({ id }));
    await advance('30m');
    expect(await trace()).toEqual([]);
  });

  it('are asked from the inside out', async () => {
    const { play } = await open();
    await play(new Began({ id }), new Asked({ id }), new Packed({ id }), new Asked({ id }));
    expect(await trace()).toEqual(['asked', 'asked while labelling']);
  });

  it('are entered again where they were left, and their timers begin anew', async () => {
    const { play, advance, standing } = await open();
    await play(new Began({ id }), new Packed({ id }));
    await advance('3m');
    await play(new Paused({ id }));
    await advance('30m');
    await play(new Resumed({ id }));
    expect(await standing(id)).toBe('preparing.payment.waiting|preparing.parcel.labelling running');
    expect(await trace()).toEqual([]);
    await advance('5m');
    expect(await trace()).toEqual(['nudge']);
  });

  it('are found by any state that an instance is in', async () => {
    const { play, host } = await open();
    await play(new Began({ id }), new Began({ id: 'y' }), new Packed({ id: 'y' }), new Began({ id: 'z' }));
    await play(new Paused({ id: 'z' }));
    const found = async (state: Parameters<ReturnType<typeof repository>['findByState']>[0]) => {
      const ids: string[] = [];
      for await (const { data } of repository().findByState(state)) ids.push(data.id);
      return ids;
    };
    const repository = () => host.repository(order);
    expect(await found('preparing')).toEqual(['x', 'y']);
    expect(await found('preparing.payment.waiting')).toEqual(['x', 'y']);
    expect(await found('preparing.parcel')).toEqual(['x', 'y']);
    expect(await found('preparing.parcel.labelling')).toEqual(['y']);
    expect(await found('paused')).toEqual(['z']);
  });
});
