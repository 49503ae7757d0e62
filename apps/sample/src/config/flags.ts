import { parseArgs } from 'node:util';
import { PAYMENTS } from './payments.js';

/** A flag that the sample does not know. */
export class FlagError extends Error {
  override readonly name = 'FlagError';
  readonly code = 'FLAG_UNKNOWN';
}

/**
 * Puts flags of the command line into the environment that the settings are read from: `npm start -- --payments=named-pipe`.
 *
 * @throws FlagError
 */
export function readFlags(given: readonly string[], environment: Record<string, string | undefined>): void {
  try {
    const { values } = parseArgs({ args: [...given], options: { payments: { type: 'string' } } });
    if (values.payments !== undefined) environment['PAYMENTS'] = values.payments;
  } catch (error) {
    throw new FlagError(
      `${error instanceof Error ? error.message : String(error)} There is --payments=${PAYMENTS.slice(1).join('|')}.`,
    );
  }
}
