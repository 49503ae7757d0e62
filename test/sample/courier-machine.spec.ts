import { OrchestratorModule } from '@nestjs-orchestrator/nest';
import { createOrchestratorTestingModule } from '@nestjs-orchestrator/testing/nest';
import { Logger } from '@nestjs/common';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { CourierMachine, courier, type Trip } from '../../apps/sample/src/shipping/courier.machine.js';
import { Shipments } from '../../apps/sample/src/shipping/shipments.js';

beforeAll(() => Logger.overrideLogger(false));

/** A courier whose trips go as the test says; the last answer is repeated. */
async function onTheRoad(...trips: (Trip | Error)[]) {
  let driven = 0;
  const shipments = {
    async deliver(): Promise<Trip> {
      const trip = trips[Math.min(driven, trips.length - 1)] as Trip | Error;
      driven += 1;
      if (trip instanceof Error) throw trip;
      return trip;
    },
  };
  const t = await createOrchestratorTestingModule({
    imports: [OrchestratorModule.forFeature([courier])],
    providers: [CourierMachine, { provide: Shipments, useValue: shipments }],
  });
  onTestFinished(() => t.close());
  const van = await t.machines(courier).spawn({ id: 'van' });
  await t.settled();
  return { t, van };
}

const nothing = { delivered: 0, left: 0 };

it('begins with a trip, and takes what comes within the loading time in one', async () => {
  const { t, van } = await onTheRoad(nothing, { delivered: 3, left: 0 });
  t.recorder.expectPath('van', ['driving', 'depot']);
  await van.send({ type: 'PARCEL' });
  await t.advance('1s');
  await van.send({ type: 'PARCEL' });
  await t.advance('1s');
  t.recorder.expectPath('van', ['driving', 'depot', 'loading', 'driving', 'depot']);
  t.recorder.expectEffect({ name: 'deliver' }, { times: 2 });
  expect(van.snapshot().context).toEqual({ trips: 2, delivered: 3 });
});

it('drives again while parcels are left', async () => {
  const { t, van } = await onTheRoad({ delivered: 100, left: 20 }, { delivered: 20, left: 0 });
  await t.advance('2s');
  t.recorder.expectPath('van', ['driving', 'loading', 'driving', 'depot']);
  expect(van.snapshot().context).toEqual({ trips: 2, delivered: 120 });
});

it('rests when the database is away, and tries again', async () => {
  const { t, van } = await onTheRoad(new Error('connection refused'), nothing);
  t.recorder.expectPath('van', ['driving', 'resting']);
  await t.advance('5s');
  t.recorder.expectPath('van', ['driving', 'resting', 'driving', 'depot']);
  t.recorder.expectNoFailures();
  expect(van.snapshot().context).toEqual({ trips: 1, delivered: 0 });
});

it('makes a round for parcels that nobody announced', async () => {
  const { t, van } = await onTheRoad(nothing);
  await t.advance('30s');
  t.recorder.expectPath('van', ['driving', 'depot', 'driving', 'depot']);
  expect(van.snapshot().context.trips).toBe(2);
});
