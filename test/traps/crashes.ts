import { message, type, type MessageContext } from '@nestjs-orchestrator/core';
import type { OrchestratorHost } from '@nestjs-orchestrator/core/internal';
import { buildSaga, defineSaga } from '@nestjs-orchestrator/core/saga';
import { expect } from 'vitest';
import { anotherFinishes } from '../saga/lost-node.js';
import { orderSaga, Paid, Placed, Shipped } from '../saga/support.js';
import { cluster, orders, twoNodes, type Trap } from './trap.js';

/** The state is written, and the node dies before anything of it has left. */
export const crashBetweenSaveAndPublish: Trap = async (kind) =>
  anotherFinishes(await orders(kind), 'saga.commit.after', 1);

/** One undo step has run, and the node dies before that is written: the step is repeated under its own id, and the next one follows. */
export const crashInMidCompensation: Trap = async (kind) =>
  anotherFinishes(await orders(kind), 'undo.done', 1);

interface Ref {
  id: string;
}
class Began extends message('e.began', type<Ref>()) {}
class Asked extends message('e.asked', type<Ref>()) {}
class Noted extends message('e.noted', type<Ref>()) {}
class Letter extends message('e.letter', type<Ref & { stamp: string; at: number; weight: number }>()) {}

const letters = defineSaga({
  name: 'letters',
  version: 1,
  data: type<Ref & { notes: number }>(),
  correlateBy: 'id',
  states: ['open'],
  ends: { closed: 'success' },
  events: [Began, Asked, Noted],
  sends: [Letter],
});

/** A handler runs once more, after a lost race, and once more after a crash: what it sends is one message under one id, and what it drew is the same. */
export const effectsRepeatedByARerun: Trap = async (kind) => {
  const { clock, node } = await cluster(kind);
  const drawn: string[] = [];
  const sent: { readonly id: string; readonly body: Letter }[] = [];
  const register = (host: OrchestratorHost): void => {
    host.register(
      buildSaga(letters, (saga) => {
        saga
          .initially()
          .when(Began)
          .then(({ event: { id } }) => ({ id, notes: 0 }))
          .transitionTo('open');
        saga
          .during('open')
          .when(Noted)
          .then((ctx) => void (ctx.data.notes += 1))
          .when(Asked)
          .then((ctx) => {
            const letter = { id: ctx.data.id, stamp: ctx.uuid(), at: ctx.now(), weight: ctx.random() };
            drawn.push(JSON.stringify(letter));
            ctx.send(new Letter(letter));
          })
          .after('9h')
          .finalize('closed');
      }),
    );
    host.registerHandler({
      message: Letter,
      name: 'post.letter',
      handle: ({ id, message: body }: MessageContext<Letter>) => void sent.push({ id, body }),
    });
  };
  const first = await node('first', register);
  await first.host.bus.publish(new Began({ id: 'x' }));
  await clock.settled();
  const second = await node('second', register);
  // A note is written by the other node while the letter is about to be: the race is lost.
  const pause = first.faults.pauseAt('saga.commit.before');
  await first.host.bus.publish(new Asked({ id: 'x' }), { id: 'asked' });
  await pause.reached;
  await second.host.bus.publish(new Noted({ id: 'x' }));
  await clock.settled();
  // When it runs again, it dies at the same place, and the other node runs it a third time.
  const crash = first.faults.crashAt('saga.commit.before').then(() => first.kill());
  pause.resume();
  await clock.settled();
  await clock.advance('1s');
  await crash;
  await clock.advance('2m');
  expect(drawn).toHaveLength(3);
  expect(new Set(drawn).size).toBe(1);
  expect(sent).toHaveLength(1);
  const found = await second.host.repository(letters).findByCorrelation('x');
  expect(found).toMatchObject({ version: 3, data: { notes: 1 } });
};

/** A node records two undo steps and is gone; one that never heard of the order runs them, last first, from what is stored. */
export const restartWithStoredCompensations: Trap = async (kind) => {
  const { clock, world, node } = await orders(kind);
  world.silent.add('o1');
  const first = await node('first');
  await first.host.bus.publish(new Placed({ orderId: 'o1' }));
  await clock.settled();
  await first.kill();
  const second = await node('second');
  await second.host.bus.publish(new Paid({ orderId: 'o1' }));
  const pause = second.faults.pauseAt('participant.before');
  await pause.reached;
  await second.kill();
  expect(world.undone).toEqual([]);
  const third = await node('third');
  await third.host.bus.publish(new Shipped({ orderId: 'o1', ok: false }));
  await clock.settled();
  expect(world.undone.map(({ name, orderId }) => `${name} ${orderId}`)).toEqual(['recall o1', 'refund o1']);
  const order = await third.host.repository(orderSaga).findByCorrelation('o1');
  expect(order).toMatchObject({ state: 'failed', status: 'compensated' });
};

/** A process is stopped in front of its commit until its leases are over and another one has done its work; then it goes on, and writes nothing. */
export const zombieWriter: Trap = async (kind) => {
  const { clock, world, first, second } = await twoNodes(kind);
  world.silent.add('o1');
  await first.host.bus.publish(new Placed({ orderId: 'o1' }));
  await clock.settled();
  const pause = first.faults.pauseAt('saga.commit.before');
  await first.host.bus.publish(new Paid({ orderId: 'o1' }), { id: 'paid' });
  await pause.reached;
  const goOn = first.pause();
  await clock.advance('2m');
  const repository = second.host.repository(orderSaga);
  const before = await repository.findByCorrelation('o1');
  expect(before).toMatchObject({ state: 'completed', version: 3 });
  pause.resume();
  goOn();
  await clock.settled();
  await clock.advance('2m');
  expect(await repository.findByCorrelation('o1')).toEqual(before);
  const history = await repository.history(before?.id ?? '');
  expect(history.map(({ name }) => name)).toEqual(['t.placed', 't.paid', 't.shipped']);
  expect(world.shipped.length).toBe(1);
};
