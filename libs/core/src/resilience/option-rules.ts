import { ResilienceOptionError } from './errors.js';

type Numbers = Readonly<Record<string, unknown>>;

function numberOf(options: Numbers, name: string, holds: (value: number) => boolean, rule: string): void {
  const value = options[name];
  if (typeof value !== 'number' || !holds(value)) throw new ResilienceOptionError(name, rule, value);
}

/** Finite and above zero. */
export function mustBePositive(options: Numbers, ...names: readonly string[]): void {
  for (const name of names) {
    numberOf(
      options,
      name,
      (value) => Number.isFinite(value) && value > 0,
      'must be a finite number above zero',
    );
  }
}

/** A whole number of at least `least`. */
export function mustBeCount(options: Numbers, least: number, ...names: readonly string[]): void {
  for (const name of names) {
    const rule = `must be a whole number of at least ${least}`;
    numberOf(options, name, (value) => Number.isSafeInteger(value) && value >= least, rule);
  }
}

/** Finite and within the bounds, both included. */
export function mustBeWithin(
  options: Numbers,
  least: number,
  most: number,
  ...names: readonly string[]
): void {
  for (const name of names) {
    const rule = `must be between ${least} and ${most}`;
    numberOf(options, name, (value) => value >= least && value <= most, rule);
  }
}

/** One of the words. */
export function mustBeOneOf(options: Numbers, name: string, words: readonly string[]): void {
  const value = options[name];
  if (!words.includes(value as string)) {
    throw new ResilienceOptionError(name, `must be one of ${words.join(', ')}`, value);
  }
}

/** The options over their defaults; `undefined` counts as not given. */
export function withDefaults<D extends object, O extends object>(defaults: D, options: O): D & O {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return { ...defaults, ...(Object.fromEntries(given) as O) };
}
