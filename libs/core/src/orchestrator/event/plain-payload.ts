/** Levels of objects in an event; a deeper one is a mistake or a circle. */
export const DEEPEST = 64;

/**
 * Whether something is a tree of plain objects, lists, texts, finite numbers, booleans and null with at most so many values: what JSON carries as it
 * is. Most events are. It keeps no track of where it is: a `false` says nothing but that a slower walk has to find out what there is.
 */
export function isPlainPayload(payload: object, maxValues: number): boolean {
  return valuesLeft(payload, maxValues, DEEPEST) >= 0;
}

/** How many values there may still be; below 0: too many, or not surely plain. */
function valuesLeft(value: object, most: number, levels: number): number {
  if (levels === 0) return -1;
  return Array.isArray(value) ? leftAfterList(value, most, levels) : leftAfterObject(value, most, levels);
}

function leftAfterList(items: readonly unknown[], most: number, levels: number): number {
  let left = most - items.length;
  for (let at = 0; at < items.length && left >= 0; at += 1) left = leftAfter(items[at], left, levels);
  return left;
}

function leftAfterObject(value: object, most: number, levels: number): number {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return -1;
  let left = most;
  for (const key in value) {
    // The one would be left out when read back, the other decides what is written.
    if (key === '__proto__' || key === 'toJSON') return -1;
    const item: unknown = (value as Readonly<Record<string, unknown>>)[key];
    left = item === undefined ? left - 1 : leftAfter(item, left - 1, levels);
    if (left < 0) return -1;
  }
  return left;
}

function leftAfter(value: unknown, left: number, levels: number): number {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return left;
    case 'number':
      return Number.isFinite(value) ? left : -1;
    case 'object':
      return value === null ? left : valuesLeft(value, left, levels - 1);
    default:
      return -1;
  }
}
