import { connect } from 'node:net';
import { Transport } from '@nestjs/microservices';
import { rabbitMqIngress, rabbitMqRecord } from '@nestjs-orchestrator/nest/microservices';
import type { Party, PaymentLink } from './payment-link.js';

/** No broker answers, so the two processes could not talk. */
export class BrokerAwayError extends Error {
  override readonly name = 'BrokerAwayError';
  readonly code = 'BROKER_AWAY';
  constructor(url: URL, options?: ErrorOptions) {
    super(
      `No RabbitMQ answers at ${url.host}. Start one there, name another by RABBITMQ_URL=amqp://user:password@host:port, or leave --payments out.`,
      options,
    );
  }
}

const PORT = 5672;

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
    ready: () => reachable(new URL(url)),
  };
}

function reachable(url: URL): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(url.port === '' ? PORT : Number(url.port), url.hostname);
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', (cause) => reject(new BrokerAwayError(url, { cause })));
  });
}
