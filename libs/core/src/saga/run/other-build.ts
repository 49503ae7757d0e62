import type { Envelope } from '../../message/envelope.js';
import { MessageValidationError } from '../../message/message.js';
import { SagaEventUnknownError, SagaOtherBuildError } from '../saga-errors.js';
import type { AnySaga } from '../saga-types.js';

/** Pause before a node looks again at what is another build's, in milliseconds: at first, and at most. */
const FIRST_MS = 5_000;
const LONGEST_MS = 30_000;

/** When a message could be handled first, and what time it is, both in milliseconds since the epoch. */
export interface Waited {
  readonly since: number;
  readonly now: number;
}

/**
 * What comes of an error that a message meets before it is handled: one that another build has written is that build's, as long as the saga's `patience`
 * lasts. By then there is none, and the error says what is wrong. Pure.
 */
export function orOtherBuilds(
  { name, events, patience }: AnySaga,
  envelope: Pick<Envelope, 'name' | 'version'>,
  { since, now }: Waited,
  error: unknown,
): unknown {
  const known = events.get(envelope.name)?.type.version;
  const isNewer = error instanceof MessageValidationError && known !== undefined && envelope.version > known;
  if (!isNewer && !(error instanceof SagaEventUnknownError)) return error;
  const waited = now - since;
  // An instant that is no number, or from nowhere, is none that one could wait for.
  if (!(Math.abs(waited) < patience)) return error;
  const pause = Math.min(LONGEST_MS, Math.max(FIRST_MS, waited / 4), patience - waited);
  return new SagaOtherBuildError(name, envelope.name, Math.ceil(pause), error);
}
