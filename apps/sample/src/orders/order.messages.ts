import { message } from '@nestjs-orchestrator/nest';
import { z } from 'zod';
import {
  carrierBehaviour,
  orderItem,
  paymentBehaviour,
  simulation,
  stockBehaviour,
} from './order.schemas.js';

const ref = z.object({ orderId: z.string() });
const refusal = ref.extend({ reason: z.string() });
const items = z.array(orderItem);

/** An undo step is told which order it is about; the rest is in its own tables. */
export const orderRef = ref;

/** An order was accepted. Starts the saga. */
export class OrderCreated extends message(
  'order.created',
  ref.extend({ customerId: z.string(), items, cents: z.int(), simulate: simulation }),
) {}
/** The customer does not want it any more. */
export class OrderCancelled extends message('order.cancelled', refusal) {}

export class ProcessPayment extends message(
  'payment.process',
  ref.extend({ cents: z.int(), behaviour: paymentBehaviour }),
) {}
export class PaymentProcessed extends message(
  'payment.processed',
  ref.extend({ transactionId: z.string() }),
) {}
export class PaymentFailed extends message('payment.failed', refusal) {}
/** Gives the money back, or sees to it that none is taken. `key` tells a repeat from a second one. */
export class RefundPayment extends message('payment.refund', ref.extend({ key: z.string() })) {}
export class PaymentRefunded extends message('payment.refunded', ref) {}

export class ReserveStock extends message(
  'stock.reserve',
  ref.extend({ items, behaviour: stockBehaviour }),
) {}
export class StockReserved extends message('stock.reserved', ref) {}
export class StockMissing extends message('stock.missing', refusal) {}

export class ShipOrder extends message('order.ship', ref.extend({ behaviour: carrierBehaviour })) {}
/** The carrier's answer: with a tracking number it has taken the parcel, with a reason it has not. */
export class CarrierAnswered extends message(
  'carrier.answered',
  ref.extend({ tracking: z.string().optional(), reason: z.string().optional() }),
) {}
