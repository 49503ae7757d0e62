import type { AnySaga } from '../saga/saga-types.js';
import type { SagaBehaviour } from '../saga/behaviour.js';
import { scheduleTimer } from '../saga/run/timer-changes.js';

/** A version of a saga that a build has, and what it can take over. */
export interface KnownSaga {
  readonly saga: string;
  readonly version: number;
  /** Paths of all states, and the ends. */
  readonly states: readonly string[];
  readonly compensations: readonly string[];
  /** Names of timers: `schedule:reminder`, `xstate.after.60000.order.awaitingPayment`. */
  readonly timers: readonly string[];
  /** Older versions that it says how to migrate: their states that have another name in this one. */
  readonly migrates: ReadonlyMap<number, Readonly<Record<string, string>>>;
}

/** The names of one definition as its class or builder uses them. */
export function knownSaga({ definition, transitions }: SagaBehaviour): KnownSaga {
  const { name, version } = definition;
  return {
    saga: name,
    version,
    states: [...(definition.states as readonly string[]), ...Object.keys(definition.ends)],
    compensations: [...definition.compensations.keys()],
    timers: [...[...definition.schedules].map(scheduleTimer), ...timeOuts(definition, transitions)],
    migrates: new Map(
      [...definition.migrate].map(([from, migration]) => [from, migration.states ?? {}] as const),
    ),
  };
}

/** Names of the engine's own timers: they tell delay and state. */
function timeOuts({ name }: AnySaga, transitions: SagaBehaviour['transitions']): readonly string[] {
  const names = transitions.flatMap(({ trigger, during }) =>
    trigger.kind === 'after' ? during.map((path) => `xstate.after.${trigger.delayMs}.${name}.${path}`) : [],
  );
  return [...new Set(names)];
}
