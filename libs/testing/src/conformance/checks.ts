/** A sentence of a port's contract that does not hold. Runners show `expected` and `actual` as a difference. */
export class ConformanceFailure extends Error {
  override readonly name = 'ConformanceFailure';

  constructor(
    message: string,
    readonly expected: unknown,
    readonly actual: unknown,
  ) {
    super(message);
  }
}

const SHOWN_CHARACTERS = 600;

function shown(value: unknown): string {
  const text = value instanceof Error ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > SHOWN_CHARACTERS
    ? `${text.slice(0, SHOWN_CHARACTERS)}… (${text.length} characters)`
    : text;
}

function sameFields(a: object, b: object): boolean {
  const names = Object.keys(a);
  if (names.length !== Object.keys(b).length) return false;
  return names.every((name) => Object.hasOwn(b, name) && same(Reflect.get(a, name), Reflect.get(b, name)));
}

/** Deep equality of plain values; the order of fields doesn't count, that of items does. */
function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  return Array.isArray(a) === Array.isArray(b) && sameFields(a, b);
}

/** `about` says what was looked at: `the version after two commits`. */
export function equal(actual: unknown, expected: unknown, about: string): void {
  if (same(actual, expected)) return;
  throw new ConformanceFailure(
    `${about}: expected ${shown(expected)}, found ${shown(actual)}`,
    expected,
    actual,
  );
}

/** Only the fields that `expected` has are looked at. */
export function has(actual: object, expected: object, about: string): void {
  const picked = Object.fromEntries(Object.keys(expected).map((name) => [name, Reflect.get(actual, name)]));
  equal(picked, expected, about);
}

/** For conditions that are no equality. */
export function holds(condition: boolean, about: string): asserts condition {
  if (!condition) throw new ConformanceFailure(about, true, false);
}

/** Awaits a rejection (or a throw) and hands its error out. */
export async function rejection(action: () => unknown, about: string): Promise<unknown> {
  try {
    await action();
  } catch (error) {
    return error;
  }
  throw new ConformanceFailure(`${about}: expected a rejection`, 'a rejection', 'nothing');
}
