import { OrchestratorError } from '../errors/orchestrator-error.js';
import { parseJson } from '../message/json.js';
import type { ClaimedWork } from '../ports/records.js';

/** A stored row does not say what it must: nothing but its dead letter is left of it. */
export class UnreadableRowError extends OrchestratorError {
  readonly code = 'UNREADABLE_ROW';
  constructor(
    { destination, id }: Pick<ClaimedWork, 'destination' | 'id'>,
    options: { cause?: unknown } = {},
  ) {
    super(
      `The row '${id}' for '${destination}' can't be read: somebody else has written or changed it. Look into its dead letter, and send what it meant again.`,
      options,
    );
  }
}

/**
 * The payload of a row.
 *
 * @throws UnreadableRowError for what is no JSON, or lacks something
 */
export function readRow<T extends object>(work: ClaimedWork, isWhole: (payload: Partial<T>) => boolean): T {
  let payload: unknown;
  try {
    payload = parseJson(work.payload);
  } catch (cause) {
    throw new UnreadableRowError(work, { cause });
  }
  if (typeof payload === 'object' && payload !== null && isWhole(payload)) return payload as T;
  throw new UnreadableRowError(work);
}

/** As {@link readRow}; `undefined` for what can't be read. */
export function readRowOrNot<T extends object>(
  work: ClaimedWork,
  isWhole: (payload: Partial<T>) => boolean,
): T | undefined {
  try {
    return readRow(work, isWhole);
  } catch (error) {
    if (error instanceof UnreadableRowError) return undefined;
    throw error;
  }
}
