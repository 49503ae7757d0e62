import type { EventEntry, KeyCardinality, SagaEvent } from '../saga-types.js';
import type { Report } from './report.js';

/** The events by their wire names. */
export function readEvents(
  entries: readonly EventEntry[],
  primary: string,
  keys: ReadonlyMap<string, KeyCardinality>,
  report: Report,
): ReadonlyMap<string, SagaEvent> {
  const byName = new Map<string, SagaEvent>();
  for (const entry of entries) {
    const event = readEvent(entry, primary);
    const { messageName } = event.type;
    if (byName.has(messageName)) report('events', `'${messageName}' is listed twice`);
    checkKey(event, primary, keys, report);
    byName.set(messageName, event);
  }
  if (byName.size === 0) report('events', 'must list at least the message that starts the saga');
  return byName;
}

function readEvent(entry: EventEntry, primary: string): SagaEvent {
  const field = (body: object): unknown => (body as Record<string, unknown>)[primary];
  if ('keyed' in entry) {
    const { keyed: type, by, key = primary, absent, unanswered } = entry;
    return { type, key, keyOf: (body) => by(body), absent, unanswered };
  }
  if ('event' in entry) {
    const { event: type, absent, unanswered } = entry;
    return { type, key: primary, keyOf: field, absent, unanswered };
  }
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
