import { noFaults } from '../ports/fault-points.js';
import { silentLogger } from '../ports/logger.js';
import { systemClock, systemRandom, uuidSource } from '../ports/system-clock.js';
import type { HostOptions } from './host-options.js';

/** Options with their defaults filled in. */
export type HostSettings = Readonly<Required<HostOptions>>;

const COUNTS = [
  'leaseMs',
  'pollIntervalMs',
  'handlerTimeoutMs',
  'compensationTimeoutMs',
  'maxAttempts',
  'retryDelayMs',
  'concurrency',
  'handlerConcurrency',
  'maxPayload',
] as const;

/**
 * Fills in the defaults.
 *
 * @throws TypeError for a setting that is not a positive number
 */
export function settingsOf(options: HostOptions): HostSettings {
  const settings: HostSettings = {
    store: options.store,
    clock: options.clock ?? systemClock,
    ids: options.ids ?? uuidSource,
    random: options.random ?? systemRandom,
    logger: options.logger ?? silentLogger,
    faults: options.faults ?? noFaults,
    defaultTenant: options.defaultTenant ?? 'default',
    leaseMs: options.leaseMs ?? 10_000,
    pollIntervalMs: options.pollIntervalMs ?? 1_000,
    handlerTimeoutMs: options.handlerTimeoutMs ?? 5_000,
    compensationTimeoutMs: options.compensationTimeoutMs ?? 30_000,
    maxAttempts: options.maxAttempts ?? 10,
    retryDelayMs: options.retryDelayMs ?? 200,
    concurrency: options.concurrency ?? 512,
    handlerConcurrency: options.handlerConcurrency ?? 4,
    maxPayload: options.maxPayload ?? 262_144,
  };
  for (const name of COUNTS) {
    const value = settings[name];
    if (!Number.isFinite(value) || value <= 0) {
      throw new TypeError(`Option '${name}' must be a positive number, found ${String(value)}.`);
    }
  }
  return settings;
}
