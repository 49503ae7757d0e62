import { Injectable } from '@nestjs/common';
import { CallSignal, UseCircuitBreaker, UseRateLimit, UseTimeout } from '@nestjs-orchestrator/nest';
import type { z } from 'zod';
import type { paymentBehaviour } from '../orders/order.schemas.js';

/** What the customer's bank says to a charge. */
export type Authorisation =
  { readonly approved: true } | { readonly approved: false; readonly reason: string };

/** The card network did not answer; asking again later can help. */
export class CardNetworkError extends Error {
  override readonly name = 'CardNetworkError';
  readonly code = 'CARD_NETWORK_AWAY';
}

/**
 * Stands for the client of a card network: field `simulate.payment` of an order says what the network does. Its contract allows so many requests a
 * second; when it is away, orders wait for it without asking it again and again.
 */
@Injectable()
export class CardNetwork {
  @UseRateLimit('card-network', { wait: true })
  @UseCircuitBreaker('payments')
  @UseTimeout('2s')
  async authorise(
    orderId: string,
    behaviour: z.infer<typeof paymentBehaviour>,
    @CallSignal() signal?: AbortSignal,
  ): Promise<Authorisation> {
    signal?.throwIfAborted();
    if (behaviour === 'unreachable') throw new CardNetworkError(`No answer about order ${orderId}.`);
    return behaviour === 'declined'
      ? { approved: false, reason: 'the card was declined' }
      : { approved: true };
  }
}
