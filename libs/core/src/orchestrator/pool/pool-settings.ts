import { OrchestratorOptionError } from '../errors.js';
import type { PoolOptions } from '../options.js';

/** Pool options, checked and complete. */
export type PoolSettings = Required<Omit<PoolOptions, 'logger'>>;

const DEFAULTS: PoolSettings = {
  poolSize: 16,
  maxPoolSize: 512,
  allowGrowth: true,
  growthFactor: 2,
  shrinkThreshold: 0.25,
  shrinkAfterMs: 1_000,
  enableMetrics: true,
  channelBudget: 1_024,
  mailboxBudget: 512,
  sliceMs: 4,
  mailboxSlice: 16,
};

/** @throws OrchestratorOptionError naming the option, its rule and the value */
export function poolSettings(options: PoolOptions): PoolSettings {
  const settings: PoolSettings = { ...DEFAULTS, ...given(options, DEFAULTS) };
  mustBeCount(settings, 'poolSize', 'channelBudget', 'mailboxBudget', 'mailboxSlice');
  mustHold(
    settings,
    'maxPoolSize',
    (value) => isCount(value) && value >= settings.poolSize,
    'must be a whole number of at least poolSize',
  );
  mustHold(settings, 'growthFactor', (value) => isNumber(value) && value > 1, 'must be a number above 1');
  mustHold(
    settings,
    'shrinkThreshold',
    (value) => isNumber(value) && value >= 0 && value < 1,
    'must be at least 0 and below 1',
  );
  mustHold(settings, 'sliceMs', (value) => isNumber(value) && value > 0, 'must be a number above 0');
  mustBeFlag(settings, 'allowGrowth', 'enableMetrics');
  return settings;
}

type Values = Readonly<Record<string, unknown>>;

/** Those of the options that the defaults know and that are not undefined. */
export function given<T extends object>(options: object, defaults: T): Partial<T> {
  const entries = Object.entries(options).filter(([key, value]) => value !== undefined && key in defaults);
  return Object.fromEntries(entries) as Partial<T>;
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

/** A whole number of at least 1. */
export function mustBeCount(options: object, ...names: readonly string[]): void {
  for (const name of names) mustHold(options, name, isCount, 'must be a whole number of at least 1');
}

/** Finite milliseconds above 0. */
export function mustBeMilliseconds(options: object, ...names: readonly string[]): void {
  for (const name of names)
    mustHold(
      options,
      name,
      (value) => isNumber(value) && value > 0,
      'must be a number of milliseconds above 0',
    );
}

function mustBeFlag(options: object, ...names: readonly string[]): void {
  for (const name of names)
    mustHold(options, name, (value) => typeof value === 'boolean', 'must be true or false');
}

function mustHold(options: object, name: string, holds: (value: unknown) => boolean, rule: string): void {
  const value = (options as Values)[name];
  if (!holds(value)) throw new OrchestratorOptionError(name, rule, value);
}
