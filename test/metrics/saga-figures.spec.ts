import { message, protectSaga, type } from '@nestjs-orchestrator/core';
import { rateLimiter } from '@nestjs-orchestrator/core/resilience';
import { buildSaga, defineSaga, event } from '@nestjs-orchestrator/core/saga';
import { VirtualClock } from '@nestjs-orchestrator/testing';
import { expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { observeSagas } from '../../libs/nest/src/metrics/saga-metrics.js';
import { openRig } from '../saga/rig.js';
import { openCluster, Paid, Placed, Shipped, storeKinds, type StoreKind } from '../saga/support.js';
import { testMeter } from './figures.js';

const [memory] = storeKinds as [StoreKind];
const body = z.object({ job: z.string() });
class Begun extends message('job.begun', body) {}
class Done extends message('job.done', body) {}
class Poked extends message('job.poked', body) {}
class Refused extends message('job.refused', body) {}
class Limited extends message('job.limited', body) {}

const jobSaga = defineSaga({
  name: 'job',
  version: 1,
  data: type<{ job: string }>(),
  correlateBy: 'job',
  states: ['begun'],
  ends: { done: 'success' },
  events: [
    Begun,
    Done,
    Limited,
    event(Poked, { absent: 'discard' }),
    event(Refused, { absent: 'fault', unanswered: 'fault' }),
  ],
});

it('every figure of sagas moves, with what it counts', async () => {
  const clock = new VirtualClock();
  const { meter, figures } = testMeter();
  const behaviour = buildSaga(jobSaga, (saga) => {
    saga
      .initially()
      .when(Begun)
      .then(({ event }) => ({ job: event.job }))
      .transitionTo('begun');
    saga
      .during('begun')
      .when(Done)
      .then(() => {
        throw new Error('never');
      })
      .transitionTo('done');
    saga
      .during('begun')
      .when(Limited)
      .then(() => {});
  });
  const limiter = rateLimiter({ maxTransitionsPerSecond: 0.001, burstCapacity: 1, clock });
  const rig = await openRig(memory, protectSaga(behaviour, { limiter, monitoredTriggers: [Limited] }), {
    clock,
  });
  onTestFinished(() => rig.close());
  const stop = observeSagas(meter, () => rig.host.statistics());
  const of = (outcome: string): string => `saga.steps{saga=job,outcome=${outcome}}`;

  await rig.play(new Begun({ job: 'a' }));
  expect(await figures()).toMatchObject({ [of('committed')]: 1, [of('failed')]: 0, 'saga.dead_letters': 0 });
  await rig.play(new Done({ job: 'b' }));
  expect(await figures()).toMatchObject({ [of('parked')]: 1 });
  await rig.play(new Poked({ job: 'b' }));
  expect(await figures()).toMatchObject({ [of('discarded')]: 1 });
  await rig.play(new Refused({ job: 'b' }));
  expect(await figures()).toMatchObject({ 'saga.dead_letters': 1 });
  await rig.play(new Limited({ job: 'a' }), new Limited({ job: 'a' }));
  expect(await figures()).toMatchObject({ [of('throttled')]: 1, [of('committed')]: 2 });
  await rig.play(new Done({ job: 'a' }));
  expect(await figures()).toMatchObject({ [of('failed')]: 1, [of('held')]: 0, 'relay.in_work': 0 });
  await rig.advance('10m');
  expect(await figures()).toMatchObject({ [of('failed')]: 10, [of('held')]: 1 });
  stop();
});

it('a race that a saga has lost is a figure, and so is what is in work meanwhile', async () => {
  const cluster = await openCluster(memory);
  onTestFinished(() => cluster.close());
  const { meter, figures } = testMeter();
  const [one, two] = [await cluster.node('one'), await cluster.node('two')];
  onTestFinished(observeSagas(meter, () => one.host.statistics()));
  cluster.world.silent.add('o1');
  await one.host.bus.publish(new Placed({ orderId: 'o1' }));
  await cluster.clock.settled();
  const held = one.faults.pauseAt('saga.commit.before');
  await one.host.bus.publish(new Paid({ orderId: 'o1' }));
  await held.reached;
  expect(await figures()).toMatchObject({ 'relay.in_work': 1 });
  const written = two.faults.whenReached('saga.commit.after');
  // No state answers it yet: it changes no more than that it waits.
  await two.host.bus.publish(new Shipped({ orderId: 'o1', ok: true }));
  await written;
  held.resume();
  await cluster.clock.settled();
  expect(await figures()).toMatchObject({
    'saga.steps{saga=order,outcome=conflicts}': 1,
    'relay.in_work': 0,
  });
});
