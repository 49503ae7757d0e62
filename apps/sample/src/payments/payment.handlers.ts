import { Injectable } from '@nestjs/common';
import { Handles, type MessageContext } from '@nestjs-orchestrator/nest';
import { settings } from '../config/settings.js';
import { transactionOf } from '../database/data-source.js';
import {
  PaymentFailed,
  PaymentProcessed,
  PaymentRefunded,
  ProcessPayment,
  RefundPayment,
} from '../orders/order.messages.js';
import { CardNetwork } from './card-network.js';
import { PaymentLedger } from './payment-ledger.js';
import { ChargeCard } from './payment.messages.js';

/** The payment service. What it writes and what it answers are one commit. */
@Injectable()
export class PaymentHandlers {
  constructor(
    private readonly ledger: PaymentLedger,
    private readonly cards: CardNetwork,
  ) {}

  @Handles(ProcessPayment)
  async process(ctx: MessageContext<ProcessPayment>): Promise<void> {
    const { orderId, cents, behaviour } = ctx.message;
    const tx = transactionOf(ctx);
    if (await this.ledger.isVoided(tx, orderId)) {
      ctx.publish(new PaymentFailed({ orderId, reason: 'the payment is voided' }));
      return;
    }
    const authorisation = await this.cards.authorise(orderId, behaviour);
    if (!authorisation.approved) {
      await this.ledger.open(tx, orderId, cents, 'declined');
      ctx.publish(new PaymentFailed({ orderId, reason: authorisation.reason }));
    } else if (behaviour === 'late-charge') {
      await this.ledger.open(tx, orderId, cents, 'authorised');
      ctx.send(new ChargeCard({ orderId, cents }), { delay: settings.latePayment });
    } else {
      const delay = behaviour === 'late-answer' ? { delay: settings.latePayment } : {};
      ctx.publish(await this.answer(ctx), delay);
    }
  }

  @Handles(ChargeCard)
  async charge(ctx: MessageContext<ChargeCard>): Promise<void> {
    ctx.publish(await this.answer(ctx));
  }

  @Handles(RefundPayment)
  async refund(ctx: MessageContext<RefundPayment>): Promise<void> {
    const { orderId, key } = ctx.message;
    await this.ledger.refundOrVoid(transactionOf(ctx), orderId, key);
    ctx.publish(new PaymentRefunded({ orderId }));
  }

  private async answer(
    ctx: MessageContext<ProcessPayment | ChargeCard>,
  ): Promise<PaymentProcessed | PaymentFailed> {
    const { orderId, cents } = ctx.message;
    const result = await this.ledger.charge(transactionOf(ctx), orderId, cents, ctx.id);
    return result.charged
      ? new PaymentProcessed({ orderId, transactionId: result.transactionId })
      : new PaymentFailed({ orderId, reason: `the payment is ${result.state}` });
  }
}
