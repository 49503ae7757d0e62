import { isEmbeddedPostgresError } from '@nestjs-orchestrator/embedded-postgres';
import { isOrchestratorError } from '@nestjs-orchestrator/nest';
import { BrokerAwayError } from '../payments/link/broker.js';
import { PaymentProcessError } from './payment-process.js';
import { SettingError } from '../config/settings.js';
import { PortTakenError } from './port.js';

/** What went wrong at start, for the person who started it: one message that says what to do, a stack only for the unforeseen. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (isEmbeddedPostgresError(error, 'EMBEDDED_POSTGRES_DATA_DIR_NOT_WRITABLE')) {
    return `${error.message} For example: DATA_DIR=/tmp/orders npm start`;
  }
  if (isForeseen(error)) return error.message;
  if ('code' in error && error.code === 'ECONNREFUSED') {
    return 'No Postgres answers at POSTGRES_URL. Start it, or leave the variable out to use the embedded one.';
  }
  return error.stack ?? error.message;
}

function isForeseen(error: unknown): boolean {
  return (
    error instanceof SettingError ||
    error instanceof BrokerAwayError ||
    error instanceof PaymentProcessError ||
    error instanceof PortTakenError ||
    isEmbeddedPostgresError(error) ||
    isOrchestratorError(error)
  );
}
