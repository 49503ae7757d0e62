import { ApiBody } from '@nestjs/swagger';
import { z } from 'zod';
import { newOrder } from './order.schemas.js';

const order = { customerId: 'ada', items: [{ sku: 'book', quantity: 1 }] };

/** One order for each path, ready to be sent from the OpenAPI page. */
export const orderExamples: Readonly<Record<string, { summary: string; value: z.input<typeof newOrder> }>> = {
  good: { summary: 'A good order: completed', value: order },
  declined: { summary: 'The card is declined', value: { ...order, simulate: { payment: 'declined' } } },
  unreachable: {
    summary: 'The card network is away: its circuit breaker opens, see GET /health',
    value: { ...order, simulate: { payment: 'unreachable' } },
  },
  lateCharge: {
    summary: 'The charge comes after the time-out: its refund came first and voids it',
    value: { ...order, simulate: { payment: 'late-charge' } },
  },
  lateAnswer: {
    summary: 'Charged, but the answer comes after the time-out: refunded',
    value: { ...order, simulate: { payment: 'late-answer' } },
  },
  missing: {
    summary: 'Out of stock: the payment is refunded',
    value: { ...order, simulate: { stock: 'missing' } },
  },
  carrierFails: {
    summary: 'The carrier refuses: stock is released, the payment refunded',
    value: { ...order, simulate: { carrier: 'fails' } },
  },
  carrierSilent: {
    summary: 'The carrier never answers: undone after the time-out',
    value: { ...order, simulate: { carrier: 'silent' } },
  },
};

/** Documents the body of an order, from the schema that checks it. */
export function ApiNewOrder(): MethodDecorator {
  const { $schema: _, ...schema } = z.toJSONSchema(newOrder, { target: 'openapi-3.0', io: 'input' });
  return ApiBody({ schema: schema as object, examples: orderExamples });
}
