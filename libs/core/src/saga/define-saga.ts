import { isMessageType, type MessageType } from '../message/message.js';
import type { Schema } from '../message/standard-schema.js';
import type { ActivitiesOf, ActivitySpec } from './activity/activity-types.js';
import { milliseconds, type Duration } from '../message/duration.js';
import { readActivities } from './activity/read-activities.js';
import { checkEnds, checkPolicies } from './definition/check-policies.js';
import { checkStates } from './definition/check-states.js';
import { readEvents } from './definition/read-events.js';
import { readKeys } from './definition/read-keys.js';
import { readJoins } from './definition/read-joins.js';
import { NAME, NAME_RULE, NO_MESSAGE, type Report } from './definition/report.js';
import { SagaDefinitionError, type DefinitionFault } from './saga-errors.js';
import type { CommandOf, EventEntry, EventOf, SagaDefinition, SagaSpec, UndoOf } from './saga-types.js';
import { readMigrations } from './versions/saga-migration.js';
import { readUndoPolicies } from './undo-policy.js';
import { placedStates, stateNodes, type StateNames, type StateNodes } from './states.js';

const DAY = 86_400_000;

/**
 * Declares a saga: its vocabulary, without behaviour. Behaviour comes from a class (`sagaDecorators(definition)`), from the fluent builder
 * (`buildSaga(definition, …)`) or as a row of steps (`steps(definition)`).
 *
 * @throws SagaDefinitionError with all faults at once
 */
export function defineSaga<
  D,
  const ST extends readonly string[] | StateNodes,
  const X extends string,
  E extends EventEntry,
  const C extends Readonly<Record<string, Schema<unknown>>> = Record<never, never>,
  const K extends string = never,
  const T extends string = never,
  const J extends string = never,
  L extends MessageType = never,
  const A extends Readonly<Record<string, ActivitySpec>> = Record<never, never>,
>(
  spec: SagaSpec<D, ST, X, E, C, K, T, J, L, A>,
): SagaDefinition<
  D,
  StateNames<ST>,
  X,
  EventOf<E>,
  UndoOf<C>,
  {
    readonly key: K;
    readonly schedule: T;
    readonly composite: J;
    readonly command: CommandOf<L>;
    readonly activities: ActivitiesOf<A>;
  }
> {
  const faults: DefinitionFault[] = [];
  const report: Report = (path, message) => void faults.push({ path, message });
  const nodes = stateNodes(spec.states);
  checkIdentity(spec, report);
  checkStates(spec.states, Object.keys(spec.ends), report);
  checkEnds(spec.ends, report);
  checkPolicies('', spec, report);
  const keys = readKeys(spec.keys, spec.correlateBy, report);
  const events = readEvents(spec.events, spec.correlateBy, keys, report);
  const states = placedStates(nodes).map(({ path }) => path);
  const composites = readJoins(spec.compositeEvents ?? {}, events, states, report);
  const schedules = readNames('schedules', spec.schedules ?? [], report);
  const activities = readActivities(spec.activities ?? {}, report);
  const { compensations = {} } = spec;
  const undo = readUndoPolicies(spec.undo, Object.keys(compensations), events, report);
  const targets = [...states, ...Object.keys(spec.ends)];
  const sends = spec.sends && readCommands(spec.sends, report);
  const migrate = readMigrations(spec.migrate, spec.version, targets, report);
  if (faults.length > 0) throw new SagaDefinitionError(spec.name, faults);
  const definition: Omit<SagaDefinition, 'types'> = {
    name: spec.name,
    version: spec.version,
    states,
    nodes,
    ends: { ...spec.ends },
    correlateBy: spec.correlateBy,
    keys,
    events,
    dataSchema: spec.data,
    compensations: new Map(Object.entries(compensations)),
    undo,
    schedules,
    activities,
    composites,
    sends,
    migrate,
    restartable: spec.restartable === true,
    absent: spec.absent ?? 'park',
    unanswered: spec.unanswered ?? 'defer',
    patience: patienceOf(spec),
  };
  return Object.freeze(definition) as never;
}

interface Identity {
  readonly name: string;
  readonly version: number;
  readonly correlateBy: string;
  readonly patience?: Duration | number;
}

function checkIdentity(spec: Identity, report: Report): void {
  const { name, version, correlateBy } = spec;
  if (!NAME.test(name)) report('name', `'${name}' ${NAME_RULE}`);
  if (!Number.isInteger(version) || version < 1)
    report('version', `${version} must be a whole number from 1`);
  if (typeof correlateBy !== 'string' || correlateBy === '')
    report('correlateBy', 'must name the field of every event that tells its instance');
  if (!(patienceOf(spec) > 0)) report('patience', `'${spec.patience}' is no positive length of time`);
}

/** In milliseconds; `NaN` for what is no length of time. */
function patienceOf({ patience = DAY }: Pick<Identity, 'patience'>): number {
  try {
    return milliseconds(patience);
  } catch {
    return Number.NaN;
  }
}

function readCommands(types: readonly MessageType[], report: Report): ReadonlyMap<string, MessageType> {
  for (const [index, type] of types.entries())
    if (!isMessageType(type)) report(`sends[${index}]`, NO_MESSAGE);
  return new Map(types.filter(isMessageType).map((type) => [type.messageName, type]));
}

function readNames(path: string, names: readonly string[], report: Report): ReadonlySet<string> {
  for (const name of names) if (!NAME.test(name)) report(path, `'${name}' ${NAME_RULE}`);
  const seen = new Set(names);
  if (seen.size < names.length) report(path, `names one twice: ${names.join(', ')}`);
  return seen;
}
