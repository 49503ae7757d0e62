import { describe, expect, it } from 'vitest';
import type { CurrentInstance } from '../../ports/records.js';
import type { OperatorCause } from '../operator/operator-cause.js';
import { SagaEndedVersionError, SagaVersionError } from '../saga-errors.js';
import { overCommit } from './over.js';
import type { ActivityCause, Cause, Stimulus } from './stimulus.js';

const instance: CurrentInstance = {
  ...{ tenant: 't', saga: 'trip', id: 'i-1', version: 3, openDeliveries: 0 },
  ...{ definitionVersion: 1, state: 'done', status: 'completed', ended: true, hold: null },
  ...{ data: '{}', machine: '{"states":["trip.done"]}', undo: '[]' },
};
const error = new SagaVersionError('trip', 1, [2]);
const work = { tenant: 't', destination: 'saga:trip', id: 'w-1' };

function over(cause: Cause) {
  const stimulus: Stimulus = { tenant: 't', key: { name: 'id', value: 'x' }, messageId: 'm-1', work, cause };
  return overCommit(instance, stimulus, error, []);
}

const outcome = { kind: 'completed', output: 1 } as unknown as ActivityCause['outcome'];
const activity = (fields: Partial<ActivityCause> = {}): ActivityCause => ({
  ...({ kind: 'activity', invocation: 'a-1', name: 'charge', attempts: 1, outcome } as ActivityCause),
  ...fields,
});
const operator = (verb: OperatorCause['verb']): OperatorCause => ({
  ...{ kind: 'operator', verb, by: 'ada', reason: 'old', instance: 'i-1' },
});

describe('what comes after the end of a version that nobody continues', () => {
  it('is recorded as late, where it is the outcome of an activity that leaves nothing to be undone', () => {
    const undo = { name: 'refund', input: {} } as ActivityCause['undo'] & object;
    const begun = { kind: 'cancelled', begun: false } as ActivityCause['outcome'];
    for (const cause of [activity(), activity({ undo, outcome: begun })])
      expect(over(cause)).toMatchObject({
        expectedVersion: 3,
        next: { ended: true, state: 'done', data: '{}' },
        inbox: { messageId: 'm-1', outcome: 'late' },
        history: [{ kind: 'late', name: 'charge' }],
        done: [work],
      });
  });

  it('is an error for the dead letter, where an activity has to be undone', () => {
    const undo = { name: 'refund', input: {} } as ActivityCause['undo'] & object;
    expect(() => over(activity({ undo }))).toThrow(SagaEndedVersionError);
    const begun = { kind: 'cancelled', begun: true } as ActivityCause['outcome'];
    expect(() => over(activity({ undo, outcome: begun }))).toThrow(
      /nobody can undo what activity 'charge' did/,
    );
  });

  it('is nothing, where it is a timer or the outcome of an undo step', () => {
    expect(over({ kind: 'timer' } as Cause)).toBeNull();
    expect(over({ kind: 'undone' } as Cause)).toBeNull();
  });

  it('is noted where an operator notes something, and refused where one wants more', () => {
    expect(over(operator('note'))?.history).toMatchObject([
      { kind: 'operator', name: 'note', detail: '{"by":"ada","reason":"old"}' },
    ]);
    for (const verb of ['retry', 'skip', 'resolve', 'cancel', 'replay', 'save', 'release'] as const)
      expect(() => over(operator(verb))).toThrow(error);
  });
});
