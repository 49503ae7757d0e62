import type { Envelope } from '../../message/envelope.js';
import { frozenInstance } from '../../handling/frozen-instance.js';
import { NoRouteError } from '../../bus/routes.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';

/** The message that an envelope carries, as an instance of its class, frozen all the way down. */
export function freezeMessage(saga: CompiledSaga, envelope: Envelope): object {
  const event = saga.definition.events.get(envelope.name);
  if (event === undefined) throw new NoRouteError(envelope.name, []);
  return frozenInstance(event.type, envelope.body as object);
}
