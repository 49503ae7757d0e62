import { sagaDestination } from '../../bus/routes.js';
import { parseJson } from '../../message/json.js';
import type { Envelope } from '../../message/envelope.js';
import type { Commit } from '../../ports/instance-store.js';
import type { DeliveryRecord, CurrentInstance } from '../../ports/records.js';
import { rawCommit } from './hold.js';

/** The message of a stored delivery; `undefined` for what can't be read: somebody else has written or changed it. */
export function readDelivery({ payload }: Pick<DeliveryRecord, 'payload'>): Envelope | undefined {
  try {
    const envelope = parseJson(payload) as Envelope;
    const { id, name, tenant, body } = envelope;
    const isWhole = [id, name, tenant].every((text) => typeof text === 'string');
    return isWhole && typeof body === 'object' && body !== null ? envelope : undefined;
  } catch {
    return undefined;
  }
}

/** The commit that takes what can't be read out of an instance's way: as a row of its own, of which a dead letter is made. Pure. */
export function ejectUnreadable(
  instance: CurrentInstance,
  { messageId, payload }: Pick<DeliveryRecord, 'messageId' | 'payload'>,
): Commit {
  const raw = rawCommit(
    instance,
    { messageId, work: null },
    { next: {}, line: { kind: 'ejected', name: '', detail: null }, inbox: null, done: [messageId] },
  );
  const { tenant, saga } = instance;
  const row = { tenant, destination: sagaDestination(saga), id: messageId, lane: null, payload, delayMs: 0 };
  return { ...raw, work: [row] };
}
