import type { Envelope } from '../../message/envelope.js';
import { frozenInstance } from '../../handling/frozen-instance.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import { SagaEventUnknownError } from '../saga-errors.js';

/** The message that an envelope carries, as an instance of its class, frozen all the way down. @throws SagaEventUnknownError */
export function freezeMessage({ definition }: CompiledSaga, envelope: Envelope): object {
  const event = definition.events.get(envelope.name);
  if (event === undefined)
    throw new SagaEventUnknownError(definition.name, definition.version, envelope.name);
  return frozenInstance(event.type, envelope.body as object);
}
