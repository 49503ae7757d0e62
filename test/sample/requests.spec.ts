import { timeouts } from './support/timeouts.js';
import { MessageBus } from '@nestjs-orchestrator/nest';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  CarrierAnswered,
  OrderCancelled,
  StockReserved,
} from '../../apps/sample/src/orders/order.messages.js';
import type { OrderPage } from '../../apps/sample/src/orders/order.schemas.js';
import type { ProblemDetails } from '../../apps/sample/src/http/problem.js';
import { SampleApp, type Answer } from './support/sample-app.js';

let sample: SampleApp;
beforeAll(async () => {
  sample = await SampleApp.start(timeouts);
});
afterAll(() => sample.stop());

const fields = ({ body }: Answer<ProblemDetails>): string[] => (body.errors ?? []).map(({ field }) => field);
const post = (body: unknown, headers?: Record<string, string>): Promise<Answer<ProblemDetails>> =>
  sample.send('POST', '/orders', body, headers);
const answerCarrier = async (orderId: string): Promise<void> => {
  await sample.nest.get(MessageBus).publish(new CarrierAnswered({ orderId, tracking: 'by hand' }));
  await sample.ended(orderId);
};
const order = { customerId: 'ada', items: [{ sku: 'book', quantity: 1 }] };

describe('POST /orders', () => {
  it('says where the order is, and that it is durable', async () => {
    // However long the answer takes, the order has not ended by then.
    const { status, headers, body } = await sample.place({ simulate: { carrier: 'silent' } });
    expect(status).toBe(202);
    expect(headers.get('location')).toBe(`/orders/${body.orderId}`);
    expect(body).toMatchObject({ customerId: 'ada', cents: 2_500, status: 'running' });
    await sample.when(body.orderId, ({ state }) => state === 'awaitingShipment');
    await answerCarrier(body.orderId);
  });

  it('takes the same key with the same order as the same order', async () => {
    const headers = { 'Idempotency-Key': 'key-same-order' };
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => sample.place({}, headers)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([202]));
    expect(new Set(answers.map(({ body }) => body.orderId)).size).toBe(1);
    const ended = await sample.ended(answers[0]?.body.orderId ?? '');
    expect(await sample.entries(ended.orderId)).toEqual(['charge 2500']);
    const again = await sample.place({}, headers);
    expect(again).toMatchObject({ status: 202, body: { orderId: ended.orderId, state: 'completed' } });
  });

  it('refuses a key that was used for another order', async () => {
    const headers = { 'Idempotency-Key': 'key-other-order' };
    const first = await sample.place({}, headers);
    const second = await post({ ...order, customerId: 'bob' }, headers);
    expect(second).toMatchObject({ status: 409, body: { code: 'IDEMPOTENCY_KEY_REUSED', status: 409 } });
    await sample.ended(first.body.orderId);
  });

  it.each(['short', 'x'.repeat(201), 'käse-käse'])('refuses the key %s', async (key) => {
    const answer = await post(order, { 'Idempotency-Key': Buffer.from(key).toString('latin1') });
    expect(answer.status).toBe(400);
    expect(fields(answer)).toEqual(['Idempotency-Key']);
  });

  it.each<[string, unknown, string]>([
    ['no body', undefined, 'body'],
    ['a list', [], 'body'],
    ['an unknown field', { ...order, discount: 5 }, 'discount'],
    [
      'an unknown field of an item',
      { ...order, items: [{ sku: 'book', quantity: 1, gift: true }] },
      'items[0].gift',
    ],
    ['no customer', { items: order.items }, 'customerId'],
    ['a blank customer', { ...order, customerId: '  ' }, 'customerId'],
    ['a customer with a NUL', { ...order, customerId: 'a\u0000b' }, 'customerId'],
    ['a customer with half a character', { ...order, customerId: 'a\ud800' }, 'customerId'],
    ['a customer that is a number', { ...order, customerId: 5 }, 'customerId'],
    ['no items', { customerId: 'ada' }, 'items'],
    ['an empty list of items', { ...order, items: [] }, 'items'],
    ['a quantity of none', { ...order, items: [{ sku: 'book', quantity: 0 }] }, 'items[0].quantity'],
    ['half a book', { ...order, items: [{ sku: 'book', quantity: 0.5 }] }, 'items[0].quantity'],
    ['a quantity that is text', { ...order, items: [{ sku: 'book', quantity: '1' }] }, 'items[0].quantity'],
    [
      'a product that does not exist',
      { ...order, items: [...order.items, { sku: 'boat', quantity: 1 }] },
      'items[1].sku',
    ],
    ['a product listed twice', { ...order, items: [...order.items, ...order.items] }, 'items[1].sku'],
    ['an unknown way to fail', { ...order, simulate: { payment: 'stolen' } }, 'simulate.payment'],
  ])('refuses %s and names the field', async (_, body, field) => {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.body).toMatchObject({ title: 'Bad Request', status: 400, code: 'INVALID' });
    expect(fields(answer)).toEqual([field]);
  });

  it('refuses malformed JSON, without a stack', async () => {
    const answer = await post('{"customerId": "ada", ');
    expect(answer).toMatchObject({ status: 400, body: { code: 'BAD_REQUEST' } });
    expect(JSON.stringify(answer.body)).not.toMatch(/node_modules|\.js:/);
  });

  it('refuses a body of 10 MB', async () => {
    const answer = await post({ ...order, customerId: 'x'.repeat(10_000_000) });
    expect(answer).toMatchObject({ status: 413, body: { code: 'PAYLOAD_TOO_LARGE' } });
  });

  it('lets no body reach a prototype', async () => {
    const answer = await post(
      '{"customerId":"ada","items":[{"sku":"book","quantity":1}],"__proto__":{"polluted":true}}',
    );
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(answer.status).toBeLessThan(500);
  });
});

describe('GET /orders', () => {
  it('lists the newest first, in pages', async () => {
    const ids: string[] = [];
    for (const customerId of ['c1', 'c2', 'c3'])
      ids.unshift((await sample.place({ customerId })).body.orderId);
    const first = await sample.send<OrderPage>('GET', '/orders?limit=2');
    expect(first.body.items.map(({ orderId }) => orderId)).toEqual(ids.slice(0, 2));
    const second = await sample.send<OrderPage>('GET', `/orders?limit=2&cursor=${first.body.next}`);
    expect(second.body.items[0]?.orderId).toBe(ids[2]);
    await Promise.all(ids.map((id) => sample.ended(id)));
  });

  it.each([
    ['limit=0', 'limit'],
    ['limit=many', 'limit'],
    ['limit=1000', 'limit'],
    ['cursor=x', 'cursor'],
    ['page=2', 'page'],
  ])('refuses ?%s and names the field', async (query, field) => {
    const answer = await sample.send<ProblemDetails>('GET', `/orders?${query}`);
    expect(answer.status).toBe(400);
    expect(fields(answer)).toEqual([field]);
  });
});

describe('one order', () => {
  it.each([
    ['GET', '/orders/nobody'],
    ['POST', '/orders/nobody/cancel'],
    ['GET', `/orders/${'x'.repeat(2_000)}`],
    ['GET', '/orders/%00'],
  ])('%s %s is not there', async (method, path) => {
    const answer = await sample.send<ProblemDetails>(method, path);
    expect(answer).toMatchObject({ status: 404, body: { code: 'NO_SUCH_ORDER' } });
  });

  it('can not be cancelled once it has ended', async () => {
    const { body } = await sample.place();
    await sample.ended(body.orderId);
    const answer = await sample.send<ProblemDetails>('POST', `/orders/${body.orderId}/cancel`);
    expect(answer).toMatchObject({ status: 409, body: { code: 'NOT_CANCELLABLE' } });
  });

  it('can not be cancelled while it is with the carrier', async () => {
    const { body } = await sample.place({ simulate: { carrier: 'silent' } });
    await sample.when(body.orderId, ({ state }) => state === 'awaitingShipment');
    const answer = await sample.send<ProblemDetails>('POST', `/orders/${body.orderId}/cancel`);
    expect(answer).toMatchObject({ status: 409, body: { code: 'NOT_CANCELLABLE' } });
    await answerCarrier(body.orderId);
  });

  it('an order that is cancelled while it waits for its payment costs nothing', async () => {
    const { body } = await sample.place({ simulate: { payment: 'late-charge' } });
    await sample.when(body.orderId, ({ state }) => state === 'awaitingPayment');
    const answer = await sample.send('POST', `/orders/${body.orderId}/cancel`);
    expect(answer.status).toBe(202);
    const order = await sample.ended(body.orderId);
    expect(order).toMatchObject({
      state: 'failed',
      status: 'compensated',
      data: { reason: 'cancelled by the customer' },
    });
    expect(order.undone).toEqual(['refund']);
  });
});

describe('events from outside', () => {
  it('an event for an unknown order is kept for it, and hurts nobody', async () => {
    const bus = sample.nest.get(MessageBus);
    await bus.publish(new StockReserved({ orderId: 'nobody' }));
    const parked = await sample.log.until(() =>
      Promise.resolve(sample.log.lines.find((line) => line.includes('parked'))),
    );
    expect(parked).toContain('"key":"nobody"');
  });

  it('the same event twice is one event', async () => {
    const { body } = await sample.place({ simulate: { carrier: 'silent' } });
    await sample.when(body.orderId, ({ state }) => state === 'awaitingShipment');
    const bus = sample.nest.get(MessageBus);
    const answer = new CarrierAnswered({ orderId: body.orderId, reason: 'lost' });
    await Promise.all([1, 2, 3].map(() => bus.publish(answer, { id: `lost-${body.orderId}` })));
    const order = await sample.ended(body.orderId);
    expect(order).toMatchObject({ state: 'failed', data: { reason: 'lost' } });
    expect(order.history.filter(({ name }) => name === 'carrier.answered')).toHaveLength(1);
  });

  it('a cancellation that overtakes the answer it was given changes nothing at the carrier', async () => {
    const { body } = await sample.place({ simulate: { carrier: 'silent' } });
    await sample.when(body.orderId, ({ state }) => state === 'awaitingShipment');
    const bus = sample.nest.get(MessageBus);
    await bus.publish(new OrderCancelled({ orderId: body.orderId, reason: 'changed my mind' }));
    await bus.publish(new CarrierAnswered({ orderId: body.orderId, tracking: 'by hand' }));
    const order = await sample.ended(body.orderId);
    expect(order).toMatchObject({ state: 'completed', data: { tracking: 'by hand' } });
  });

  it('an event that comes too early waits for its state', async () => {
    const { body } = await sample.place({ simulate: { payment: 'late-answer' } });
    await sample.when(body.orderId, ({ state }) => state === 'awaitingPayment');
    await sample.nest.get(MessageBus).publish(new StockReserved({ orderId: body.orderId }));
    const order = await sample.when(body.orderId, ({ history }) =>
      history.some(({ kind }) => kind === 'deferred'),
    );
    expect(order.state).toBe('awaitingPayment');
    await sample.send('POST', `/orders/${body.orderId}/cancel`);
    expect(await sample.ended(body.orderId)).toMatchObject({ state: 'failed', status: 'compensated' });
  });
});
