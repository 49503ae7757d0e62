import { isOrchestratorError } from '../../errors/orchestrator-error.js';

/** When and how often work is tried again. */
export interface RetryPolicy {
  readonly maxAttempts: number;
  /** Pause before the second try, in milliseconds. */
  readonly firstDelayMs: number;
}

const LONGEST_DELAY_MS = 60_000;

/**
 * Pause after the given number of tries: doubling, capped, the upper half at random so that what failed together comes back apart. An error that knows
 * better says so by its `retryAfterMs`, which counts as the whole of the pause before the random; what was only told to come later comes then.
 */
export function retryDelay(policy: RetryPolicy, attempts: number, random: number, error?: unknown): number {
  const own = ownDelay(error);
  if (own !== undefined && isDelay(error)) return own;
  const full = own ?? Math.min(LONGEST_DELAY_MS, policy.firstDelayMs * 2 ** Math.min(attempts - 1, 30));
  return Math.round(full / 2 + (random * full) / 2);
}

function ownDelay(error: unknown): number | undefined {
  if (!isOrchestratorError(error) || !('retryAfterMs' in error)) return undefined;
  return typeof error.retryAfterMs === 'number' ? error.retryAfterMs : undefined;
}

/** Silent failures of one message after which it runs alone. */
const SUSPICIONS = 2;

/** Whether a try with this number must run alone: those before it never ended, and if it ends the process it must not take others along. */
export function mustRunAlone({ maxAttempts }: RetryPolicy, attempt: number): boolean {
  return attempt > Math.min(SUSPICIONS, maxAttempts - 1);
}

/** Whether another try can succeed: unknown errors may, the framework's own say so themselves. */
export function mayRetry(error: unknown): boolean {
  return !isOrchestratorError(error) || error.retryable;
}

/** Whether the error says nothing about the work itself, so that it must not count as a try of it. */
export function isNoFaultOfWork(error: unknown): boolean {
  return isOrchestratorError(error) && NOT_THE_WORK.has(error.code);
}

/** Whether nothing failed: the work has only been told to come later. */
export function isDelay(error: unknown): boolean {
  return isOrchestratorError(error) && DELAYS.has(error.code);
}

const DELAYS: ReadonlySet<string> = new Set(['SAGA_DELAYED', 'SAGA_STILL_HELD']);

const NOT_THE_WORK: ReadonlySet<string> = new Set([
  'STORE_UNAVAILABLE',
  'SAGA_VERSION',
  'SAGA_CONFLICT',
  'SAGA_BUSY',
  'SAGA_BEHIND',
  'SAGA_DELAYED',
  'SAGA_OTHER_BUILD',
  'SAGA_STILL_HELD',
  'LEASE_LOST',
]);
