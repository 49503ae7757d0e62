import { isMessageType } from '../../message/message.js';
import type { EventEntry, KeyCardinality, SagaEvent } from '../saga-types.js';
import { checkPolicies } from './check-policies.js';
import { NO_MESSAGE, type Report } from './report.js';

/** The events by their wire names. */
export function readEvents(
  entries: readonly EventEntry[],
  primary: string,
  keys: ReadonlyMap<string, KeyCardinality>,
  report: Report,
): ReadonlyMap<string, SagaEvent> {
  const byName = new Map<string, SagaEvent>();
  for (const [index, entry] of entries.entries()) {
    const event = readEvent(entry, primary);
    if (event === undefined) {
      report(`events[${index}]`, NO_MESSAGE);
      continue;
    }
    const { messageName } = event.type;
    if (typeof event.keyOf !== 'function')
      report(
        `events.${messageName}`,
        `keyed() needs a function that tells the key: keyed(Message, (m) => m.field)`,
      );
    checkPolicies(`events.${messageName}.`, event, report);
    if (byName.has(messageName)) report('events', `'${messageName}' is listed twice`);
    checkKey(event, primary, keys, report);
    byName.set(messageName, event);
  }
  if (byName.size === 0) report('events', 'must list at least the message that starts the saga');
  return byName;
}

/** `undefined`: it is no message class, or is not there yet. */
function readEvent(entry: EventEntry | undefined, primary: string): SagaEvent | undefined {
  const field = (body: object): unknown => (body as Record<string, unknown>)[primary];
  if (typeof entry === 'object' && 'keyed' in entry) {
    const { keyed: type, by, key = primary, absent, unanswered } = entry;
    return isMessageType(type)
      ? { type, key, keyOf: by as SagaEvent['keyOf'], absent, unanswered }
      : undefined;
  }
  if (typeof entry === 'object' && 'event' in entry) {
    const { event: type, absent, unanswered } = entry;
    return isMessageType(type) ? { type, key: primary, keyOf: field, absent, unanswered } : undefined;
  }
  if (!isMessageType(entry)) return undefined;
  return { type: entry, key: primary, keyOf: field, absent: undefined, unanswered: undefined };
}

function checkKey(
  { type, key, absent }: SagaEvent,
  primary: string,
  keys: ReadonlyMap<string, KeyCardinality>,
  report: Report,
): void {
  const path = `events.${type.messageName}`;
  if (key !== primary && !keys.has(key)) {
    report(
      path,
      `key '${key}' is not declared; add it to 'keys'. Declared: ${[primary, ...keys.keys()].join(', ')}`,
    );
  }
  if (keys.get(key) === 'many' && absent === 'park')
    report(path, `can't wait for an instance: any number of them may come to have this '${key}'`);
}
