/** Variables of a document by name. */
export type Variables = Record<string, unknown>;

/**
 * Evaluates the expressions of a document. The library brings none: running text as code is the caller's decision and his sandbox.
 */
export interface ScxmlDataModel {
  /** Value of an expression; `system` holds `_event`, `In` and the like. Throws where it has none. */
  evaluate(expression: string, variables: Variables, system: Variables): unknown;
  /** Runs statements, which change `variables` (a draft of their own) in place. */
  execute(statements: string, variables: Variables, system: Variables): void;
  /** What XML in `<data>` or `<content>` becomes, say a DOM; without this it stays text. */
  fromXml?(text: string): unknown;
}

/** Variables that documents read and may not write. */
export function isSystemName(name: string): boolean {
  return name.startsWith('_');
}

/**
 * A copy that shares no object or array with its original. What was one object inside it stays one; functions, instances of classes
 * and frozen objects stay what they are.
 */
export function copyOf<T>(value: T, copies = new Map<object, object>()): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  const known = copies.get(value);
  if (known !== undefined) return known as T;
  if (!Array.isArray(value) && !isPlain(value)) return value;
  const copy = emptyLike(value);
  copies.set(value, copy);
  for (const [key, of] of Object.entries(value)) {
    Object.defineProperty(copy, key, {
      value: copyOf(of, copies),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return copy as T;
}

/** Of the same realm: `instanceof` in the document's scripts goes on to hold. */
function emptyLike(value: object): object {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return Array.isArray(value)
    ? (Object.setPrototypeOf([], prototype) as object)
    : (Object.create(prototype) as object);
}

/** Plain also where another realm made it. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
