import { messageTypeOf, type MessageType } from '@nestjs-orchestrator/core';
import type { AnySaga, ErasedHandler, SagaBehaviour } from '@nestjs-orchestrator/core/saga';

const VERBS: ReadonlySet<PropertyKey> = new Set(['send', 'publish']);

/** The behaviour, which tells the type of each message before it is sent, so that somebody can be there to take it. */
export function withDestinations<G extends AnySaga>(
  behaviour: SagaBehaviour<G>,
  about: (type: MessageType) => void,
): SagaBehaviour<G> {
  const told = (handler: ErasedHandler): ErasedHandler => {
    return (ctx) => handler(telling(ctx, about));
  };
  return {
    ...behaviour,
    transitions: behaviour.transitions.map((spec) =>
      spec.handler === undefined ? spec : { ...spec, handler: told(spec.handler) },
    ),
    hooks: behaviour.hooks.map((hook) => ({ ...hook, handler: told(hook.handler) })),
  };
}

function telling<C extends object>(ctx: C, about: (type: MessageType) => void): C {
  return new Proxy(ctx, {
    get: (of, name) => {
      const value: unknown = Reflect.get(of, name);
      if (!VERBS.has(name) || typeof value !== 'function') return value;
      return (message: object, ...rest: unknown[]): unknown => {
        about(messageTypeOf(message));
        return Reflect.apply(value, of, [message, ...rest]);
      };
    },
    set: (of, name, value) => Reflect.set(of, name, value),
  });
}
