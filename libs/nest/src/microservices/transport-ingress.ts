import { RpcException } from '@nestjs/microservices';
import type { IngressBinding } from './ingress.js';
import type { TransportContext } from './transport/transport-context.js';

/**
 * Messages from a `TransportServer`: acknowledged after the commit. What can't be taken fails at its sender, whose outbox keeps it, or comes again where
 * the transport keeps events. The other side is an `egress` with `confirms: true` over a `TransportClient`.
 */
export const transportIngress: IngressBinding<TransportContext> = {
  name: 'transport',
  messageId: (payload) => (payload as { id?: string } | null)?.id,
  acks: {
    // The handler that returns is the acknowledgement.
    done: () => undefined,
    refused: (_context, how) => {
      throw new RpcException(
        how === 'again'
          ? 'the message could not be taken for now'
          : 'the message can never be taken; see the log',
      );
    },
  },
};
