import { ResilienceOptionError } from '../errors.js';

const LONGEST = 200;

/** @throws ResilienceOptionError for a name that can't be part of a key: empty, too long, or with braces */
export function mustBeName(name: unknown): asserts name is string {
  if (typeof name === 'string' && name !== '' && name.length <= LONGEST && !/[{}]/.test(name)) return;
  const rule = `must be a text of 1 to ${LONGEST} characters without braces`;
  throw new ResilienceOptionError('name', rule, name);
}
