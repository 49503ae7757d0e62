import { z } from 'zod';

const MAX_LINES = 20;
const MAX_QUANTITY = 100;

export const paymentBehaviour = z.enum(['ok', 'declined', 'unreachable', 'late-charge', 'late-answer']).meta({
  description:
    'ok: charged at once. declined: the card is refused. unreachable: the card network does not answer; after three such calls the circuit ' +
    'breaker `payments` opens, and the order is undone after its time-out. late-charge: the charge comes only after the time-out, when the refund has ' +
    'voided it. late-answer: charged at once, but the answer comes after the time-out, so that the charge is refunded.',
});
export const stockBehaviour = z
  .enum(['ok', 'missing'])
  .meta({ description: 'missing: the warehouse says that it has not enough.' });
export const carrierBehaviour = z.enum(['ok', 'fails', 'silent']).meta({
  description:
    'fails: the carrier refuses the parcel. silent: it never answers, and the time-out undoes the order.',
});

/** Lets every path be tried by hand. */
export const simulation = z.strictObject({
  payment: paymentBehaviour.default('ok'),
  stock: stockBehaviour.default('ok'),
  carrier: carrierBehaviour.default('ok'),
});
const everythingWorks = { payment: 'ok', stock: 'ok', carrier: 'ok' } as const;

/** What databases keep and people read: no control characters, no half of a surrogate pair. */
const text = (longest: number) =>
  z
    .string()
    .min(1)
    .max(longest)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'holds a control character or half a character');

export const orderItem = z.strictObject({
  sku: text(50).meta({ examples: ['book'] }),
  quantity: z.int().min(1).max(MAX_QUANTITY),
});

/** Body of `POST /orders`. */
export const newOrder = z.strictObject({
  customerId: text(100)
    .regex(/\S/, 'is blank')
    .meta({ examples: ['ada'] }),
  items: z
    .array(orderItem)
    .min(1)
    .max(MAX_LINES)
    .superRefine((items, ctx) => {
      for (const [index, { sku }] of items.entries()) {
        if (items.findIndex((item) => item.sku === sku) < index) {
          ctx.addIssue({ code: 'custom', path: [index, 'sku'], message: `'${sku}' is listed twice` });
        }
      }
    }),
  simulate: simulation.default(everythingWorks),
});
export type NewOrder = z.infer<typeof newOrder>;
export type OrderItem = z.infer<typeof orderItem>;

/** Query of `GET /orders`. */
export const orderPageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(100).default(20),
  cursor: z
    .string()
    .regex(/^\d{1,18}$/, 'is not a cursor; use `next` of the page before')
    .optional(),
});
export type OrderPageQuery = z.infer<typeof orderPageQuery>;

const state = z.enum([
  'accepted',
  'awaitingPayment',
  'awaitingInventory',
  'awaitingShipment',
  'completed',
  'failed',
]);

/** An order in a list. */
export const orderSummary = z.object({
  orderId: z.string(),
  customerId: z.string(),
  cents: z.int(),
  state: state.meta({ description: 'accepted: durable, but its saga has not begun yet.' }),
  status: z
    .string()
    .meta({ description: 'running, compensating, completed, compensated, …', examples: ['running'] }),
  createdAt: z.iso.datetime(),
});
export type OrderSummary = z.infer<typeof orderSummary>;

/** One order with all that is known about it. */
export const orderView = orderSummary.extend({
  items: z.array(orderItem),
  data: z.record(z.string(), z.unknown()).nullable().meta({ description: "The saga's own data." }),
  history: z.array(
    z.object({
      at: z.iso.datetime(),
      kind: z.string(),
      name: z.string(),
      from: z.string().nullable(),
      to: z.string().nullable(),
    }),
  ),
  undone: z
    .array(z.string())
    .meta({ description: 'Compensations that are done, in the order in which they ran.' }),
});
export type OrderView = z.infer<typeof orderView>;

/** Answer of `GET /orders`, newest first. */
export const orderPage = z.object({ items: z.array(orderSummary), next: z.string().nullable() });
export type OrderPage = z.infer<typeof orderPage>;
