import { isMessageType } from '../../message/message.js';
import type { CompositeEvent, Join, SagaEvent } from '../saga-types.js';
import { NAME, NAME_RULE, NO_MESSAGE, type Report } from './report.js';

/** The composite events. */
export function readJoins(
  composites: Readonly<Record<string, CompositeEvent>>,
  events: ReadonlyMap<string, SagaEvent>,
  states: readonly string[],
  report: Report,
): ReadonlyMap<string, Join> {
  const joins = new Map<string, Join>();
  for (const [name, { of, during = [] }] of Object.entries(composites)) {
    const path = `compositeEvents.${name}`;
    if (!of.every(isMessageType)) {
      report(path, `'of' names something that ${NO_MESSAGE}`);
      continue;
    }
    const join: Join = {
      of: of.map((type) => type.messageName),
      during: typeof during === 'string' ? [during] : during,
    };
    if (!NAME.test(name)) report(path, `'${name}' ${NAME_RULE}`);
    if (events.has(name)) report(path, `'${name}' is the name of an event already`);
    checkJoin(join, path, events, states, report);
    joins.set(name, join);
  }
  return joins;
}

function checkJoin(
  { of, during }: Join,
  path: string,
  events: ReadonlyMap<string, SagaEvent>,
  states: readonly string[],
  report: Report,
): void {
  if (new Set(of).size < 2 || new Set(of).size < of.length)
    report(path, `'of' must name two or more different events`);
  for (const name of of) if (!events.has(name)) report(path, `'${name}' is not among the saga's events`);
  for (const state of during) {
    if (!states.includes(state))
      report(path, `during '${state}': no state of the saga. Known: ${states.join(', ')}`);
  }
}
