import { z } from 'zod';
import { defineSaga, keyed, message, type } from '@nestjs-orchestrator/nest';
import { OrderCreated, PaymentFailed } from '../nest/support/order-shape.js';

class Odd extends message('odd', z.object({ reference: z.string(), count: z.number() })) {}

const rest = { version: 1, states: ['a'], ends: { z: 'success' }, events: [OrderCreated] } as const;

// @ts-expect-error a Date is no JSON
defineSaga({ ...rest, name: 'x', data: type<{ at: Date }>(), correlateBy: 'orderId' });

// @ts-expect-error a Map is no JSON, nested ones neither
defineSaga({ ...rest, name: 'x', data: type<{ lines: { by: Map<string, 1> }[] }>(), correlateBy: 'orderId' });

// @ts-expect-error a function is no JSON
defineSaga({ ...rest, name: 'x', data: type<{ undo: () => void }>(), correlateBy: 'orderId' });

// @ts-expect-error a bigint is no JSON
defineSaga({ ...rest, name: 'x', data: type<{ cents: bigint }>(), correlateBy: 'orderId' });

// @ts-expect-error no event has a field of that name
defineSaga({ ...rest, name: 'x', data: type<{ a: string }>(), correlateBy: 'orderID' });

// @ts-expect-error a key is a string
defineSaga({ ...rest, name: 'x', data: type<{ a: string }>(), correlateBy: 'cents' });

defineSaga({
  ...rest,
  name: 'x',
  data: type<{ a: string }>(),
  events: [OrderCreated, Odd],
  // @ts-expect-error one of the events lacks the key and isn't keyed
  correlateBy: 'orderId',
});

defineSaga({
  ...rest,
  name: 'x',
  data: type<{ a: string }>(),
  // @ts-expect-error a key is a string
  events: [OrderCreated, keyed(Odd, (odd) => odd.count)],
  correlateBy: 'orderId',
});

// @ts-expect-error an end means success or undo
defineSaga({ ...rest, name: 'x', data: type<{ a: string }>(), correlateBy: 'orderId', ends: { z: 'ok' } });

defineSaga({
  ...rest,
  name: 'x',
  data: type<{ a: string }>(),
  events: [OrderCreated, keyed(Odd, (odd) => odd.reference)],
  correlateBy: 'orderId',
});

// @ts-expect-error a body without one of its fields
void new PaymentFailed({ orderId: 'x' });

// @ts-expect-error a field of another type
void new OrderCreated({ orderId: 'x', customerId: 'y', cents: '1' });

void new OrderCreated({ orderId: 'x', customerId: 'y', cents: 1 });
