import { Injectable } from '@nestjs/common';
import { Handles, type MessageContext } from '@nestjs-orchestrator/nest';
import { settings } from '../config/settings.js';
import { transactionOf } from '../database/data-source.js';
import { PaymentFailed, PaymentProcessed, ProcessPayment } from '../orders/order.messages.js';
import { PaymentLedger } from './payment-ledger.js';
import { ChargeCard } from './payment.messages.js';

/** The payment service. What it writes and what it answers are one commit. */
@Injectable()
export class PaymentHandlers {
  constructor(private readonly ledger: PaymentLedger) {}

  @Handles(ProcessPayment)
  async process(ctx: MessageContext<ProcessPayment>): Promise<void> {
    const { orderId, cents, behaviour } = ctx.message;
    switch (behaviour) {
      case 'ok':
        ctx.publish(await this.answer(ctx));
        break;
      case 'declined':
        await this.ledger.open(transactionOf(ctx), orderId, cents, 'declined');
        ctx.publish(new PaymentFailed({ orderId, reason: 'the card was declined' }));
        break;
      case 'late-charge':
        await this.ledger.open(transactionOf(ctx), orderId, cents, 'authorised');
        ctx.send(new ChargeCard({ orderId, cents }), { delay: settings.latePayment });
        break;
      case 'late-answer':
        ctx.publish(await this.answer(ctx), { delay: settings.latePayment });
        break;
    }
  }

  @Handles(ChargeCard)
  async charge(ctx: MessageContext<ChargeCard>): Promise<void> {
    ctx.publish(await this.answer(ctx));
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
