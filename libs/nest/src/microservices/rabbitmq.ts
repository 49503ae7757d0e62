import { RmqRecordBuilder, type RmqContext, type RmqRecord } from '@nestjs/microservices';
import type { Envelope } from '@nestjs-orchestrator/core';
import type { IngressBinding } from './ingress.js';

interface Channel {
  ack(message: unknown): void;
  nack(message: unknown, allUpTo: boolean, requeue: boolean): void;
}

/** How long a message that could not be taken now is kept before it goes back to its queue, lest it comes round at once. */
const PAUSE_MS = 1_000;

/**
 * Messages from RabbitMQ: acknowledged after the commit, refused ones go back to the queue or to its dead-letter exchange. Connect the microservice with
 * `{ noAck: false, queueOptions: { durable: true } }`. The id is the message property `messageId`, else the `id` of what a remote route of ours sent.
 */
export const rabbitMqIngress: IngressBinding<RmqContext> = {
  name: 'rabbitmq',
  messageId: (payload, context) => {
    const { properties } = context.getMessage() as { properties?: { messageId?: string } };
    return properties?.messageId ?? (payload as { id?: string } | null)?.id;
  },
  acks: {
    done: (context) => (context.getChannelRef() as Channel).ack(context.getMessage()),
    refused: async (context, how) => {
      if (how === 'again') await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      (context.getChannelRef() as Channel).nack(context.getMessage(), false, how === 'again');
    },
  },
};

/** What is emitted to RabbitMQ: the envelope, persistent, with its id as a property of the message. For {@link egress}. */
export function rabbitMqRecord(envelope: Envelope): RmqRecord<Envelope> {
  const options = { messageId: envelope.id, persistent: true };
  return new RmqRecordBuilder(envelope).setOptions(options).build() as RmqRecord<Envelope>;
}
