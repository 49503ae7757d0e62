import { message, type } from '@nestjs-orchestrator/core';
import {
  defineSaga,
  type SagaDefinitionError,
  steps,
  type AnySaga,
  type SagaBehaviour,
} from '@nestjs-orchestrator/core/saga';
import { afterEach, describe, expect, it } from 'vitest';
import { openRig, type Rig } from './rig.js';
import { storeKinds } from './support.js';

interface Ref {
  id: string;
}
class Ordered extends message('p.ordered', type<Ref & { cents: number }>()) {}
class Cancelled extends message('p.cancelled', type<Ref>()) {}
class Paid extends message('p.paid', type<Ref & { transaction: string }>()) {}
class Declined extends message('p.declined', type<Ref & { reason: string }>()) {}
class Reserved extends message('p.reserved', type<Ref>()) {}
class Missing extends message('p.missing', type<Ref>()) {}
class Labelled extends message('p.labelled', type<Ref & { tracking: string }>()) {}
class Delivered extends message('p.delivered', type<Ref>()) {}
class Returned extends message('p.returned', type<Ref>()) {}
class Pay extends message('p.pay', type<Ref & { cents: number }>()) {}
class Reserve extends message('p.reserve', type<Ref>()) {}
class Label extends message('p.label', type<Ref>()) {}
class Deliver extends message('p.deliver', type<Ref & { tracking: string }>()) {}

interface Data extends Ref {
  cents: number;
  transaction?: string;
  tracking?: string;
  reason?: string;
}

const orders = defineSaga({
  name: 'steps',
  version: 1,
  data: type<Data>(),
  correlateBy: 'id',
  states: ['paying', 'preparing', 'delivering'],
  ends: { completed: 'success', failed: 'undo', returned: 'undo' },
  events: [Ordered, Cancelled, Paid, Declined, Reserved, Missing, Labelled, Delivered, Returned],
  compensations: { refund: type<Ref>(), release: type<Ref>(), tear: type<Ref>() },
  sends: [Pay, Reserve, Label, Deliver],
});

const undone: string[] = [];
const ref = ({ data }: { data: Data }): Ref => ({ id: data.id });
const note =
  (name: string) =>
  async ({ id }: Ref) =>
    void undone.push(`${name} ${id}`);

const behaviour = steps(orders, {
  compensations: { refund: note('refund'), release: note('release'), tear: note('tear') },
})
  .startedBy(Ordered, ({ event }) => ({ id: event.id, cents: event.cents }))
  .failsTo('failed')
  .failsOn(Cancelled, (ctx) => void (ctx.data.reason = 'cancelled'))
  .step('paying', {
    do: ({ data }) => new Pay({ id: data.id, cents: data.cents }),
    undo: { refund: ref },
    answer: Paid,
    onAnswer: (ctx) => void (ctx.data.transaction = ctx.event.transaction),
    failure: Declined,
    onFailure: (ctx) => void (ctx.data.reason = ctx.event.reason),
    timeout: '1h',
  })
  .parallel(
    'preparing',
    (all) =>
      all
        .branch({
          do: ({ data }) => new Reserve({ id: data.id }),
          undo: { release: ref },
          answer: Reserved,
          failure: Missing,
        })
        .branch({
          do: ({ data }) => new Label({ id: data.id }),
          undo: { tear: ref },
          answer: Labelled,
          onAnswer: (ctx) => void (ctx.data.tracking = ctx.event.tracking),
        }),
    { timeout: '2h' },
  )
  .pivot({ failure: 'returned' })
  .step('delivering', {
    do: ({ data }) => new Deliver({ id: data.id, tracking: data.tracking ?? '' }),
    answer: Delivered,
    failure: Returned,
  })
  .finalize('completed');

const commands = [Pay, Reserve, Label, Deliver];
let rig: Rig<AnySaga> | undefined;
afterEach(async () => {
  await rig?.close();
  rig = undefined;
  undone.length = 0;
});

const id = 'x';
const ordered = new Ordered({ id, cents: 5 });
const paid = new Paid({ id, transaction: 't' });
const labelled = new Labelled({ id, tracking: 'c1' });
const reserved = new Reserved({ id });

describe.each(storeKinds)('a row of steps, on $kind', (kind) => {
  const open = async (of: SagaBehaviour = behaviour) => (rig = await openRig(kind, of, { commands }));
  const sent = () => rig?.handled.map(({ name }) => name);

  it('sends a command, waits for its answer, and goes on', async () => {
    const { play, standing, find } = await open();
    await play(ordered);
    expect(rig?.handled).toEqual([{ name: 'p.pay', body: { id, cents: 5 } }]);
    await play(paid);
    expect(await standing(id)).toBe('preparing running');
    expect(sent()).toEqual(['p.pay', 'p.reserve', 'p.label']);
    await play(labelled);
    expect(await standing(id)).toBe('preparing running');
    await play(reserved);
    expect(await standing(id)).toBe('delivering running');
    expect(rig?.handled.at(-1)).toEqual({ name: 'p.deliver', body: { id, tracking: 'c1' } });
    await play(new Delivered({ id }));
    expect(await standing(id)).toBe('completed completed');
    expect((await find(id))?.data).toEqual({ id, cents: 5, transaction: 't', tracking: 'c1' });
    expect(undone).toEqual([]);
  });

  it('undoes, when a step fails, the command of that step too, last first', async () => {
    const { play, standing } = await open();
    await play(ordered, paid, new Missing({ id }));
    expect(await standing(id)).toBe('failed compensated');
    expect(undone).toEqual([`tear ${id}`, `release ${id}`, `refund ${id}`]);
  });

  it('undoes when no answer comes in time, also of one step among several', async () => {
    const { play, standing, advance } = await open();
    await play(ordered, paid, labelled);
    await advance('119m');
    expect(await standing(id)).toBe('preparing running');
    await advance('2m');
    expect(await standing(id)).toBe('failed compensated');
    expect(undone).toEqual([`tear ${id}`, `release ${id}`, `refund ${id}`]);
  });

  it('keeps the reason of a failure, and fails on what may come at any step', async () => {
    const { play, find } = await open();
    await play(ordered, new Declined({ id, reason: 'no cover' }));
    expect((await find(id))?.data.reason).toBe('no cover');
    await play(new Ordered({ id: 'y', cents: 1 }), new Cancelled({ id: 'y' }));
    expect(await find('y')).toMatchObject({ state: 'failed', data: { reason: 'cancelled' } });
    expect(undone).toEqual([`refund ${id}`, 'refund y']);
  });

  it('undoes nothing after the point of no return', async () => {
    const { play, find, history } = await open();
    await play(ordered, paid, reserved, labelled, new Cancelled({ id }));
    expect((await history(id)).at(-1)).toBe('deferred p.cancelled');
    await play(new Returned({ id }));
    expect(undone).toEqual([]);
    expect(await find(id)).toMatchObject({
      state: 'returned',
      undo: [{ status: 'kept' }, { status: 'kept' }, { status: 'kept' }],
    });
  });
});

describe('steps', () => {
  function faults(make: () => unknown): readonly string[] {
    try {
      make();
      return [];
    } catch (error) {
      return (error as SagaDefinitionError).faults.map(({ path, message: text }) => `${path}: ${text}`);
    }
  }
  const begun = () =>
    steps(orders, {
      compensations: { refund: note('refund'), release: note('release'), tear: note('tear') },
    }).startedBy(Ordered, ({ event }) => ({ id: event.id, cents: event.cents }));

  it('names all faults at once', () => {
    expect(
      faults(() =>
        begun()
          .step('paying', { answer: Paid, failure: Declined })
          .step('paying', { answer: Paid, timeout: 'soon' as '1h' })
          .parallel('preparing', (all) => all.branch({ answer: Reserved }))
          .pivot()
          .finalize('completed'),
      ),
    ).toEqual([
      'step(paying): is a step already; each state is one step',
      'parallel(preparing): has less than two branches; make it a step(…)',
      'pivot(): is followed by no step, so it changes nothing; drop it',
      'step(paying).failure(p.declined): knows no end to lead to; say failsTo(…) before the first step',
      expect.stringMatching(/^step\(paying\)\.timeout\(soon\): 'soon' is not a duration/),
      'step(paying).timeout(soon): knows no end to lead to; say failsTo(…) before the first step',
    ]);
  });

  it('wants a step', () => {
    expect(faults(() => begun().finalize('completed'))).toEqual(['steps: has no step; add step(…)']);
  });

  it('refuses an undo behind the point of no return', () => {
    const step = { answer: Reserved, undo: { release: ref } } as unknown as { answer: typeof Reserved };
    const make = () =>
      begun().step('paying', { answer: Paid }).pivot().step('preparing', step).finalize('completed');
    expect(faults(make)).toEqual([
      'step(preparing): has an undo, but lies behind the point of no return; drop one of them',
    ]);
  });
});
