import { timeouts } from './support/timeouts.js';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { OrderView } from '../../apps/sample/src/orders/order.schemas.js';
import { SampleApp, type OrderRequest } from './support/sample-app.js';

let sample: SampleApp;
beforeAll(async () => {
  sample = await SampleApp.start(timeouts);
});
afterAll(() => sample.stop());

async function follow(order: OrderRequest): Promise<OrderView> {
  const { status, body } = await sample.place(order);
  expect(status).toBe(202);
  return sample.ended(body.orderId);
}

/** The last line of the history, once it says that something came too late. */
async function late(orderId: string) {
  const order = await sample.when(orderId, ({ history }) => history.some(({ kind }) => kind === 'late'));
  expect(order).toMatchObject({ state: 'failed', status: 'compensated' });
  return order.history.at(-1);
}

const moves = (order: OrderView): (string | null)[] =>
  order.history.filter(({ kind }) => kind === 'created' || kind === 'transition').map(({ to }) => to);

it('a good order is charged, reserved, shipped and completed', async () => {
  const before = await sample.available('book');
  const order = await follow({
    items: [
      { sku: 'book', quantity: 2 },
      { sku: 'lamp', quantity: 1 },
    ],
  });
  expect(order).toMatchObject({
    state: 'completed',
    status: 'completed',
    cents: 6_400,
    undone: [],
    data: {
      transactionId: expect.stringMatching(/^tx-/) as string,
      tracking: expect.stringMatching(/^track-/) as string,
    },
  });
  expect(moves(order)).toEqual(['awaitingPayment', 'awaitingInventory', 'awaitingShipment', 'completed']);
  expect(await sample.entries(order.orderId)).toEqual(['charge 6400']);
  expect(await sample.available('book')).toBe(before - 2);
});

it('a declined card costs nothing', async () => {
  const order = await follow({ simulate: { payment: 'declined' } });
  expect(order).toMatchObject({
    state: 'failed',
    status: 'compensated',
    data: { reason: 'the card was declined' },
  });
  expect(order.undone).toEqual(['refund']);
  expect(await sample.entries(order.orderId)).toEqual([]);
});

it('missing stock is refunded', async () => {
  const order = await follow({ simulate: { stock: 'missing' } });
  expect(order).toMatchObject({ state: 'failed', status: 'compensated', data: { reason: 'out of stock' } });
  expect(order.undone).toEqual(['release', 'refund']);
  expect(await sample.entries(order.orderId)).toEqual(['charge 2500', 'refund 2500']);
});

it('an order for more than there is fails, and the shelf stays as it was', async () => {
  const before = await sample.available('chair');
  const order = await follow({
    items: [
      { sku: 'book', quantity: 1 },
      { sku: 'chair', quantity: 100 },
    ],
  });
  expect(order).toMatchObject({ state: 'failed', data: { reason: "not enough of 'chair' in stock" } });
  expect(await sample.available('chair')).toBe(before);
});

it('a failing carrier gives stock and money back', async () => {
  const before = await sample.available('book');
  const order = await follow({ simulate: { carrier: 'fails' } });
  expect(order).toMatchObject({
    state: 'failed',
    status: 'compensated',
    data: { reason: 'the carrier refused the parcel' },
  });
  expect(order.undone).toEqual(['cancelShipment', 'release', 'refund']);
  expect(await sample.entries(order.orderId)).toEqual(['charge 2500', 'refund 2500']);
  expect(await sample.available('book')).toBe(before);
});

it('a refund that comes before its charge voids it, and the customer ends uncharged', async () => {
  const { orderId } = (await sample.place({ simulate: { payment: 'late-charge' } })).body;
  await sample.log.until(() => sample.payment(orderId));
  sample.clock.leap(timeouts.PAYMENT_TIMEOUT);
  expect(await sample.ended(orderId)).toMatchObject({
    state: 'failed',
    status: 'compensated',
    data: { reason: `no answer to the payment in ${timeouts.PAYMENT_TIMEOUT}` },
  });
  expect(await sample.entries(orderId)).toEqual(['void 2500']);
  sample.clock.leap(timeouts.LATE_PAYMENT);
  expect(await late(orderId)).toMatchObject({ kind: 'late', name: 'payment.failed' });
  expect(await sample.entries(orderId)).toEqual(['void 2500']);
});

it('an answer that comes after the time-out is undone, and the customer ends uncharged', async () => {
  const { orderId } = (await sample.place({ simulate: { payment: 'late-answer' } })).body;
  await sample.log.until(() => sample.payment(orderId));
  sample.clock.leap(timeouts.PAYMENT_TIMEOUT);
  expect(await sample.ended(orderId)).toMatchObject({ state: 'failed', status: 'compensated' });
  expect(await sample.entries(orderId)).toEqual(['charge 2500', 'refund 2500']);
  sample.clock.leap(timeouts.LATE_PAYMENT);
  expect(await late(orderId)).toMatchObject({ kind: 'late', name: 'payment.processed' });
  expect(await sample.entries(orderId)).toEqual(['charge 2500', 'refund 2500']);
});

it('a carrier that never answers is given up, and everything is given back', async () => {
  const before = await sample.available('book');
  const { orderId } = (await sample.place({ simulate: { carrier: 'silent' } })).body;
  await sample.when(orderId, ({ state }) => state === 'awaitingShipment');
  sample.clock.leap(timeouts.CARRIER_TIMEOUT);
  const order = await sample.ended(orderId);
  expect(order).toMatchObject({
    state: 'failed',
    status: 'compensated',
    data: { reason: `no answer from the carrier in ${timeouts.CARRIER_TIMEOUT}` },
  });
  expect(order.undone).toEqual(['cancelShipment', 'release', 'refund']);
  expect(await sample.entries(orderId)).toEqual(['charge 2500', 'refund 2500']);
  expect(await sample.available('book')).toBe(before);
});

it('after all that, the books balance', async () => {
  const { faults, open } = await sample.balance();
  expect({ faults, open }).toEqual({ faults: [], open: 0 });
});
