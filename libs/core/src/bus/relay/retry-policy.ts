import { isOrchestratorError } from '../../errors/orchestrator-error.js';

/** When and how often work is tried again. */
export interface RetryPolicy {
  readonly maxAttempts: number;
  /** Pause before the second try, in milliseconds. */
  readonly firstDelayMs: number;
}

const LONGEST_DELAY_MS = 60_000;

/** Pause after the given number of tries: doubling, capped, the upper half at random so that what failed together comes back apart. */
export function retryDelay(policy: RetryPolicy, attempts: number, random: number): number {
  const full = Math.min(LONGEST_DELAY_MS, policy.firstDelayMs * 2 ** Math.min(attempts - 1, 30));
  return Math.round(full / 2 + (random * full) / 2);
}

/** Whether another try can succeed: unknown errors may, the framework's own say so themselves. */
export function mayRetry(error: unknown): boolean {
  return !isOrchestratorError(error) || error.retryable;
}

/** Whether the error says nothing about the work itself, so that it must not count as a try of it. */
export function isNoFaultOfWork(error: unknown): boolean {
  return isOrchestratorError(error) && NOT_THE_WORK.has(error.code);
}

const NOT_THE_WORK: ReadonlySet<string> = new Set(['STORE_UNAVAILABLE', 'SAGA_VERSION', 'SAGA_CONFLICT']);
