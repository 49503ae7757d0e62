import type { AbsentPolicy, AnySaga, UnansweredPolicy } from '../saga-types.js';

/** What is done with a message that has no instance. For a key of many, having none is nothing to wait for. */
export function absentPolicy(definition: AnySaga, messageName: string): AbsentPolicy {
  const event = definition.events.get(messageName);
  if (event?.absent !== undefined) return event.absent;
  const many = event !== undefined && definition.keys.get(event.key) === 'many';
  return many && definition.absent === 'park' ? 'discard' : definition.absent;
}

/** What is done with a message that no active state answers. */
export function unansweredPolicy(definition: AnySaga, messageName: string): UnansweredPolicy {
  return definition.events.get(messageName)?.unanswered ?? definition.unanswered;
}
