import type { LoadResult } from '../../ports/instance-store.js';
import type { CurrentInstance, InboxRecord } from '../../ports/records.js';
import type { CompiledSaga } from '../compile/compiled-saga.js';
import { SagaMigrationError, SagaVersionError } from '../saga-errors.js';
import { fitVersion, type Fitted } from '../versions/fit-version.js';
import { isHeld, isOpenDelivery } from './holding.js';
import type { Stimulus } from './stimulus.js';

/** What is known of an instance and a message when the message is handled. */
export type Known = Pick<LoadResult, 'seen' | 'tombstone'> & { readonly instance: CurrentInstance | null };

/** What a stimulus comes to, by what is known of its instance. */
export type Plan =
  | { readonly kind: 'repeated'; readonly seen: InboxRecord }
  | { readonly kind: 'wait'; readonly instance: CurrentInstance }
  /** `former`: the ended instance in whose place it comes. */
  | { readonly kind: 'create'; readonly former: CurrentInstance | null }
  /** Its instance is gone for good. */
  | { readonly kind: 'late' }
  | { readonly kind: 'absent' }
  /** Its instance has ended, under a version that this build can't continue. */
  | { readonly kind: 'over'; readonly instance: CurrentInstance; readonly error: SagaVersionError }
  /** Its instance is of a version that this build can't continue. */
  | {
      readonly kind: 'older';
      readonly instance: CurrentInstance;
      readonly error: SagaVersionError | SagaMigrationError;
    }
  | ({ readonly kind: 'run' } & Fitted);

/**
 * Decides what is done with a stimulus. Pure.
 *
 * @throws SagaVersionError for an instance of a version that is newer than this node's
 */
export function planFor(
  highest: CompiledSaga,
  versions: ReadonlyMap<number, CompiledSaga>,
  stimulus: Stimulus,
  known: Known,
): Plan {
  const { seen, instance } = known;
  if (seen !== null && !isOpenDelivery(stimulus, seen)) return { kind: 'repeated', seen };
  if (instance === null) return planWithout(highest, stimulus, known);
  if (isHeld({ instance }) && stimulus.cause.kind !== 'operator') return { kind: 'wait', instance };
  if (instance.ended && mayRestart(highest, stimulus, known)) return { kind: 'create', former: instance };
  return planOn(highest, versions, instance);
}

/** Whether a message starts an instance of this saga. */
export function isStart({ starts }: CompiledSaga, { cause }: Stimulus): boolean {
  return cause.kind === 'message' && starts.has(cause.envelope.name);
}

/** The definition that continues an instance; one of a newer version is given back. */
function planOn(
  highest: CompiledSaga,
  versions: ReadonlyMap<number, CompiledSaga>,
  instance: CurrentInstance,
): Plan {
  const { definition } = highest;
  if (instance.definitionVersion === definition.version) return { kind: 'run', saga: highest, instance };
  try {
    const fit = fitVersion(versions, highest, instance);
    if (typeof fit !== 'string') return { kind: 'run', ...fit };
    const error = new SagaVersionError(definition.name, instance.definitionVersion, [...versions.keys()]);
    if (fit === 'newer') throw error;
    return { kind: instance.ended ? 'over' : 'older', instance, error };
  } catch (error) {
    if (!(error instanceof SagaMigrationError)) throw error;
    return { kind: 'older', instance, error };
  }
}

function planWithout(highest: CompiledSaga, stimulus: Stimulus, known: Known): Plan {
  const { tombstone } = known;
  if (!isStart(highest, stimulus))
    return { kind: tombstone !== null && !highest.definition.restartable ? 'late' : 'absent' };
  if (tombstone === null || mayRestart(highest, stimulus, known)) return { kind: 'create', former: null };
  return { kind: 'late' };
}

/** Only a restartable saga starts anew, and only for a message that has not started it before. */
function mayRestart(highest: CompiledSaga, stimulus: Stimulus, { tombstone }: Known): boolean {
  if (!highest.definition.restartable || !isStart(highest, stimulus)) return false;
  return tombstone?.starts.includes(stimulus.messageId) !== true;
}

/** Operators don't stand in line, and what waits for a held instance goes on waiting. */
export function mustDrain({ cause }: Stimulus, loaded: LoadResult): boolean {
  if (cause.kind === 'operator' || isHeld(loaded)) return false;
  return (loaded.instance?.openDeliveries ?? 0) > 0 && loaded.seen === null;
}

/** Whether a load says the same of an instance for which no delivery waits. */
export function isAsLoaded(guess: CurrentInstance | null, { instance, seen }: LoadResult): boolean {
  if (seen !== null) return false;
  if (instance === null || guess === null) return instance === guess;
  return instance.id === guess.id && instance.version === guess.version && instance.openDeliveries === 0;
}

/** How an instance that no load has told of is continued; `null`: it has to be loaded. */
export function fitKnown(
  { definition }: CompiledSaga,
  versions: ReadonlyMap<number, CompiledSaga>,
  instance: CurrentInstance,
): Fitted | null {
  const saga = versions.get(instance.definitionVersion);
  if (saga === undefined || isHeld({ instance }) || instance.ended) return null;
  return definition.name === instance.saga ? { saga, instance } : null;
}
