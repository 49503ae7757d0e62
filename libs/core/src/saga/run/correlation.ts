import { parseJson } from '../../message/json.js';
import type { CurrentInstance, KeyRecord } from '../../ports/records.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import type { Commit, LoadResult } from '../../ports/instance-store.js';
import { CorrelationError, SagaEventUnknownError, SagaKeyTakenError } from '../saga-errors.js';
import type { AnySaga } from '../saga-types.js';
import type { StoredNotes } from './notes.js';

const LONGEST_KEY = 512;

/**
 * The key by which a message finds its instance, or instances.
 *
 * @throws CorrelationError, SagaEventUnknownError
 */
export function keyOf(definition: AnySaga, messageName: string, body: object): KeyRecord {
  const event = definition.events.get(messageName);
  if (event === undefined) throw new SagaEventUnknownError(definition.name, definition.version, messageName);
  const value = event.keyOf(body);
  if (typeof value !== 'string' || value === '' || value.length > LONGEST_KEY) {
    throw new CorrelationError(definition.name, messageName, value);
  }
  return { name: event.key, value };
}

/** How an instance that came by a further key is found by its primary one; two keys of one instance so share one mailbox. */
export function primaryKeyOf(
  definition: AnySaga,
  instance: Pick<CurrentInstance, 'machine'>,
): KeyRecord | undefined {
  const value = (parseJson(instance.machine) as { readonly saga?: StoredNotes }).saga?.key;
  return value === undefined ? undefined : { name: definition.correlateBy, value };
}

/** A further key that another instance has is no race: trying again would lose for ever. */
export async function refuseTakenKeys(
  { definition }: CompiledSaga,
  { ref, keys }: Commit,
  load: (at: { readonly tenant: string; readonly key: KeyRecord }) => Promise<LoadResult>,
): Promise<void> {
  for (const key of keys) {
    if (key.many === true || key.name === definition.correlateBy) continue;
    const { instance } = await load({ tenant: ref.tenant, key });
    if (instance !== null && instance.id !== ref.id)
      throw new SagaKeyTakenError(definition.name, key.name, instance.id);
  }
}
