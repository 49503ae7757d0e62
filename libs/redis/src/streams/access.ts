import {
  isOrchestratorError,
  StoreUnavailableError,
  TransportUnavailableError,
} from '@nestjs-orchestrator/core';
import type { Connection } from '../connection/connection.js';
import { StoreServerError } from '../errors.js';
import { TYPE } from './layout.js';

/** A server that does not let the client in is as unavailable as none. */
export async function opened(connection: Connection): Promise<void> {
  try {
    await connection.open();
  } catch (error) {
    throw error instanceof StoreServerError ? refusing(error) : error;
  }
}

/** An error of the framework as it is, anything else as a server that can't be used. */
export function asUnavailable(error: unknown): unknown {
  if (error instanceof StoreServerError) return refusing(error);
  if (isOrchestratorError(error) && !(error instanceof StoreUnavailableError)) return error;
  const text = error instanceof Error ? error.message : String(error);
  return new TransportUnavailableError(
    TYPE,
    `${text} Check address, user and password of the Redis client.`,
    { cause: error },
  );
}

function refusing(error: StoreServerError): TransportUnavailableError {
  return new TransportUnavailableError(TYPE, error.message, { cause: error });
}
