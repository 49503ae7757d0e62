import { parseJson } from '../../message/json.js';
import type { CurrentInstance, KeyRecord } from '../../ports/records.js';
import { CorrelationError } from '../saga-errors.js';
import type { AnySaga } from '../saga-types.js';
import type { StoredNotes } from './notes.js';

const LONGEST_KEY = 512;

/** The key by which a message finds its instance, or instances. */
export function keyOf(definition: AnySaga, messageName: string, body: object): KeyRecord {
  const event = definition.events.get(messageName);
  const value = event?.keyOf(body);
  if (typeof value !== 'string' || value === '' || value.length > LONGEST_KEY) {
    throw new CorrelationError(definition.name, messageName, value);
  }
  return { name: event?.key ?? definition.correlateBy, value };
}

/** How an instance that came by a further key is found by its primary one; two keys of one instance so share one mailbox. */
export function primaryKeyOf(
  definition: AnySaga,
  instance: Pick<CurrentInstance, 'machine'>,
): KeyRecord | undefined {
  const value = (parseJson(instance.machine) as { readonly saga?: StoredNotes }).saga?.key;
  return value === undefined ? undefined : { name: definition.correlateBy, value };
}
