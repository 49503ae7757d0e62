import type { MessageType } from '../message/message.js';

/** An instance of a message class that nobody can change. */
export function frozenInstance(type: MessageType, body: object): object {
  return deepFreeze(new type(body) as object);
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value))
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner as object);
  return Object.freeze(value);
}
