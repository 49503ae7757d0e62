import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../support/workspace.js';

/** Every point that the libs pass, read off their sources: a new one can't be forgotten. */
export function faultPointNames(): readonly string[] {
  const names = new Set<string>();
  for (const entry of readdirSync(join(root, 'libs'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !/src/.test(entry.parentPath) || !/(?<!\.spec)\.ts$/.test(entry.name)) continue;
    if (/node_modules|dist|libs\/testing/.test(entry.parentPath)) continue;
    const text = readFileSync(join(entry.parentPath, entry.name), 'utf8');
    for (const [, name] of text.matchAll(/\breach\('([\w.-]+)'\)/g)) names.add(name as string);
  }
  return [...names].toSorted();
}
