import { toJson } from '../../message/json.js';
import type { Commit } from '../../ports/instance-store.js';
import type { CurrentInstance, WorkRecord } from '../../ports/records.js';
import { SagaEndedVersionError, type SagaVersionError } from '../saga-errors.js';
import { rawCommit } from './hold.js';
import type { Stimulus } from './stimulus.js';

/**
 * What comes for an instance that has ended under a version which no definition of this build continues: it is recorded as late, since nobody could
 * answer it. `null`: there is nothing to record. Pure.
 *
 * @param answer the rows that tell whoever asked, if it is a request
 * @throws SagaEndedVersionError for the outcome of an activity that is to be undone; `error` for operators, but for their notes
 */
export function overCommit(
  instance: CurrentInstance,
  stimulus: Stimulus,
  error: SagaVersionError,
  answer: readonly WorkRecord[],
): Commit | null {
  const { cause, messageId } = stimulus;
  const late = (name: string, more: object = {}): Commit => {
    const { found, known } = error;
    const done = cause.kind === 'message' && cause.delivery ? [messageId] : [];
    const raw = rawCommit(instance, stimulus, {
      next: {},
      line: { kind: 'late', name, detail: toJson({ ...more, version: found, known }, 'late message') },
      inbox: { messageId, outcome: 'late', reply: null },
      done,
    });
    return { ...raw, work: answer };
  };
  switch (cause.kind) {
    case 'message':
      return late(cause.envelope.name);
    case 'activity':
      if (cause.undo !== undefined && (cause.outcome.kind !== 'cancelled' || cause.outcome.begun))
        throw new SagaEndedVersionError(instance, `what activity '${cause.name}' did`, error);
      return late(cause.name, { outcome: cause.outcome.kind });
    case 'operator':
      if (cause.verb !== 'note') throw error;
      return rawCommit(instance, stimulus, {
        next: {},
        line: {
          kind: 'operator',
          name: cause.verb,
          detail: toJson({ by: cause.by, reason: cause.reason }, 'audit'),
        },
        inbox: { messageId, outcome: 'applied', reply: null },
      });
    case 'timer':
    case 'undone':
      return null;
    default:
      return cause satisfies never;
  }
}
