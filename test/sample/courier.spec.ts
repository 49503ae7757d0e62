import { timeouts } from './support/timeouts.js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { CourierView } from '../../apps/sample/src/shipping/courier-desk.js';
import { Shipments } from '../../apps/sample/src/shipping/shipments.js';
import { SampleApp } from './support/sample-app.js';

let sample: SampleApp;

beforeAll(async () => {
  sample = await SampleApp.start(timeouts);
});
afterAll(() => sample.stop());

const courier = async (): Promise<CourierView> => (await sample.send<CourierView>('GET', '/courier')).body;

/** What the courier shows once it has delivered so many parcels and is back. */
const delivered = (parcels: number): Promise<CourierView> =>
  sample.log.until(async () => {
    const found = await courier();
    return found.delivered >= parcels && found.waiting === 0 ? found : undefined;
  });

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
  await delivered(2);
  const rows = await sample.dataSource.query<{ state: string; delivered: boolean }[]>(
    'SELECT state, delivered_at IS NOT NULL AS delivered FROM shop.shipments ORDER BY state',
  );
  expect(rows.filter((row) => row.delivered).map(({ state }) => state)).toEqual(['shipped', 'shipped']);
});

it('takes up what another process left', async () => {
  const shipments = new Shipments(sample.dataSource);
  await shipments.book(sample.dataSource.manager, 'left-behind', 'shipped', 't');
  await sample.nest.close();
  await sample.boot();
  await delivered(1);
  expect(await shipments.waiting()).toBe(0);
});
