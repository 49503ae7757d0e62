import type { IngressBinding } from './ingress.js';

/**
 * Messages from a transport that knows no acknowledgements, as Nest's own Redis, NATS and TCP transports: the id is that of the envelope that a remote
 * route of ours sent. What arrives while nobody listens, or the store is away, is lost.
 */
export function lossyIngress(name: string): IngressBinding<unknown> {
  return { name, messageId: (payload) => (payload as { id?: string } | null)?.id, acks: false };
}
