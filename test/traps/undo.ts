import { expect } from 'vitest';
import { orderSaga, Paid, Placed } from '../saga/support.js';
import { Began, down, Failed, noting, undoing } from '../saga/undoing.js';
import { rig, twoNodes, type Trap } from './trap.js';

/** An undo step fails for good: the whole halts and says so, and an operator's retry takes it on from there. */
export const failingCompensation: Trap = async (kind) => {
  const ran: string[] = [];
  let broken = true;
  const made = undoing(noting(ran, { two: () => (broken ? down() : undefined) }), { two: { attempts: 1 } });
  const { play, host, clock, find, standing, history } = await rig(kind, made);
  await play(new Began({ id: 'x' }), new Failed({ id: 'x' }));
  expect(await standing('x')).toBe('failed compensation-failed');
  const { id = '', undo = [] } = (await find('x')) ?? {};
  expect(undo.map(({ name, status }) => `${name} ${status}`)).toEqual([
    'one recorded',
    'two failed',
    'three done',
  ]);
  broken = false;
  const audit = { by: 'ada', reason: 'looked into it', id: 'action-1' };
  expect(await host.operator.retry({ saga: 'undoing', id }, audit)).toMatchObject({ status: 'compensating' });
  await clock.settled();
  expect(await standing('x')).toBe('failed compensated');
  expect(ran).toEqual(['three', 'two', 'two', 'one']);
  await host.operator.retry({ saga: 'undoing', id }, audit);
  await clock.settled();
  expect(ran).toEqual(['three', 'two', 'two', 'one']);
  expect(await history('x')).toContain('operator retry');
};

/** An order has failed by its time-out and is undone when its payment comes through: nothing starts again, and it is on record. */
export const successAfterFailure: Trap = async (kind) => {
  const { clock, world, first, second } = await twoNodes(kind, '10m');
  world.silent.add('o1');
  await first.host.bus.publish(new Placed({ orderId: 'o1' }));
  await clock.settled();
  await clock.advance('11m');
  const repository = second.host.repository(orderSaga);
  const failed = await repository.findByCorrelation('o1');
  expect(failed).toMatchObject({ state: 'failed', status: 'compensated' });
  await second.host.bus.publish(new Paid({ orderId: 'o1' }));
  await clock.settled();
  await clock.advance('1m');
  const order = await repository.findByCorrelation('o1');
  expect(order).toMatchObject({ state: 'failed', status: 'compensated', data: { paid: false } });
  expect((await repository.history(failed?.id ?? '')).at(-1)).toMatchObject({ kind: 'late', name: 't.paid' });
  expect(world.undone.map(({ name }) => name)).toEqual(['refund']);
  expect(world.shipped).toEqual([]);
};
