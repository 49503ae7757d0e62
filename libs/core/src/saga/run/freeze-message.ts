import type { Envelope } from '../../message/envelope.js';
import type { MessageType } from '../../message/message.js';
import { NoRouteError } from '../../bus/routes.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';

/** The message that an envelope carries, as an instance of its class, frozen all the way down. */
export function freezeMessage(saga: CompiledSaga, envelope: Envelope): object {
  const event = saga.definition.events.get(envelope.name);
  if (event === undefined) throw new NoRouteError(envelope.name, []);
  return frozenInstance(event.type, envelope.body as object);
}

/** An instance of a message class that nobody can change. */
export function frozenInstance(type: MessageType, body: object): object {
  return deepFreeze(new type(body) as object);
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value))
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner as object);
  return Object.freeze(value);
}
