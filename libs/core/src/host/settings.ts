import { noFaults } from '../ports/fault-points.js';
import { silentLogger } from '../ports/logger.js';
import { systemClock, systemRandom, uuidSource } from '../ports/system-clock.js';
import type { HostOptions } from './host-options.js';

/** Options with their defaults filled in. */
export type HostSettings = Readonly<Required<HostOptions>>;

const COUNTS = {
  leaseMs: 10_000,
  pollIntervalMs: 1_000,
  sweepIntervalMs: 30_000,
  handlerTimeoutMs: 5_000,
  compensationTimeoutMs: 30_000,
  maxAttempts: 10,
  retryDelayMs: 200,
  concurrency: 512,
  handlerConcurrency: 4,
  inboxRetentionMs: 7 * 86_400_000,
  letterRetentionMs: 30 * 86_400_000,
  tombstoneRetentionMs: 90 * 86_400_000,
  maxPayload: 262_144,
} as const satisfies Partial<HostSettings>;

const PORTS = {
  clock: systemClock,
  ids: uuidSource,
  random: systemRandom,
  logger: silentLogger,
  faults: noFaults,
} as const satisfies Partial<HostSettings>;

/**
 * Fills in the defaults.
 *
 * @throws TypeError for a setting that is not a positive number, or a `check` that there is not
 */
export function settingsOf(options: HostOptions): HostSettings {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const settings: HostSettings = {
    ...PORTS,
    ...COUNTS,
    defaultTenant: 'default',
    currentTenant: () => undefined,
    store: options.store,
    check: 'warn',
    handleOnPublish: false,
    ...given,
  };
  if (!['error', 'warn', 'off'].includes(settings.check))
    throw new TypeError(`Option 'check' must be 'error', 'warn' or 'off', found ${String(settings.check)}.`);
  for (const name of Object.keys(COUNTS) as (keyof typeof COUNTS)[]) {
    const value: unknown = settings[name];
    if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) {
      throw new TypeError(`Option '${name}' must be a positive number, found ${String(value)}.`);
    }
  }
  return settings;
}
