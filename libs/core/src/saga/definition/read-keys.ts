import type { KeyCardinality } from '../saga-types.js';
import { NAME, NAME_RULE, type Report } from './report.js';

const CARDINALITIES: ReadonlySet<string> = new Set<KeyCardinality>(['one', 'at most one', 'many']);

/** The further keys. */
export function readKeys(
  keys: Readonly<Record<string, KeyCardinality>> | undefined,
  primary: string,
  report: Report,
): ReadonlyMap<string, KeyCardinality> {
  const entries: [string, KeyCardinality][] = Object.entries(keys ?? {});
  for (const [name, cardinality] of entries) {
    const path = `keys.${name}`;
    if (!NAME.test(name)) report(path, `'${name}' ${NAME_RULE}`);
    if (name === primary) report(path, `is the primary key already, by 'correlateBy'; leave it out here`);
    if (!CARDINALITIES.has(cardinality))
      report(path, `'${cardinality}' must be one of ${[...CARDINALITIES].join(', ')}`);
  }
  return new Map(entries);
}
