import type { CompiledSaga } from '../compile/compiled-saga.js';
import type { Stimulus } from './stimulus.js';

/** Name of the queue of one instance. */
export function mailboxOf(saga: CompiledSaga, { tenant, key }: Pick<Stimulus, 'tenant' | 'key'>): string {
  return `${saga.definition.name}\n${tenant}\n${key.name}\n${key.value}`;
}

/** Under which the odds that a message starts an instance are kept. */
export function oddsOf(saga: CompiledSaga, { cause }: Stimulus): string {
  return `${saga.definition.name}\n${cause.kind === 'message' ? cause.envelope.name : ''}`;
}
