import { Transport } from '@nestjs/microservices';
import { rabbitMqIngress, rabbitMqRecord } from '@nestjs-orchestrator/nest/microservices';
import { reachable } from './broker.js';
import type { Party, PaymentLink } from './payment-link.js';

const BROKER = { name: 'RabbitMQ', variable: 'RABBITMQ_URL=amqp://user:password@host:port', port: 5672 };

/** Durable queues, persistent messages, confirms, and acknowledgements after the commit: nothing is lost between the two. */
export function rabbitMqLink(url: string, prefix: string): PaymentLink {
  const options = (of: Party) => ({
    urls: [url],
    queue: `${prefix}-${of}`,
    queueOptions: { durable: true },
    // Messages that are handled at a time; the rest stays with the broker.
    prefetchCount: 64,
  });
  return {
    client: (to) => ({ transport: Transport.RMQ, options: options(to) }),
    listen: (at) => ({ transport: Transport.RMQ, options: { ...options(at), noAck: false } }),
    ingress: rabbitMqIngress,
    egress: { confirms: true, record: rabbitMqRecord },
    ready: () => reachable(new URL(url), BROKER),
    close: () => undefined,
  };
}
