import type { DeliveryRecord } from '@nestjs-orchestrator/core/ports';

/** A delivery as it lies in the store: with the saga it is for, which a dead letter will want to know. */
export function packDelivery(saga: string, { messageId, payload, ttlMs }: DeliveryRecord): string {
  return JSON.stringify([saga, messageId, payload, ttlMs]);
}

export function unpackDelivery(record: string): DeliveryRecord & { readonly saga: string } {
  const [saga, messageId, payload, ttlMs] = JSON.parse(record) as [string, string, string, number];
  return { saga, messageId, payload, ttlMs };
}
