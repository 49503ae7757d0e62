import { timeouts } from './support/timeouts.js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { getMachineToken, type MachineHandle } from '@nestjs-orchestrator/nest';
import type { CourierView } from '../../apps/sample/src/shipping/courier-desk.js';
import { courier, type Courier } from '../../apps/sample/src/shipping/courier.machine.js';
import { Shipments } from '../../apps/sample/src/shipping/shipments.js';
import { SampleApp } from './support/sample-app.js';

let sample: SampleApp;

beforeAll(async () => {
  sample = await SampleApp.start(timeouts);
});
afterAll(() => sample.stop());

/** What the courier of this process shows once it has delivered so many parcels. */
async function delivered(parcels: number): Promise<CourierView> {
  const van = sample.nest.get<MachineHandle<Courier>>(getMachineToken(courier), { strict: false }).ref('van');
  await van.waitFor(({ context }) => context.delivered >= parcels);
  return (await sample.send<CourierView>('GET', '/courier')).body;
}

it('collects the parcels of good orders and delivers them; others have none', async () => {
  const orders = await Promise.all([
    sample.place(),
    sample.place(),
    sample.place({ simulate: { carrier: 'fails' } }),
    sample.place({ simulate: { payment: 'declined' } }),
  ]);
  await Promise.all(orders.map(({ body }) => sample.ended(body.orderId)));
  // A notice may have come before its row: then the next round finds the parcel. The trip with which the application begins may take all there is.
  sample.clock.leap('30s');
  expect(await delivered(2)).toMatchObject({ delivered: 2, waiting: 0 });
  const rows = await sample.dataSource.query<{ state: string; delivered: boolean }[]>(
    'SELECT state, delivered_at IS NOT NULL AS delivered FROM shop.shipments ORDER BY state',
  );
  expect(rows.filter((row) => row.delivered).map(({ state }) => state)).toEqual(['shipped', 'shipped']);
});

it('takes up what another process left', async () => {
  const shipments = new Shipments(sample.dataSource);
  // Until it is closed, the process may make a round and take the parcel itself.
  await sample.nest.close();
  await shipments.book(sample.dataSource.manager, 'left-behind', 'shipped', 't');
  await sample.boot();
  expect(await delivered(1)).toMatchObject({ delivered: 1, waiting: 0 });
});
