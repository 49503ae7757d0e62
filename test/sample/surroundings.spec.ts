import { timeouts } from './support/timeouts.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MessageBus } from '@nestjs-orchestrator/nest';
import { CarrierAnswered } from '../../apps/sample/src/orders/order.messages.js';
import { orderExamples } from '../../apps/sample/src/orders/order.examples.js';
import { newOrder } from '../../apps/sample/src/orders/order.schemas.js';
import { SampleApp } from './support/sample-app.js';

let sample: SampleApp;
beforeAll(async () => {
  sample = await SampleApp.start(timeouts);
});
afterAll(() => sample.stop());

interface OpenApi {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components?: { readonly schemas?: Record<string, unknown> };
}
interface Operation {
  readonly parameters?: { readonly name: string; readonly in: string }[];
  readonly requestBody?: {
    readonly content: Record<string, { schema: Record<string, unknown>; examples: object }>;
  };
  readonly responses: Record<string, { readonly content?: Record<string, unknown> }>;
}

describe('the OpenAPI document', () => {
  it('describes every route and its refusals', async () => {
    const { status, body } = await sample.send<OpenApi>('GET', '/docs-json');
    expect(status).toBe(200);
    expect(body.openapi).toMatch(/^3\./);
    const routes = Object.entries(body.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method} ${path}`),
    );
    expect(routes.sort()).toEqual([
      'get /courier',
      'get /health',
      'get /orders',
      'get /orders/{id}',
      'get /products',
      'post /orders',
      'post /orders/{id}/cancel',
    ]);
    expect(Object.keys(body.paths['/orders']?.['post']?.responses ?? {}).sort()).toEqual([
      '202',
      '400',
      '409',
      '413',
    ]);
    expect(body.paths['/orders']?.['get']?.parameters?.map(({ name }) => name).sort()).toEqual([
      'cursor',
      'limit',
    ]);
  });

  it('refers to nothing that it does not hold', async () => {
    const { body } = await sample.send<OpenApi>('GET', '/docs-json');
    const references = [...JSON.stringify(body).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)];
    const known = Object.keys(body.components?.schemas ?? {});
    expect(references.map(([, name]) => name).filter((name) => !known.includes(name ?? ''))).toEqual([]);
  });

  it('shows the body of an order as its schema checks it, with an example of every path', async () => {
    const { body } = await sample.send<OpenApi>('GET', '/docs-json');
    const content = body.paths['/orders']?.['post']?.requestBody?.content['application/json'];
    expect(content?.schema).toMatchObject({
      type: 'object',
      additionalProperties: false,
      required: ['customerId', 'items'],
      properties: { items: { type: 'array', minItems: 1 } },
    });
    expect(Object.keys(content?.examples ?? {})).toEqual(Object.keys(orderExamples));
    for (const { value } of Object.values(orderExamples))
      expect(newOrder.safeParse(value).success).toBe(true);
  });

  it('has a page for people', async () => {
    const response = await fetch(`${sample.url}/docs`);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('swagger-ui');
  });
});

describe('health', () => {
  it('is up while the database answers', async () => {
    const { status, body } = await sample.send('GET', '/health');
    expect(status).toBe(200);
    expect(body).toMatchObject({
      status: 'ok',
      details: { database: { status: 'up' }, orchestrator: { status: 'up' } },
    });
  });

  it('is down while the database does not answer, and says what is down', async () => {
    const doomed = await SampleApp.start(timeouts);
    await doomed.database.drop();
    const { status, body } = await doomed.send('GET', '/health');
    expect(status).toBe(503);
    expect(body).toMatchObject({
      status: 'error',
      details: { database: { status: 'down' }, orchestrator: { status: 'down' } },
    });
    const refused = await doomed.send('GET', '/orders');
    expect(refused).toMatchObject({ status: 500, body: { code: 'INTERNAL' } });
    expect(JSON.stringify(refused.body)).not.toContain('terminating');
    await doomed.stop();
  });
});

it('products have a price and a stock', async () => {
  const { body } = await sample.send<unknown[]>('GET', '/products');
  expect(body).toContainEqual({ sku: 'book', name: 'A book on sagas', cents: 1_250, available: 10_000 });
});

it('an order that was accepted before a restart goes on after it', async () => {
  const { body } = await sample.place({ simulate: { carrier: 'silent' } });
  await sample.when(body.orderId, ({ state }) => state === 'awaitingShipment');
  await sample.nest.close();
  await sample.boot();
  const order = await sample.order(body.orderId);
  expect(order.state).toBe('awaitingShipment');
  await sample.nest.get(MessageBus).publish(new CarrierAnswered({ orderId: body.orderId, reason: 'lost' }));
  expect(await sample.ended(body.orderId)).toMatchObject({ state: 'failed', status: 'compensated' });
  expect(await sample.balance()).toMatchObject({ open: 0, faults: [] });
});
