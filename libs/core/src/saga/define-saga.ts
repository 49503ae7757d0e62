import type { MessageType } from '../message/message.js';
import type { Schema } from '../message/standard-schema.js';
import { SagaDefinitionError, type DefinitionFault } from './saga-errors.js';
import type { EventOf, Keyed, SagaDefinition, SagaEvent, SagaSpec, UndoOf } from './saga-types.js';

const DAY = 86_400_000;
const NAME = /^[A-Za-z][\w.-]{0,99}$/;

/**
 * Declares a saga: its vocabulary, without behaviour. Behaviour comes from a class (`sagaDecorators(definition)`) or from
 * the fluent builder (`buildSaga(definition, …)`).
 *
 * @throws SagaDefinitionError with all faults at once
 */
export function defineSaga<
  D,
  const S extends string,
  const X extends string,
  E extends MessageType | Keyed<MessageType>,
  const C extends Readonly<Record<string, Schema<unknown>>> = Record<never, never>,
>(spec: SagaSpec<D, S, X, E, C>): SagaDefinition<D, S, X, EventOf<E>, UndoOf<C>> {
  const faults: DefinitionFault[] = [];
  const report = (path: string, message: string): void => void faults.push({ path, message });
  checkIdentity(spec, report);
  checkStates(spec.states, Object.keys(spec.ends), report);
  const events = readEvents(spec.events, spec.correlateBy, report);
  if (faults.length > 0) throw new SagaDefinitionError(spec.name, faults);
  const definition: Omit<SagaDefinition<D, S, X, EventOf<E>, UndoOf<C>>, 'types'> = {
    name: spec.name,
    version: spec.version,
    states: [...spec.states],
    ends: { ...spec.ends },
    correlateBy: spec.correlateBy,
    events,
    dataSchema: spec.data,
    compensations: new Map(Object.entries(spec.compensations ?? {})),
    absent: spec.absent ?? 'park',
    unanswered: spec.unanswered ?? 'defer',
    patience: spec.patience ?? DAY,
  };
  return Object.freeze(definition) as SagaDefinition<D, S, X, EventOf<E>, UndoOf<C>>;
}

type Report = (path: string, message: string) => void;

function checkIdentity(
  spec: { readonly name: string; readonly version: number; readonly patience?: number },
  report: Report,
): void {
  if (!NAME.test(spec.name))
    report(
      'name',
      `'${spec.name}' must be 1 to 100 letters, digits, '.', '-' or '_', beginning with a letter`,
    );
  if (!Number.isInteger(spec.version) || spec.version < 1)
    report('version', `${spec.version} must be a whole number from 1`);
  const patience = spec.patience ?? DAY;
  if (!Number.isFinite(patience) || patience <= 0)
    report('patience', `${patience} must be a positive number of milliseconds`);
}

function checkStates(states: readonly string[], ends: readonly string[], report: Report): void {
  if (states.length === 0) report('states', 'must name at least one state between start and end');
  if (ends.length === 0)
    report('ends', 'must name at least one end; a saga without an end would live for ever');
  const seen = new Set<string>();
  for (const [path, names] of [['states', states] as const, ['ends', ends] as const]) {
    for (const name of names) {
      if (!NAME.test(name))
        report(path, `'${name}' must be 1 to 100 letters, digits, '.', '-' or '_', beginning with a letter`);
      if (seen.has(name)) report(path, `'${name}' is named twice`);
      seen.add(name);
    }
  }
}

function readEvents(
  events: readonly (MessageType | Keyed<MessageType>)[],
  correlateBy: string,
  report: Report,
): ReadonlyMap<string, SagaEvent> {
  const byName = new Map<string, SagaEvent>();
  for (const entry of events) {
    const type = 'keyed' in entry ? entry.keyed : entry;
    const keyOf =
      'keyed' in entry
        ? (body: object): unknown => entry.by(body)
        : (body: object): unknown => (body as Record<string, unknown>)[correlateBy];
    if (byName.has(type.messageName)) report('events', `'${type.messageName}' is listed twice`);
    byName.set(type.messageName, { type, keyOf });
  }
  if (byName.size === 0) report('events', 'must list at least the message that starts the saga');
  return byName;
}
